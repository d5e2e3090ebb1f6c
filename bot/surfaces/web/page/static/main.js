// The page: asks, listens, draws.

import { el } from "./dom.js";
import { makeRoom } from "./room.js";
import { listen, post } from "./wire.js";

const find = (id) => document.getElementById(id);
const form = find("ask");
const prompt = find("prompt");
const submit = form.querySelector('button[type="submit"]');
const said = find("said");

const SHOWN_BY_A_CARD = new Set(["queued", "held", "refused", "denied", "problem", "stopping", "cancelled", "deleted"]);

// The sentence of an answer stands where the card would be, unless a card shows it.
function answer(outcome) {
  const byCard = SHOWN_BY_A_CARD.has(outcome.result) && (outcome.message || outcome.result === "cancelled" || outcome.result === "deleted");
  say(byCard ? "" : outcome.sentence);
  said.dataset.result = outcome.result;
}

function say(sentence) {
  said.hidden = !sentence;
  said.textContent = sentence;
}

// What could not be reached says so no longer once Zoetrope is back.
function drawAway(isAway) {
  if (!isAway && !find("away").hidden && said.dataset.result === "unreached") say("");
  find("away").hidden = !isAway;
}

async function press(token) {
  answer(await post("/press", { button: token }));
}

function announce(sentence) {
  find("announcer").textContent = sentence;
}

// A reply to a card: read out, and marked on the tab of who is not looking.
function remind(sentence) {
  announce(sentence);
  if (document.hidden) document.title = "● Zoetrope";
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.title = "Zoetrope";
});

async function ask(fields) {
  submit.disabled = true;
  const outcome = await post("/request", fields);
  submit.disabled = false;
  answer(outcome);
  if (outcome.result === "queued" || outcome.result === "held") prompt.select();
}

function fieldsOf() {
  const { token, ...fields } = Object.fromEntries(new FormData(form));
  return fields;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!submit.disabled) ask(fieldsOf());
});

function drawModels(models) {
  const chips = (models[0]?.suggestions ?? []).map((suggestion) => {
    const chip = el("button", { type: "button" }, suggestion);
    chip.addEventListener("click", () => {
      prompt.value = suggestion;
      ask(fieldsOf());
    });
    return chip;
  });
  find("chips").replaceChildren(...chips);
  find("chips").hidden = !chips.length;
  drawChoice(models);
  drawHints(models);
}

function drawChoice(models) {
  const choice = form.elements.model;
  const chosen = choice.value;
  const options = models.map((model) => el("option", { value: model.name }, model.title || model.name));
  choice.replaceChildren(el("option", { value: "" }, "Default"), ...options);
  if (models.some((model) => model.name === chosen)) choice.value = chosen;
  find("model-field").hidden = models.length < 2;
}

// What a model does where nothing is said. Which one is the default is known for sure when there is only one.
function drawHints(models) {
  const named = models.find((model) => model.name === form.elements.model.value);
  const chosen = named ?? (models.length === 1 ? models[0] : null);
  for (const name of ["steps", "guidance", "frames", "width", "height", "fps"]) {
    form.elements[name].placeholder = chosen ? chosen.defaults[name] : "";
  }
}

let models = [];
form.elements.model.addEventListener("change", () => drawHints(models));
const room = makeRoom(find("room"), find("empty"), press, announce, remind);
listen({
  room: room.all,
  message: room.one,
  models: (known) => drawModels((models = known)),
  away: drawAway,
});
