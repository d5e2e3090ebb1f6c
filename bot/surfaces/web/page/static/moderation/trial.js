// What would become of a prompt, while it is being written.

import { el, setText } from "../dom.js";
import { post } from "../wire.js";

const PAUSE_MILLISECONDS = 400; // of typing, before the server is asked
const form = document.getElementById("trial");
const verdict = document.getElementById("verdict");
let asked = 0;

async function test() {
  const number = (asked += 1);
  const prompt = form.elements.prompt.value;
  if (!prompt.trim()) return verdict.replaceChildren();
  const reply = await post(form.getAttribute("action"), { prompt });
  if (number !== asked) return;
  const facts = (reply.card?.facts ?? []).flatMap(([label, value]) => [el("dt", {}, label), el("dd", { dir: "auto" }, value)]);
  const sentence = el("p", { class: reply.well ? false : "bad" });
  setText(sentence, reply.sentence);
  verdict.replaceChildren(sentence, ...(facts.length ? [el("dl", {}, ...facts)] : []));
}

let timer = 0;
form.elements.prompt.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(test, PAUSE_MILLISECONDS);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  test();
});
