// The list of what can be typed next: a combobox of the ARIA pattern. The focus stays in the input.

import { el } from "./dom.js";
import { say } from "./words.js";

export function makeChoices(input, list, { choose, announce }) {
  let items = [];
  let active = -1;

  function show(found, first) {
    items = found;
    list.replaceChildren(...items.map(makeItem));
    list.hidden = !items.length;
    input.setAttribute("aria-expanded", String(Boolean(items.length)));
    point(first && items.length ? 0 : -1);
    if (items.length) announce(say("found", { count: items.length }));
  }

  function makeItem(item, at) {
    const parts = [el("b", { dir: "auto" }, item.value), item.about && el("span", {}, item.about), item.side && el("small", {}, item.side)];
    const line = el("li", { role: "option", id: `choice-${at}`, "aria-selected": "false" }, ...parts.filter(Boolean));
    line.addEventListener("mousedown", (event) => event.preventDefault());
    line.addEventListener("click", () => take(at));
    return line;
  }

  function point(at) {
    active = at;
    [...list.children].forEach((line, index) => line.setAttribute("aria-selected", String(index === at)));
    if (at < 0) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", `choice-${at}`);
    list.children[at].scrollIntoView({ block: "nearest" });
  }

  function take(at) {
    const item = items[at];
    hide();
    choose(item);
  }

  function hide() {
    if (!list.hidden) show([], false);
  }

  return {
    show,
    hide,
    // What was pointed at may not be what is meant by now.
    loosen: () => point(-1),
    // Whether the key was for the list.
    key(name) {
      if (list.hidden) return false;
      const step = { ArrowDown: 1, ArrowUp: -1 }[name];
      if (step) point((active + step + items.length + (active < 0 && step < 0 ? 1 : 0)) % items.length);
      else if ((name === "Enter" || name === "Tab") && active >= 0) take(active);
      else if (name === "Escape") hide();
      else return false;
      return true;
    },
  };
}
