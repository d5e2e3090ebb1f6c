// What the page says, in the language it was served in.

const words = JSON.parse(document.body.dataset.words);

export function say(name, values = {}) {
  return words[name].replace(/\{(\w+)\}/g, (_, place) => String(values[place] ?? ""));
}

// "8 s", "1 min 20 s", "2 h 5 min": rounded up, so that nobody comes too early.
export function duration(seconds) {
  const left = Math.max(1, Math.ceil(seconds));
  const [hours, minutes, rest] = [Math.floor(left / 3600), Math.floor((left % 3600) / 60), left % 60];
  if (hours) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
  if (minutes) return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
  return `${rest} s`;
}

// Seconds since the epoch by the server's clock, whatever this machine's says.
const ahead = Number(document.body.dataset.now) - Date.now() / 1000;

export function now() {
  return Date.now() / 1000 + ahead;
}

export function clock(at) {
  const moment = new Date(at * 1000);
  const today = moment.toDateString() === new Date().toDateString();
  const shape = { hour: "2-digit", minute: "2-digit", ...(today ? {} : { day: "numeric", month: "short" }) };
  return moment.toLocaleString(document.documentElement.lang, shape);
}
