// The queue: one review at a time, by keys or by buttons. What others decide, and what comes in, appears by itself.

import { setText } from "../dom.js";
import { post } from "../wire.js";
import { say } from "../words.js";
import { tell } from "./console.js";

const find = (id) => document.getElementById(id);
const at = document.body.dataset.at;
const queue = find("queue");
const LOOK_MILLISECONDS = 3000;
const WHOLE_LOOKS = 15; // every so often the server is asked whether this is still ours to see
let tag = queue.dataset.tag;
let current = null;
let looks = 0;
let ended = false;
let beyond = Math.max(0, Number(queue.dataset.count) - queue.childElementCount); // waits, and comes when there is room

const all = () => [...queue.querySelectorAll(".look")];
const part = (article, name) => article.querySelector(`[data-part="${name}"]`);
const isOpen = (article) => !("decided" in article.dataset);

// --- which one is looked at ---

function show(article, focus = true) {
  if (current && current !== article) cover(current);
  if (current && current !== article && !isOpen(current)) current.remove();
  current = article;
  for (const each of all()) each.classList.toggle("current", each === article);
  if (article && focus) article.focus({ preventScroll: true });
  if (focus) scrollTo({ top: 0 });
  count();
}

function count() {
  const open = all().filter(isOpen);
  const place = all().indexOf(current) + 1;
  setText(find("position"), say("position", { at: place, count: all().length + beyond }));
  setText(find("count"), String(open.length + beyond));
  find("count").hidden = open.length + beyond === 0;
  find("none").hidden = all().length + beyond > 0;
  document.querySelector(".turn").hidden = all().length === 0;
}

function step(by) {
  const articles = all();
  const to = articles[Math.min(articles.length - 1, Math.max(0, articles.indexOf(current) + by))];
  if (to && to !== current) show(to);
}

// --- the clip ---

function cover(article) {
  const cloth = article.querySelector("details");
  if (cloth) cloth.open = false;
  article.querySelector("video")?.pause();
}

function play() {
  const cloth = current?.querySelector("details");
  if (!cloth) return;
  const video = cloth.querySelector("video");
  if (!cloth.open) cloth.open = true; // which begins to play
  else if (video.paused) video.play().catch(() => {});
  else video.pause();
}

function prepare(article) {
  article.querySelector("details")?.addEventListener("toggle", (event) => {
    const video = event.target.querySelector("video");
    if (event.target.open) video.play().catch(() => {});
    else video.pause();
  });
  const [reason, sure, cancel] = ["reason", "sure", "cancel"].map((name) => part(article, name));
  reason.hidden = true;
  sure.hidden = cancel.hidden = false;
  cancel.addEventListener("click", () => stopAsking(article));
  reason.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stopAsking(article);
    if (event.key === "Enter" && event.target.name === "reason") {
      event.preventDefault();
      decide(article, "remove");
    }
  });
  article.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    choose(article, event.submitter);
  });
}

// --- deciding ---

function choose(article, button) {
  if (button?.dataset.key === "r") askReason(article);
  else if (button) decide(article, button.value);
}

function askReason(article) {
  part(article, "reason").hidden = false;
  part(article, "reason").querySelector("input").focus();
}

function stopAsking(article) {
  part(article, "reason").hidden = true;
  article.querySelector('[data-key="r"]').focus();
}

async function decide(article, decision) {
  if (!isOpen(article) || "busy" in article.dataset) return;
  article.dataset.busy = "";
  const reason = decision === "remove" ? article.querySelector("input[name=reason]").value : "";
  const reply = await post(`${at}/decide`, { review: article.dataset.review, decision, reason });
  delete article.dataset.busy;
  tell(reply.sentence, reply.well);
  if (reply.result === "ended") return end(reply.sentence);
  if (!reply.well) return void look(true); // who was faster, and with what
  close(article, reply.sentence);
  if (article === current) next(article);
}

