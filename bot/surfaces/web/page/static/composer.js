// Where people write: prompts, commands with their menu, other words for a clip, and options beside them.

import { makeChoices } from "./choices.js";
import { read } from "./menu.js";
import { say } from "./words.js";
import { suggestions } from "./wire.js";

const find = (id) => document.getElementById(id);
const commands = JSON.parse(document.body.dataset.menu);
const PAUSE_MILLISECONDS = 120; // of typing, before the server is asked

// `send(path, fields)` resolves to whether what was written is done with.
export function makeComposer(form, { send, announce }) {
  const input = find("prompt");
  const hint = find("hint");
  const submit = form.querySelector('button[type="submit"]');
  const choices = makeChoices(input, find("choices"), { choose, announce });
  let place = null; // what `read` said of the text
  let asked = 0; // the newest question to the server
  let job = ""; // whose words are being changed
  let ideas = []; // suggestions of the model

  input.placeholder = say("placeholder");
  form.querySelector('label[for="prompt"]').textContent = say("prompt");
  name(submit, say("send"));
  name(find("commands"), say("commands"));
  name(find("more"), say("options"));
  name(find("stop-editing"), say("stop_editing"));
  find("stop-editing").textContent = "×";

  function name(button, label) {
    button.setAttribute("aria-label", label);
    button.title = label;
  }

  // --- the menu ---

  async function look(wanted = false) {
    const before = place?.kind;
    place = job ? null : read(input.value.slice(0, input.selectionStart), commands);
    if (place?.kind === before) choices.loosen();
    else choices.hide();
    hint.textContent = place?.hint ?? "";
    hint.hidden = !hint.textContent;
    const question = (asked += 1);
    if (!place) return choices.hide();
    const exact = place.items.some((item) => item.value === place.word);
    const isPartial = place.kind === "commands" || (place.word.length > 2 && place.kind === "options");
    if (!place.remote) return choices.show(exact && place.items.length === 1 ? [] : place.items, isPartial && !exact);
    if (place.kind === "prompts" && !place.word.trim() && !wanted) return choices.hide();
    const [kind, word] = [place.remote, place.word];
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
    if (question !== asked) return;
    const found = (await suggestions(kind, word)).map(({ value, about }) => ({ value, insert: value, about: about || (kind === "prompts" ? say("recent") : ""), side: "" }));
    if (question !== asked || document.activeElement !== input) return;
    if (kind === "prompts") found.push(...fitting(word, found));
    choices.show(found.filter((item) => item.value !== word).slice(0, 8), false);
  }

  function fitting(word, found) {
    const there = new Set(found.map((item) => item.value));
    return ideas
      .filter((idea) => idea.startsWith(word.trimStart()) && !there.has(idea))
      .map((idea) => ({ value: idea, insert: idea, about: say("suggested"), side: "" }));
  }

  function choose(item) {
    const after = place.kind === "prompts" ? "" : input.value.slice(input.selectionStart);
    const before = input.value.slice(0, place.from) + item.insert;
    input.value = before + after;
    input.setSelectionRange(before.length, before.length);
    input.focus();
    if (place.kind !== "prompts") look();
  }

  input.addEventListener("input", () => look());
  input.addEventListener("click", () => look(!input.value));
  input.addEventListener("blur", () => {
    asked += 1;
    choices.hide();
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (choices.key(event.key)) event.preventDefault();
    else if (event.key === "ArrowDown") look(true);
    else if (event.key === "Escape" && job) stopEditing();
  });
  find("commands").addEventListener("click", () => {
    stopEditing();
    if (!input.value.startsWith("/")) input.value = "/";
    input.focus();
    input.setSelectionRange(input.value.length, input.value.length);
    look();
  });

  // --- options ---

  const panel = find("panel");
  function open(isOpen) {
    panel.hidden = !isOpen;
    find("more").setAttribute("aria-expanded", String(isOpen));
  }

  find("more").addEventListener("click", () => {
    open(panel.hidden);
    if (!panel.hidden) panel.querySelector("input, select").focus();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    open(false);
    find("more").focus();
  });
  panel.addEventListener("input", () => {
    const isSet = [...panel.querySelectorAll("input, select")].some((field) => field.value);
    find("more").classList.toggle("set", isSet);
  });

  // --- other words ---

  function edit(of, prompt) {
    job = of;
    find("editing").firstElementChild.textContent = say("editing", { prompt });
    find("editing").hidden = false;
    fill(prompt);
    input.select();
  }

  function stopEditing() {
    if (!job) return;
    job = "";
    find("editing").hidden = true;
    input.value = "";
    input.focus();
  }

  function fill(prompt) {
    input.value = prompt;
    input.focus();
    choices.hide();
  }

  find("stop-editing").addEventListener("click", stopEditing);

  // --- sending ---

  let onTheWay = 0;

  async function run(path, fields) {
    onTheWay += 1;
    hint.hidden = true;
    const isDone = await send(path, fields);
    onTheWay -= 1;
    return isDone;
  }

  // The line is free at once for the next words; what could not be taken comes back into it to be changed.
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value;
    if (!text.trim() && onTheWay) return;
    const { token, ...fields } = Object.fromEntries(new FormData(form));
    const of = job;
    stopEditing();
    if (panel.contains(document.activeElement)) input.focus();
    open(false);
    input.value = "";
    look();
    const isDone = of ? await run("/edit", { job: of, text }) : await run("/say", fields);
    if (isDone || input.value || job) return;
    if (of) edit(of, text);
    else fill(text);
  });

  return {
    input,
    edit,
    fill,
    run: (text) => run("/say", { text }),
    // A sentence beside the line, until something else is written there.
    hint(sentence) {
      hint.textContent = sentence;
      hint.hidden = false;
    },
    know(suggested) {
      ideas = suggested;
    },
  };
}
