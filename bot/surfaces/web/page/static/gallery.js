// The gallery: loads the wall a page at a time, keeps it as it is now, and listens to keys.

import { motionUnwelcome } from "./gallery-parts.js";
import { makePictures } from "./gallery-pictures.js";
import { makeViewer } from "./gallery-viewer.js";
import { makeWall } from "./gallery-wall.js";

const LOOK_MILLISECONDS = 3000; // how often an open wall asks what is still there
const TYPING_MILLISECONDS = 200;
const find = (id) => document.getElementById(id);
const first = JSON.parse(find("first").textContent);
const say = first.words;
const input = find("words");

let words = input.value.trim();
let clips = [];
let count = 0;
let isMore = false;
let era = 0; // a search begins a new one: what was asked for in the last one is too late
let isLoading = false;
let isLooking = false;
let tag = "";

const wall = makeWall(find("wall"), { covered: say.covered, open: (clip) => viewer.open(clip), more: loadMore });
const pictures = makePictures(wall.tiles);
wall.use(pictures);
const viewer = makeViewer(find("viewer"), { gone: say.gone, step, closed: (clip) => wall.at(clip) >= 0 && wall.focusAt(wall.at(clip)) });

// --- what is on the wall ---

function take(page) {
  era += 1;
  clips = page.clips;
  isMore = page.more;
  count = page.count;
  tag = "";
  draw();
}

function draw() {
  wall.show(clips, count);
  const number = count.toLocaleString(document.documentElement.lang);
  const sentence = (words ? say.found : say.count).replace("{count}", number);
  if (find("count").textContent !== sentence) find("count").textContent = sentence;
  find("none").hidden = clips.length > 0;
  find("none").textContent = words ? say.nothing : say.none;
}

function drawAway(isAway) {
  find("away").hidden = !isAway;
  find("away").textContent = isAway ? say.away : "";
}

// Resolves to the JSON, or to null where Zoetrope does not answer or nothing has changed.
async function ask(path, parameters, options = {}) {
  const query = new URLSearchParams(Object.entries({ q: words, ...parameters }).filter(([, value]) => value));
  const answer = await fetch(`${path}?${query}`, options).catch(() => null);
  drawAway(!answer || answer.status >= 500);
  if (!answer?.ok) return null;
  const json = await answer.json().catch(() => null);
  return json && { ...json, tag: answer.headers.get("etag") };
}

async function loadMore() {
  if (isLoading || !isMore) return;
  isLoading = true;
  const mine = era;
  const page = await ask("/gallery/clips", { after: clips.at(-1).key });
  isLoading = false;
  if (era !== mine) return;
  if (!page) return void setTimeout(loadMore, LOOK_MILLISECONDS);
  isMore = page.more;
  const known = new Set(clips.map((clip) => clip.id));
  clips = [...clips, ...page.clips.filter((clip) => !known.has(clip.id))];
  draw();
}

async function search(text) {
  words = text.trim();
  const mine = ++era;
  history.replaceState(null, "", words ? `/gallery?${new URLSearchParams({ q: words })}` : "/gallery");
  const page = await ask("/gallery/clips", {});
  if (era !== mine || !page) return;
  scrollTo(0, 0);
  take(page);
}

// What was deleted goes, what is new comes.
async function look() {
  if (document.hidden || isLooking) return;
  isLooking = true;
  const last = clips.at(-1);
  await (last ? lookDownTo(last, era) : lookForFirst(era));
  isLooking = false;
}

async function lookForFirst(mine) {
  const page = await ask("/gallery/clips", {});
  if (page?.clips.length && era === mine) take(page);
}

async function lookDownTo(last, mine) {
  const now = await ask("/gallery/ids", { until: last.key }, { headers: tag ? { "If-None-Match": tag } : {} });
  if (!now || era !== mine) return;
  const known = new Map(clips.map((clip) => [clip.id, clip]));
  const news = now.ids.filter((id) => !known.has(id));
  if (news.length) {
    const page = await ask("/gallery/clips", {});
    if (!page || era !== mine) return;
    if (!page.clips.some((clip) => known.has(clip.id))) return take(page); // asleep for long: begin anew
    for (const clip of page.clips) known.set(clip.id, clip);
  }
  const below = clips.slice(clips.indexOf(last) + 1); // loaded since then
  const after = [...now.ids.map((id) => known.get(id)).filter(Boolean), ...below];
  const kept = new Set(after);
  for (const clip of clips) if (!kept.has(clip)) viewer.lose(clip.id);
  count += after.length - clips.length;
  clips = after;
  tag = now.tag;
  draw();
}

// --- how it is shown ---

function chooseWay(isVideos) {
  pictures.play(isVideos);
  find("videos").setAttribute("aria-pressed", isVideos);
  find("stills").setAttribute("aria-pressed", !isVideos);
}

function keepWay(isVideos) {
  chooseWay(isVideos);
  try {
    localStorage.setItem("zoetrope-gallery", isVideos ? "videos" : "stills");
  } catch {
    // without storage the choice is for this page alone
  }
}

function keptWay() {
  if (motionUnwelcome.matches) return false;
  try {
    return localStorage.getItem("zoetrope-gallery") !== "stills";
  } catch {
    return true;
  }
}

async function showAny() {
  const found = await ask("/gallery/random", {});
  if (found?.clip) viewer.open(found.clip);
}

function step(clip, by) {
  const at = wall.at(clip);
  const next = at < 0 ? undefined : clips[at + by];
  if (next) viewer.open(next);
  if (by > 0 && at + 2 >= clips.length) loadMore();
}

const KEYS = { v: () => keepWay(true), i: () => keepWay(false), r: showAny };
const ARROWS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (event.target === input) {
    if (event.key === "ArrowDown") leaveSearch(event);
    return;
  }
  if (ARROWS.has(event.key)) return arrow(event);
  const act = KEYS[event.key.toLowerCase()];
  if (act) act();
});

function leaveSearch(event) {
  event.preventDefault();
  wall.focusAt(0);
}

function arrow(event) {
  if (event.target instanceof HTMLVideoElement) return; // there they seek
  event.preventDefault();
  if (!viewer.isOpen()) return wall.move(event.key);
  viewer.step({ ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key]);
}

let typing = 0;
input.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => search(input.value), TYPING_MILLISECONDS);
});
find("search").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  search(input.value);
});
find("videos").addEventListener("click", () => keepWay(true));
find("stills").addEventListener("click", () => keepWay(false));
find("random").addEventListener("click", showAny);
motionUnwelcome.addEventListener("change", () => chooseWay(keptWay()));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  look();
  pictures.load();
});
setInterval(look, LOOK_MILLISECONDS);

wall.begin();
take(first);
chooseWay(keptWay());
