// What goes to the server and what comes from it.

import { say } from "./words.js";

const token = document.querySelector('meta[name="zoetrope-token"]').content;

// Resolves to {result, sentence, well, message, card, job, prompt, go}. The id makes a post that was sent twice act once.
export async function post(path, fields) {
  const id = crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Zoetrope-Token": token },
      body: JSON.stringify({ ...fields, id }),
    });
    if (response.status === 401) location.reload();
    const said = await response.json().catch(() => null);
    return said ?? { result: "unreached", sentence: say("error", { status: response.status }) };
  } catch {
    return { result: "unreached", sentence: say("unreached") };
  }
}

// What could be typed: [{value, about}], empty where nobody answers.
export async function suggestions(kind, start) {
  try {
    const response = await fetch(`/suggestions?${new URLSearchParams({ kind, start })}`);
    return response.ok ? await response.json() : [];
  } catch {
    return [];
  }
}

const UNSEEN_MILLISECONDS = 60 * 1000;
const SILENT_MILLISECONDS = 40 * 1000; // the server says something every 15 seconds
const LOOK_MILLISECONDS = 5 * 1000;

// EventSource reconnects by itself and says which version it has seen; it gives up only on answers that are no stream,
// and does not notice a connection that died while the machine slept: silence does.
// A browser opens six connections to one server at most, so a tab that nobody looks at, and that waits for nothing, lets
// go of its own after a while; it gets the whole room when somebody looks again.
export function listen({ room, message, models, away, isWaiting }) {
  let source = null;
  let heard = Date.now();
  let unseenSince = 0;

  function open() {
    source?.close();
    source = new EventSource("/events");
    heard = Date.now();
    on("open", () => away(false));
    on("room", room);
    on("message", message);
    on("models", models);
    on("still", () => {});
    source.addEventListener("error", lost);
  }

  function on(kind, act) {
    source.addEventListener(kind, (event) => {
      heard = Date.now();
      act(kind === "open" || kind === "still" ? null : JSON.parse(event.data));
    });
  }

  async function lost() {
    away(true);
    if (source?.readyState !== EventSource.CLOSED) return;
    const door = await fetch("/suggestions?kind=models").catch(() => null);
    if (door?.status === 401) location.reload();
    else setTimeout(open, 2000);
  }

  function close() {
    source?.close();
    source = null;
  }

  setInterval(() => {
    if (source?.readyState === EventSource.OPEN && Date.now() - heard > SILENT_MILLISECONDS) open();
    const unseen = document.hidden && unseenSince && Date.now() - unseenSince > UNSEEN_MILLISECONDS;
    if (source && unseen && !isWaiting()) close();
  }, LOOK_MILLISECONDS);
  document.addEventListener("visibilitychange", () => {
    unseenSince = document.hidden ? Date.now() : 0;
    if (!document.hidden && !source) open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
