// The cards on the page, newest first.

import { makeCard } from "./card.js";

const MOST = 60; // cards kept on the page; older ones leave it

export function makeRoom(place, empty, press, announce, remind) {
  const cards = new Map(); // by message id: {card, draw, last}

  function draw(message, isNews) {
    if (message.deleted) return remove(message.id);
    let known = cards.get(message.id);
    if (!known) {
      known = { ...makeCard(message.id, press), at: message.at, last: null };
      cards.set(message.id, known);
      const older = [...cards.values()].filter((other) => other !== known && other.at <= known.at);
      const next = older.sort((a, b) => b.at - a.at)[0];
      place.insertBefore(known.card, next ? next.card : null);
    }
    if (isNews && known.last?.tone !== message.tone) announce(`${message.title}: ${message.status}`);
    if (isNews && message.note && known.last?.note !== message.note) remind(message.note);
    known.last = message;
    known.draw(message);
  }

  function remove(id) {
    cards.get(id)?.card.remove();
    cards.delete(id);
  }

  function tidy() {
    const oldest = [...cards.entries()].sort(([, a], [, b]) => a.at - b.at);
    for (const [id] of oldest.slice(0, Math.max(0, cards.size - MOST))) remove(id);
    empty.hidden = cards.size > 0;
    place.removeAttribute("aria-busy");
  }

  return {
    all(messages) {
      const there = new Set(messages.map((message) => message.id));
      for (const id of [...cards.keys()]) if (!there.has(id)) remove(id);
      for (const message of messages) draw(message, false);
      tidy();
    },
    one(message) {
      draw(message, true);
      tidy();
    },
  };
}
