// One clip above the wall, with its facts. Its address is the one of the clip's own page, so Back closes it.

import { el } from "./dom.js";
import { drawFacts, makeScreen } from "./gallery-parts.js";

export function makeViewer(dialog, { gone, step, closed }) {
  const parts = Object.fromEntries([...dialog.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
  const cover = parts.screen.dataset.cover;
  let clip = null;
  let wall = ""; // the address to go back to

  // What the tile knew is there at once, the rest follows.
  async function open(wanted) {
    if (!clip) wall = location.pathname + location.search;
    const address = `/gallery/${wanted.id}`;
    if (clip) history.replaceState({ viewer: true }, "", address);
    else history.pushState({ viewer: true }, "", address);
    clip = wanted;
    drawTitle(wanted);
    if (!dialog.open) dialog.showModal();
    const answer = await fetch(`${address}/facts`).catch(() => null);
    const seen = answer?.ok ? await answer.json().catch(() => null) : null;
    if (clip?.id !== wanted.id) return;
    if (seen) draw(seen);
    else if (answer?.status === 404) lose(wanted.id);
  }

  function drawTitle({ title }) {
    parts.title.textContent = title;
    parts.screen.replaceChildren();
    parts.facts.replaceChildren();
    parts.files.replaceChildren();
    parts.mark.textContent = "";
    for (const part of [parts.again, parts.page]) part.removeAttribute("href");
    dialog.scrollTop = 0;
  }

  function draw(seen) {
    parts.title.textContent = seen.title;
    parts.mark.textContent = seen.mark;
    parts.screen.replaceChildren(makeScreen(seen, cover));
    parts.facts.replaceChildren(...drawFacts(seen.facts));
    parts.again.href = seen.again;
    parts.page.href = seen.page;
    parts.files.replaceChildren(...seen.files.flatMap(({ name, link }) => [el("a", { href: link, download: true }, name), " "]));
  }

  // It was deleted while somebody looked at it.
  function lose(id) {
    if (clip?.id !== id) return;
    drawTitle({ title: gone });
  }

  function leave() {
    if (!clip) return;
    const last = clip;
    clip = null;
    parts.screen.replaceChildren();
    closed(last);
  }

  dialog.addEventListener("close", () => {
    if (!clip) return;
    leave();
    if (history.state?.viewer) history.back();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  addEventListener("popstate", () => {
    if (!clip) return void (history.state?.viewer && location.reload()); // forward again: the clip's own page is there
    leave();
    dialog.close();
  });
  parts.close.addEventListener("click", () => dialog.close());
  parts.newer.addEventListener("click", () => step(clip, -1));
  parts.older.addEventListener("click", () => step(clip, 1));

  return { open, lose, isOpen: () => Boolean(clip), step: (by) => step(clip, by), address: () => wall };
}