// A review that is decided stays while it is looked at, and says what was decided.
function close(article, sentence) {
  if (!isOpen(article)) return;
  article.dataset.decided = "";
  setText(part(article, "outcome"), sentence);
  article.querySelector("form").hidden = true;
  if (article !== current) article.remove();
  count();
}

function next(article) {
  const articles = all();
  const place = articles.indexOf(article);
  const to = [...articles.slice(place + 1), ...articles.slice(0, place).reverse()].find(isOpen);
  if (to) return show(to);
  article.remove();
  current = null;
  count();
  find("content").focus({ preventScroll: true });
}

function end(sentence) {
  ended = true;
  queue.remove();
  document.querySelector(".queue-top").remove();
  tell(sentence, false);
}

// --- what others do ---

async function look(whole = false) {
  const open = all().filter(isOpen).map((article) => article.dataset.review);
  const asked = new URLSearchParams({ open: open.join(","), ...(whole ? {} : { tag }) });
  const answer = await fetch(`${at}/news?${asked}`).catch(() => null);
  find("away").hidden = Boolean(answer);
  if (!answer || answer.status === 204 || ended) return;
  const told = await answer.json().catch(() => null);
  if (!told) return;
  if (told.ended) return end(told.sentence);
  if (!told.waiting) return;
  tag = told.tag;
  beyond = Math.max(0, told.count - told.waiting.length);
  for (const [id, sentence] of Object.entries(told.decided)) {
    const article = find(`review-${id}`);
    if (!article || !isOpen(article)) continue;
    if (article === current) tell(sentence, false);
    close(article, sentence);
  }
  if (told.waiting.some((id) => !find(`review-${id}`))) await bring(told.waiting);
}

// New reviews, as the server draws them.
async function bring(waiting) {
  const page = await draw().catch(() => null);
  let after = null;
  let isNew = false;
  for (const id of [...waiting].reverse()) {
    let article = find(`review-${id}`);
    const drawn = article ? null : page?.getElementById(`review-${id}`);
    if (drawn) {
      article = document.importNode(drawn, true); // a clip of another document would not be loaded
      article.querySelectorAll("video").forEach((video) => (video.muted = true)); // which a copy forgets
      queue.insertBefore(article, after);
      prepare(article);
      isNew = true;
    }
    if (article) after = article;
  }
  if (!current) show(all()[0] ?? null, false);
  if (isNew) tell(say("news"));
  count();
}

// The page once more, parsed by the browser: nothing of it is run.
function draw() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", at);
    request.responseType = "document";
    request.addEventListener("load", () => (request.status === 200 ? resolve(request.response) : reject(new Error("no page"))));
    request.addEventListener("error", reject);
    request.send();
  });
}

async function follow() {
  if (!document.hidden && !ended) await look((looks += 1) % WHOLE_LOOKS === 0);
  if (!ended) setTimeout(follow, LOOK_MILLISECONDS);
}

// --- keys ---

const KEYS = {
  j: () => step(1),
  n: () => step(1),
  k: () => step(-1),
  " ": play,
  "?": () => find("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea")) return;
  if (event.key === " " && event.target.closest("button, summary, a, video")) return;
  const key = event.shiftKey ? event.key : event.key.toLowerCase(); // whatever Caps Lock says
  const button = current?.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!(key in KEYS) && !(button && isOpen(current))) return;
  event.preventDefault();
  if (key in KEYS) KEYS[key]();
  else if (!event.repeat) choose(current, button); // a key that is held decides one review, not all that follow
});

find("next").addEventListener("click", () => step(1));
find("previous").addEventListener("click", () => step(-1));
find("help").addEventListener("click", () => find("keys").showModal());
setText(find("away"), say("away"));
document.body.classList.add("alive");
all().forEach(prepare);
show(all()[0] ?? null, false);
setTimeout(follow, LOOK_MILLISECONDS);
