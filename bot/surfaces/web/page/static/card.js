// One card: made once, then changed in place, so that focus and playing pictures stay where they are.

import { el, setText } from "./dom.js";
import { makeScreen } from "./screen.js";
import { clock, duration, now, say } from "./words.js";

const NAMES = { gif: "GIF", mp4: "MP4", webp: "WebP" };
const me = document.body.dataset.me;
const moderates = "moderates" in document.body.dataset;

// `press(token)` and `dismiss()` resolve to what is to be told on the card: {sentence, well}, or nothing.
export function makeCard(id, { press, dismiss, isPrivate }) {
  const screen = makeScreen();
  const title = el("h2", { dir: "auto", id: `title-${id}` });
  const words = el("span");
  const expected = el("span", { class: "expected" });
  const status = el("p", { class: "status" }, words, expected);
  const note = el("p", { class: "note" }); // what a moderator decided, or that the clip has come: for its asker
  const bar = el("progress", { max: 1, "aria-label": say("done_share") });
  const facts = el("dl");
  const deeds = el("div", { class: "deeds" });
  const files = el("p", { class: "files" });
  const told = el("p", { class: "told", role: "status" });
  const text = el("div", { class: "text" }, title, status, note, bar, facts, deeds, files, told);
  const dot = el("span", { class: "dot", "aria-hidden": "true" });
  const name = el("b");
  const time = el("time");
  const away = el("button", { type: "button", class: "away-with", "aria-label": say("dismiss"), title: say("dismiss") }, "×");
  const who = el("p", { class: "who" }, dot, name, time, isPrivate ? el("span", {}, say("private")) : "", away);
  const card = el("article", { class: "card", id: `card-${id}`, tabindex: "-1", "aria-labelledby": `title-${id}` }, who, el("div", { class: "sheet" }, screen.figure, text));
  let drawnButtons = "";
  let drawnFacts = "";
  let readyAt = null;

  away.addEventListener("click", async () => tell(await dismiss()));

  function tell({ sentence = "", well = false } = {}) {
    told.textContent = sentence;
    told.classList.toggle("well", well);
  }

  function isMine(message) {
    return message.by === me || isPrivate;
  }

  function drawWho(message) {
    const mine = isMine(message);
    setText(name, isPrivate || !message.by ? say("house") : mine ? say("you") : say("guest", { tag: message.by.slice(0, 4) }));
    if (message.by) dot.style.setProperty("--hue", String(parseInt(message.by.slice(0, 4), 16) % 360));
    dot.classList.toggle("house", isPrivate || !message.by);
    card.classList.toggle("mine", mine && !isPrivate);
    setText(time, clock(message.at));
    time.dateTime = new Date(message.at * 1000).toISOString();
    away.hidden = !(message.over && mine);
  }

  function drawPicture(message) {
    const pictured = Boolean(message.media || message.preview || (message.tone === "busy" && !isPrivate));
    card.classList.toggle("pictured", pictured);
    screen.figure.hidden = !pictured;
    if (message.media) screen.clip(message.media, message.title, message.spoiler);
    else if (message.preview) screen.preview(message.preview, message.spoiler);
    else if (pictured) screen.wait();
  }

  function drawFacts(message) {
    const there = JSON.stringify([message.facts, message.clip]);
    if (there === drawnFacts) return;
    drawnFacts = there;
    const shown = message.facts.flatMap(([label, value]) => [el("dt", {}, label), el("dd", { dir: "auto" }, value)]);
    const id = message.clip ? [el("dt", {}, say("clip_id")), el("dd", { class: "id" }, message.clip)] : []; // for commands
    facts.replaceChildren(...shown, ...id);
  }

  // What would only refuse whoever did not ask is not offered to them.
  function drawButtons(message) {
    const buttons = message.buttons.filter((button) => (isMine(message) ? !button.others : !button.own || (moderates && button.moderated)));
    deeds.hidden = !buttons.length;
    const there = JSON.stringify(buttons);
    if (there === drawnButtons) return;
    drawnButtons = there;
    const focused = deeds.contains(document.activeElement);
    const at = [...deeds.querySelectorAll("button")].indexOf(document.activeElement);
    deeds.replaceChildren(...buttons.map((button) => makeButton(button, message)));
    if (focused) (deeds.children[at] ?? deeds.lastElementChild ?? card).focus();
  }

  function makeButton(deed, message) {
    const { label, dangerous, asks, token } = deed;
    const button = el("button", { type: "button", class: dangerous && "dangerous", "aria-label": `${label}: ${message.title}` }, label);
    button.addEventListener("click", () => (asks ? ask(asks, token, message) : send(button, token)));
    return button;
  }

  // A button that is really disabled would lose the focus.
  async function send(button, token, reason = "") {
    if (button.ariaDisabled) return;
    button.ariaDisabled = "true";
    tell(await press(token, reason));
    button.ariaDisabled = null;
  }

  // Once more before something is gone for good, or before moderators are called, in the place of the buttons.
  function ask(what, token, message) {
    const back = () => {
      drawnButtons = "";
      drawButtons(message);
    };
    const reason = what === "report" && el("input", { type: "text", maxlength: 300, "aria-label": say("reason_report"), placeholder: say("reason_report") });
    const yes = el("button", { type: "button", class: "dangerous sure" }, say(`yes_${what}`));
    const no = el("button", { type: "button" }, say(`no_${what}`));
    const go = async () => {
      await send(yes, token, reason ? reason.value : "");
      if (told.textContent) back(); // it was not to be, or changes nothing here
    };
    yes.addEventListener("click", go);
    no.addEventListener("click", back);
    const question = say(`sure_${what}`);
    const group = el("div", { class: "asking", role: "group", "aria-label": question }, el("span", {}, question), ...(reason ? [reason] : []), yes, no);
    group.addEventListener("keydown", (event) => {
      if (event.key === "Escape") back();
      else if (event.key === "Enter" && event.target === reason) go();
    });
    deeds.replaceChildren(group);
    (reason || no).focus();
  }

  function drawFiles(message) {
    files.hidden = !message.media;
    if (!message.media || files.childElementCount) return;
    const links = Object.entries(message.media.files).map(([kind, address]) =>
      el("a", { href: `${address}&download`, download: `zoetrope-${message.clip}.${kind}` }, NAMES[kind]));
    files.replaceChildren(say("download"), ...links);
  }

  // When it is expected, counted down, at the end of the status' sentence.
  function tick() {
    if (readyAt === null) return setText(expected, "");
    const left = readyAt - now();
    setText(expected, `, ${left > 0 ? say("ready_in", { time: duration(left) }) : say("ready_now")}.`);
  }

  function draw(message) {
    const noted = isMine(message) ? message.note : "";
    if (card.dataset.tone !== message.tone || note.textContent !== noted) tell(); // a step further, it is old news
    card.dataset.tone = message.tone;
    drawWho(message);
    setText(title, message.title);
    readyAt = message.ready_at ?? null;
    setText(words, readyAt === null ? message.status : message.status.replace(/\.$/, ""));
    tick();
    setText(note, noted);
    note.hidden = !note.textContent;
    bar.hidden = message.bar === null;
    if (message.bar !== null) bar.value = message.bar;
    drawPicture(message);
    drawFacts(message);
    facts.hidden = !facts.childElementCount;
    drawButtons(message);
    drawFiles(message);
  }

  return { card, draw, tick };
}
