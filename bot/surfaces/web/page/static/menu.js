// What can be typed next, found out from what stands before the caret. Pure.

// Returns null, or {kind, from, word, items, remote, hint}: `items` are {value, insert, about, side}; `remote` names
// what has to be asked of the server.
export function read(before, commands) {
  const slash = /^\s*\/(\w*)$/.exec(before);
  if (slash) return ofCommands(before, slash[1], commands);
  const head = /^\s*\/(\w+)\s+/.exec(before);
  const command = commands.find((each) => each.name === (head ? head[1].toLowerCase() : "video"));
  if (!command) return null;
  const value = /(?:^|\s)(?:--|—)(\w+)(?:\s+|=)(\S*)$/.exec(before);
  const option = value && command.options.find((each) => each.name === value[1].toLowerCase());
  if (option) return ofValue(before, value[2], option);
  const flag = /(?:^|\s)((?:-{1,2}|—)(\w*))$/.exec(before);
  if (flag && command.options.length) return ofOptions(before, flag[1], flag[2], command);
  if (command.name !== "video") return { kind: "rest", from: before.length, word: "", items: [], remote: "", hint: about(command) };
  const from = head ? head[0].length : 0;
  return { kind: "prompts", from, word: before.slice(from), items: [], remote: "prompts", hint: "" };
}

function ofCommands(before, word, commands) {
  const items = commands
    .filter((command) => command.name.startsWith(word.toLowerCase()))
    .map((command) => ({ value: `/${command.name}`, insert: `/${command.name} `, about: command.description, side: "" }));
  return { kind: "commands", from: before.indexOf("/"), word: `/${word.toLowerCase()}`, items, hint: "" };
}

function ofOptions(before, written, word, command) {
  const items = command.options
    .filter((option) => option.name !== "prompt" && option.name.startsWith(word.toLowerCase()))
    .filter((option) => !new RegExp(`(?:--|—)${option.name}\\b`).test(before.slice(0, before.length - written.length)))
    .map((option) => ({ value: `--${option.name}`, insert: `--${option.name} `, about: option.description, side: limits(option) }));
  return { kind: "options", from: before.length - written.length, word: `--${word.toLowerCase()}`, items, hint: "" };
}

function ofValue(before, word, option) {
  const items = option.choices
    .filter((choice) => choice.startsWith(word.toLowerCase()))
    .map((choice) => ({ value: choice, insert: `${choice} `, about: "", side: "" }));
  const hint = `--${option.name}: ${option.description} ${limits(option)}`.trim();
  const remote = ["models", "sizes"].includes(option.autocomplete) ? option.autocomplete : "";
  return { kind: "value", from: before.length - word.length, word, items, remote, hint };
}

function about(command) {
  const options = command.options.map((option) => `--${option.name}`).join(" ");
  return `/${command.name}: ${command.description} ${options}`.trim();
}

function limits(option) {
  return option.range || option.choices.join(", ");
}
