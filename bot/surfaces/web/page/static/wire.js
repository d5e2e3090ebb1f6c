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
    return said ?? { result: "unreached", sentence: `Zoetrope answered with an error (${response.status}).`, message: "" };
  } catch {
    return { result: "unreached", sentence: "Zoetrope does not answer; please ask again when it runs.", message: "" };
  }
}

// EventSource reconnects by itself and says which version it has seen; it gives up only on answers that are no stream.
export function listen({ room, message, models, away }) {
  let source;
  const open = () => {
    source = new EventSource("/events");
    source.addEventListener("open", () => away(false));
    source.addEventListener("room", (event) => room(JSON.parse(event.data)));
    source.addEventListener("message", (event) => message(JSON.parse(event.data)));
    source.addEventListener("models", (event) => models(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      away(true);
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 2000);
    });
  };
  open();
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && open());
}
