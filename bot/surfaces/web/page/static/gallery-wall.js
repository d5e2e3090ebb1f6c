// The wall: as many tiles in the document as are near the screen, whatever its length; they are used again and again.

import { el, setText } from "./dom.js";

const GAP = 12; // pixels between tiles
const CAPTION = 30; // pixels below a picture, as in the stylesheet
const WIDTHS = { phone: 150, desk: 210 }; // a tile is at least that wide
const NEAR = 0.75; // screens above and below that hold tiles too

export function makeWall(place, { covered, open, more }) {
  let clips = [];
  let count = 0;
  let columns = 1;
  let side = 0;
  let row = 0;
  let current = 0; // the one tile that Tab reaches
  const shown = new Map(); // by clip id
  const spare = [];
  let pictures = null;

  function makeTile() {
    const well = el("span", { class: "well" });
    const words = el("span", { class: "words", dir: "auto" });
    const link = el("a", {}, well, words);
    const node = el("li", { class: "tile" }, link);
    const tile = { node, link, well, clip: null, pictures: {}, onScreen: false };
    tile.drop = (kind) => {
      const picture = tile.pictures[kind];
      if (!picture) return;
      delete tile.pictures[kind];
      picture.image.remove();
      if (picture.pending) picture.image.src = ""; // gives the request up
    };
    tile.carry = (clip) => {
      tile.clip = clip;
      link.href = `/gallery/${clip.id}`;
      setText(words, clip.title);
      node.classList.toggle("crisp", clip.crisp);
      well.replaceChildren(...(clip.covered ? [el("span", { class: "covered" }, covered)] : []));
    };
    node.tile = tile;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      open(tile.clip);
    });
    link.addEventListener("focus", () => setCurrent(clips.indexOf(tile.clip)));
    pictures.watch(tile);
    return tile;
  }

  function release(tile) {
    tile.drop("moving");
    tile.drop("still");
    tile.onScreen = false;
    tile.node.remove();
    shown.delete(tile.clip.id);
    spare.push(tile);
  }

  function measure() {
    const width = place.clientWidth;
    const least = width < 600 ? WIDTHS.phone : WIDTHS.desk;
    columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
    side = (width - GAP * (columns - 1)) / columns;
    row = Math.round(side) + CAPTION + GAP;
    place.style.setProperty("--side", `${side}px`);
  }

  // The indexes to show, in order: what is near, and what has the focus, which must not be lost.
  function near() {
    const top = -place.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor((top - NEAR * innerHeight) / row) * columns);
    const last = Math.min(clips.length, Math.ceil((top + (1 + NEAR) * innerHeight) / row) * columns);
    const indexes = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
    const focused = clips.indexOf(document.activeElement?.closest?.(".tile")?.tile.clip);
    if (focused >= 0 && focused < first) indexes.unshift(focused);
    if (focused >= last) indexes.push(focused);
    return indexes;
  }

  function draw() {
    place.style.height = `${Math.ceil(clips.length / columns) * row}px`;
    const indexes = near();
    const wanted = new Set(indexes.map((index) => clips[index].id));
    for (const tile of [...shown.values()]) if (!wanted.has(tile.clip.id)) release(tile);
    let after = null;
    for (const index of indexes.reverse()) after = put(index, after);
    pictures.load();
    if (indexes[0] >= clips.length - 4 * columns) more();
  }

  // Tiles that are there keep their place in the document: moving one would take the focus from it.
  function put(index, after) {
    const clip = clips[index];
    let tile = shown.get(clip.id);
    if (!tile) {
      tile = spare.pop() ?? makeTile();
      tile.carry(clip);
      shown.set(clip.id, tile);
      place.insertBefore(tile.node, after);
    }
    const across = (index % columns) * (side + GAP);
    tile.node.style.transform = `translate(${across}px, ${Math.floor(index / columns) * row}px)`;
    tile.node.setAttribute("aria-setsize", Math.max(count, clips.length));
    tile.node.setAttribute("aria-posinset", index + 1);
    tile.link.tabIndex = index === current ? 0 : -1;
    return tile.node;
  }

  function setCurrent(index) {
    if (index < 0 || index === current) return;
    shown.get(clips[current]?.id)?.link.setAttribute("tabindex", "-1");
    current = index;
    shown.get(clips[current]?.id)?.link.setAttribute("tabindex", "0");
  }

  let asked = false;
  function drawSoon() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  }

  function atTop() {
    const first = Math.floor(-place.getBoundingClientRect().top / row);
    return Math.max(0, Math.min(clips.length - 1, (first + 1) * columns));
  }

  function focusAt(index) {
    if (!clips.length) return;
    const to = Math.max(0, Math.min(clips.length - 1, index));
    const top = place.getBoundingClientRect().top + Math.floor(to / columns) * row;
    const under = parseFloat(getComputedStyle(place).scrollMarginTop) || 0; // the header covers that much
    if (top < under) scrollBy(0, top - under);
    else if (top + row > innerHeight) scrollBy(0, top + row - innerHeight);
    draw();
    setCurrent(to);
    shown.get(clips[to].id)?.link.focus({ preventScroll: true });
  }

  // What comes or goes above does not move what somebody looks at.
  function show(all, total) {
    const anchor = scrollY > 0 ? clips[atTop()] : null;
    const before = anchor ? Math.floor(clips.indexOf(anchor) / columns) : 0;
    const known = new Map(all.map((clip, at) => [clip.id, at]));
    const held = clips[current]?.id;
    clips = all;
    count = total;
    current = known.get(held) ?? Math.min(current, Math.max(0, all.length - 1));
    draw();
    const now = anchor ? known.get(anchor.id) : undefined;
    if (now !== undefined) scrollBy(0, (Math.floor(now / columns) - before) * row);
  }

  new ResizeObserver(() => {
    measure();
    drawSoon();
  }).observe(place);
  addEventListener("scroll", drawSoon, { passive: true });

  return {
    show,
    use: (made) => (pictures = made),
    tiles: () => [...shown.values()],
    begin: measure,
    focusAt,
    at: (clip) => clips.findIndex((other) => other.id === clip.id),
    move(key) {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[key];
      const focused = document.activeElement?.closest?.(".tile");
      focusAt(focused ? current + step : atTop() - (scrollY > 0 ? 0 : columns));
    },
  };
}
