// The picture of a card: waiting, preview, clip. A clip can be stopped, starts stopped where motion is unwelcome, and
// stays covered until somebody touches it where its card says so.

import { el } from "./dom.js";
import { say } from "./words.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

export function makeScreen() {
  const figure = el("figure", { class: "screen" });
  let shown = ""; // what is on the screen: "waiting", "preview", "cover", or a clip's address
  let wanted = ""; // the address that is being loaded, or is there
  let uncovered = false;

  function show(key, className, ...children) {
    shown = key;
    figure.className = `screen ${className}`;
    figure.replaceChildren(...children);
  }

  // A preview that was there stays until something better comes.
  function wait() {
    if (!["waiting", "preview"].includes(shown)) show("waiting", "waiting", el("div", { class: "drum" }));
  }

  // The next preview takes the place of the last one when it is loaded, so that nothing flickers.
  function preview(address, covered) {
    if (covered && !uncovered) return cover(() => preview(address, false));
    wait();
    if (wanted === address) return;
    wanted = address;
    const image = el("img", { alt: say("preview") });
    image.addEventListener("load", () => wanted === address && show("preview", "", image));
    image.src = address;
  }

  function clip(media, title, covered) {
    if (covered && !uncovered) return cover(() => clip(media, title, false));
    if (shown === media.src) return;
    wanted = media.src;
    const smooth = media.width >= 400 ? "smooth" : "";
    const size = { width: media.width, height: media.height };
    const picture =
      media.format === "mp4"
        ? el("video", { ...size, src: media.src, loop: true, muted: true, playsinline: true, "aria-label": title })
        : el("img", { ...size, src: media.src, alt: title });
    show(media.src, smooth, picture, pauseButton(picture));
  }

  function cover(reveal) {
    if (shown === "cover") figure.firstChild.onclick = null;
    const button = shown === "cover" ? figure.firstChild : el("button", { type: "button", class: "cover" }, say("uncover"));
    button.onclick = () => {
      uncovered = true;
      const focused = document.activeElement === button;
      reveal();
      if (focused) figure.querySelector("button")?.focus();
    };
    if (shown !== "cover") show("cover", "waiting", button);
  }

  function pauseButton(picture) {
    const button = el("button", { type: "button", class: "pause" });
    const canvas = el("canvas", { width: picture.getAttribute("width"), height: picture.getAttribute("height"), hidden: true });
    const set = (paused) => {
      figure.classList.toggle("paused", paused);
      button.textContent = paused ? "▶" : "❚❚";
      button.setAttribute("aria-label", say(paused ? "play" : "pause"));
      if (picture.tagName === "VIDEO") return paused ? picture.pause() : void picture.play().catch(() => set(true));
      if (paused) canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.hidden = !paused;
      picture.hidden = paused;
    };
    button.setAttribute("aria-label", say("pause"));
    button.addEventListener("click", () => set(!figure.classList.contains("paused")));
    const ready = picture.tagName === "VIDEO" ? "loadeddata" : "load";
    picture.addEventListener(ready, () => {
      if (picture.tagName !== "VIDEO") picture.after(canvas);
      set(still.matches);
    }, { once: true });
    return button;
  }

  return { figure, wait, preview, clip };
}
