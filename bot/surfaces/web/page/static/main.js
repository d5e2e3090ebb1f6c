// The page: asks, listens, draws.

import { makeComposer } from "./composer.js";
import { el, setText } from "./dom.js";
import { makeRoom } from "./room.js";
import { keepAtEnd } from "./scroll.js";
import { listen, post } from "./wire.js";
import { say } from "./words.js";

const find = (id) => document.getElementById(id);
const data = document.body.dataset;
const toEnd = keepAtEnd();

// What a card of the room shows by itself, or shows soon.
const SHOWN_BY_A_CARD = new Set(["cancelled", "stopping", "deleted", "dismissed"]);

// What a post led to; returns the sentence that nothing on the page shows yet.
function take(reply) {
  if (reply.go) location.assign(reply.go); // another page, or a file to be kept
  if (reply.result === "ask prompt") composer.edit(reply.job, reply.prompt);
  else if (reply.card) room.private(reply.card);
  else if (!reply.go && !reply.message && !SHOWN_BY_A_CARD.has(reply.result)) return reply.sentence;
  return "";
}

const NEW_CARD = new Set(["queued", "held", "shown", "refused", "denied", "problem"]);

// What is to be told on the card: a sentence or nothing, and whether it is good news.
async function press(token, reason = "") {
  const reply = await post("/press", { button: token, reason });
  const sentence = take(reply);
  if (reply.message && NEW_CARD.has(reply.result)) toEnd();
  const isShown = !reply.message || NEW_CARD.has(reply.result) || SHOWN_BY_A_CARD.has(reply.result) || reply.result === "ask prompt";
  return { sentence: sentence || (isShown ? "" : reply.sentence), well: reply.well, result: reply.result, whole: reply.sentence };
}

async function dismiss(message) {
  return { sentence: take(await post("/dismiss", { message })) };
}

async function send(path, fields) {
  const reply = await post(path, fields);
  const sentence = take(reply);
  if (reply.result === "empty") composer.hint(sentence);
  else if (sentence) room.private({ ...NOTE, status: sentence, tone: reply.well ? "plain" : "bad" });
  if (sentence || reply.result === "problem") setText(find("alarm"), sentence || reply.sentence);
  toEnd();
  return !["problem", "empty", "unreached", "stranger"].includes(reply.result);
}

// A sentence of the page's own, where a card would stand.
const NOTE = { title: "Zoetrope", tone: "bad", facts: [], buttons: [], bar: null, clip: "", preview: "", media: null, over: true };

function announce(sentence) {
  setText(find("announcer"), sentence);
}

// A reply to a card: read out, and marked on the tab of who is not looking.
function remind(sentence) {
  announce(sentence);
  if (document.hidden) document.title = "● Zoetrope";
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) document.title = "Zoetrope";
});

function drawModels(models) {
  const usual = models.find((model) => model.name === data.default) ?? models[0];
  const suggested = usual?.suggestions ?? [];
  find("chips").replaceChildren(...suggested.map((suggestion) => el("li", {}, makeChip(suggestion))));
  find("try").hidden = !suggested.length;
  find("no-chips").hidden = Boolean(suggested.length);
  composer.know(suggested);
  const choice = find("ask").elements.model;
  const chosen = choice.value;
  const options = models.map((model) => el("option", { value: model.name }, model.title || model.name));
  choice.replaceChildren(el("option", { value: "" }, say("usual")), ...options);
  if (models.some((model) => model.name === chosen)) choice.value = chosen;
  choice.closest("label").hidden = models.length < 2;
}

// On a phone the focus would open the keyboard over the clips.
function toComposer() {
  if (matchMedia("(hover: hover)").matches) composer.input.focus();
}

function makeChip(suggestion) {
  const chip = el("button", { type: "button" }, suggestion);
  chip.addEventListener("click", async () => {
    await composer.run(suggestion);
    toComposer(); // the chip is gone by now
  });
  return chip;
}

function changed(count) {
  document.body.classList.toggle("empty", !count);
  find("welcome").hidden = count > 0;
}

// The gallery sends people here with words to begin with.
function takeWords() {
  const given = new URLSearchParams(location.hash.slice(1)).get("prompt");
  if (!given) return;
  composer.fill(given);
  history.replaceState(null, "", location.pathname);
}

find("away").textContent = say("away");
find("help").addEventListener("click", () => composer.run("/help"));
const composer = makeComposer(find("ask"), { send, announce });
const room = makeRoom(find("room"), { press, dismiss, announce, remind, changed, leave: () => composer.input });
setInterval(room.tick, 1000);
toComposer();
addEventListener("hashchange", takeWords);
takeWords();
listen({
  room: room.all,
  message: room.one,
  models: drawModels,
  away: (isAway) => (find("away").hidden = !isAway),
  isWaiting: room.isWaiting,
});
