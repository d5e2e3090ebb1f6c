// Forms of the console that a script sends: what came of it is told here, and questions are asked in a dialog.

import { el, setText } from "../dom.js";
import { post } from "../wire.js";

const SAID = "zoetrope-said"; // told after the page was loaded anew
const find = (id) => document.getElementById(id);
const dialog = find("question");
const parts = Object.fromEntries([...dialog.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));

// Good news and bad news, each where a screen reader reads it out.
export function tell(sentence, well = true) {
  setText(find("said"), well ? sentence : "");
  setText(find("alarm"), well ? "" : sentence);
}

// The page as it is now, which tells what was done.
function anew(sentence) {
  sessionStorage.setItem(SAID, sentence);
  location.reload();
}

function ask(card) {
  setText(find("question-title"), card.title);
  setText(parts.status, card.status);
  setText(parts.told, "");
  parts.facts.replaceChildren(...card.facts.flatMap(([label, value]) => [el("dt", {}, label), el("dd", { dir: "auto" }, value)]));
  parts.deeds.replaceChildren(...card.buttons.map(makeButton));
  dialog.showModal();
  parts.deeds.lastElementChild.focus(); // the one that does nothing
}

function makeButton(button) {
  const node = el("button", { type: "button", class: button.dangerous ? "sure" : false }, button.label);
  node.addEventListener("click", async () => {
    const reply = await post(`${document.body.dataset.at}/press`, { button: button.token });
    if (!reply.well) return setText(parts.told, reply.sentence);
    dialog.close();
    anew(reply.sentence);
  });
  return node;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-act]")) return;
  event.preventDefault();
  const { token, ...fields } = Object.fromEntries(new FormData(form));
  const button = event.submitter;
  if (button?.hasAttribute("aria-disabled")) return;
  button?.setAttribute("aria-disabled", "true");
  const reply = await post(form.getAttribute("action"), fields);
  button?.removeAttribute("aria-disabled");
  if (reply.card?.buttons.length) ask(reply.card);
  else if (reply.well) anew(reply.sentence);
  else tell(reply.sentence, false);
});

const said = sessionStorage.getItem(SAID);
sessionStorage.removeItem(SAID);
if (said) requestAnimationFrame(() => tell(said)); // what is there from the start is not read out
