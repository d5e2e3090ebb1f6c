// The cards on the page, newest last: those of the room, and those that this browser alone is shown.

import { makeCard } from "./card.js";
import { now, say } from "./words.js";

const MOST = 80; // cards kept on the page; older ones leave it
const ANSWERED = new Set(["confirmed", "dismissed", "decided", "decided already", "unknown"]);
const me = document.body.dataset.me;

// `press(token)` and `dismiss(id)` send; `announce` is read out, `remind` also marks the tab.
export function makeRoom(place, { press, dismiss, announce, remind, changed, leave }) {
  const cards = new Map(); // by message id: {card, draw, tick, at, last, isPrivate}
  let count = 0;

  function add(id, at, isPrivate) {
    const put = isPrivate ? () => remove(id) : () => dismiss(id);
    const ask = isPrivate ? (token, reason) => settle(known, token, reason) : press;
    const known = { ...makeCard(id, { press: ask, dismiss: put, isPrivate }), at, isPrivate, last: null };
    cards.set(id, known);
    const newer = [...cards.values()].filter((other) => other !== known && other.at > at).sort((a, b) => a.at - b.at)[0];
    place.insertBefore(known.card, newer ? newer.card : null);
    return known;
  }

  // A question for this browser alone that is answered says what came of it, and asks no more.
  async function settle(known, token, reason) {
    const told = await press(token, reason);
    if (!ANSWERED.has(told.result)) return told;
    const tone = told.well ? "plain" : "bad";
    known.last = { ...known.last, title: say("house"), status: told.whole, tone, facts: [], buttons: [] };
    known.draw(known.last);
    announce(told.whole);
    return {};
  }

  function draw(message, isNews) {
    if (message.deleted) return remove(message.id);
    const known = cards.get(message.id) ?? add(message.id, message.at, false);
    if (isNews && known.last?.tone !== message.tone) announce(`${message.title}: ${message.status}`);
    if (isNews && message.note && known.last?.note !== message.note && message.by === me) remind(message.note);
    known.last = message;
    known.draw(message);
  }

  // Who was on a card that goes is put on the next one.
  function remove(id) {
    const known = cards.get(id);
    if (!known) return;
    const focused = known.card.contains(document.activeElement);
    const next = known.card.nextElementSibling ?? known.card.previousElementSibling;
    known.card.remove();
    cards.delete(id);
    if (focused) (next ?? leave()).focus();
    changed(cards.size);
  }

  function tidy() {
    const oldest = [...cards.entries()].sort(([, a], [, b]) => a.at - b.at);
    for (const [id] of oldest.slice(0, Math.max(0, cards.size - MOST))) remove(id);
    place.removeAttribute("aria-busy");
    changed(cards.size);
  }

  return {
    all(messages) {
      const there = new Set(messages.map((message) => message.id));
      for (const [id, known] of [...cards]) if (!known.isPrivate && !there.has(id)) remove(id);
      for (const message of messages) draw(message, false);
      tidy();
    },
    one(message) {
      draw(message, true);
      tidy();
    },
    private(card) {
      const id = `private-${(count += 1)}`;
      const at = Math.max(now(), ...[...cards.values()].map((known) => known.at));
      const known = add(id, at, true);
      known.last = { ...card, id, at };
      known.draw(known.last);
      announce(`${card.title}: ${card.status}`);
      tidy();
    },
    tick() {
      for (const known of cards.values()) known.tick();
    },
    // Whether somebody here waits for a clip.
    isWaiting: () => [...cards.values()].some(({ last }) => last?.tone === "busy" && last.by === me),
  };
}
