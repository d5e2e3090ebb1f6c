// One card: made once, then changed in place, so that focus and playing pictures stay where they are.

import { el, setText } from "./dom.js";
import { makeScreen } from "./screen.js";

const NAMES = { gif: "GIF", mp4: "MP4", webp: "WebP" };

export function makeCard(id, press) {
  const screen = makeScreen();
  const title = el("h2", { dir: "auto" });
  const status = el("p", { class: "status" });
  const bar = el("progress", { max: 1, "aria-label": "Share that is done" });
  const facts = el("dl");
  const deeds = el("div", { class: "deeds" });
  const files = el("p", { class: "files" });
  const text = el("div", { class: "text" }, title, status, bar, facts, deeds, files);
  const card = el("article", { class: "card", id: `card-${id}` }, screen.figure, text);
  let drawnButtons = "";
  let drawnFacts = "";

  function drawPicture(message) {
    const pictured = Boolean(message.media || message.preview || message.tone === "busy");
    card.classList.toggle("pictured", pictured);
    screen.figure.hidden = !pictured;
    if (message.media) screen.clip(message.media, message.title);
    else if (message.preview) screen.preview(message.preview);
    else screen.wait();
  }

  function drawFacts(message) {
    const now = JSON.stringify(message.facts);
    if (now === drawnFacts) return;
    drawnFacts = now;
    facts.replaceChildren(...message.facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  }

  function drawButtons(message) {
    const now = JSON.stringify(message.buttons);
    if (now === drawnButtons) return;
    drawnButtons = now;
    const focused = [...deeds.children].indexOf(document.activeElement);
    deeds.replaceChildren(...message.buttons.map((button) => makeButton(button, message.title)));
    if (focused >= 0) (deeds.children[focused] ?? deeds.lastElementChild ?? card).focus?.();
  }

  function makeButton({ label, token, dangerous }, about) {
    const button = el("button", { type: "button", class: dangerous && "dangerous", "aria-label": `${label}: ${about}` }, label);
    button.addEventListener("click", async () => {
      button.disabled = true;
      await press(token);
      button.disabled = false;
    });
    return button;
  }

  function drawFiles(message) {
    files.hidden = !message.media;
    if (!message.media || files.childElementCount) return;
    const links = Object.entries(message.media.files).map(([kind, address]) =>
      el("a", { href: `${address}&download`, download: `zoetrope-${message.clip}.${kind}` }, NAMES[kind]));
    files.replaceChildren("Download", ...links);
  }

  function draw(message) {
    card.dataset.tone = message.tone;
    setText(title, message.title);
    setText(status, message.status);
    bar.hidden = message.bar === null;
    if (message.bar !== null) bar.value = message.bar;
    drawPicture(message);
    drawFacts(message);
    facts.hidden = !message.facts.length;
    drawButtons(message);
    deeds.hidden = !message.buttons.length;
    drawFiles(message);
  }

  return { card, draw };
}
