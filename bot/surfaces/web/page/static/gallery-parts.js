// What the wall's viewer and a clip's own page have in common.

import { el } from "./dom.js";

export const motionUnwelcome = matchMedia("(prefers-reduced-motion: reduce)");

// A moment as people here write it.
export function localTime(iso) {
  return new Date(iso).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}

export function drawFacts(facts) {
  return facts.flatMap(({ label, value, time, link }) => [
    el("dt", {}, label),
    el("dd", {}, link ? el("a", { href: link }, value) : time ? el("time", { datetime: time }, localTime(time)) : value),
  ]);
}

// A property that says muted is what browsers look at before they let anything play.
export function start(video) {
  video.muted = true;
  if (!motionUnwelcome.matches) video.play().catch(() => {}); // it has controls of its own
}

export function makeVideo({ video, still, width, height, title, crisp }, attributes) {
  return el("video", {
    src: video, width, height, loop: true, muted: true, controls: true, playsinline: true,
    "aria-label": title, "data-crisp": crisp, poster: attributes.preload === "auto" && still, ...attributes,
  });
}

// Covered clips load nothing until somebody wants to see them.
export function makeScreen(clip, cover) {
  if (!clip.covered) {
    const video = makeVideo(clip, { preload: "auto" });
    start(video);
    return video;
  }
  const cloth = el("details", { class: "cover" }, el("summary", {}, cover), makeVideo(clip, { preload: "none" }));
  beginWhenUncovered(cloth);
  return cloth;
}

export function beginWhenUncovered(cloth) {
  const video = cloth.querySelector("video");
  cloth.addEventListener("toggle", () => {
    if (!cloth.open) return video.pause();
    video.preload = "auto";
    start(video);
    video.focus();
  });
}
