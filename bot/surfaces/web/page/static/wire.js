// What goes to the server and what comes from it.

const token = document.querySelector('meta[name="zoetrope-token"]').content;

// Resolves to {result, sentence, message}. The id makes a post that was sent twice act once.
export async function post(path, fields) {
  const id = crypto.randomUUID();
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Zoetrope-Token": token },
      body: JSON.stringify({ ...fields, id }),
    });
    const said = await response.json().catch(() => null);
    return said ?? { result: "unreached", sentence: `Zoetrope answered with an error (${response.status}); please reload the page and ask again.`, message: "" };
  } catch {
    return { result: "unreached", sentence: "Zoetrope does not answer; please ask again when it runs.", message: "" };
  }
}

const UNSEEN_MILLISECONDS = 5 * 60 * 1000;

// EventSource reconnects by itself and says which version it has seen; it gives up only on answers that are no stream.
// A browser opens six connections to one server at most, so a tab nobody looks at lets go of its own after a while; it
// gets the whole room when somebody looks again.
export function listen({ room, message, models, away }) {
  let source = null;
  let timer = 0;

  function open() {
    source?.close();
    source = new EventSource("/events");
    source.addEventListener("open", () => away(false));
    source.addEventListener("room", (event) => room(JSON.parse(event.data)));
    source.addEventListener("message", (event) => message(JSON.parse(event.data)));
    source.addEventListener("models", (event) => models(JSON.parse(event.data)));
    source.addEventListener("error", lost);
  }

  function lost() {
    away(true);
    if (source?.readyState === EventSource.CLOSED) setTimeout(open, 2000);
  }

  function close() {
    source?.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(close, UNSEEN_MILLISECONDS);
    else if (!source) open();
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
