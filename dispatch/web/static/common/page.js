// What the server told this page, and its words.
const read = (id) => JSON.parse(document.getElementById(id).textContent);

export const page = read("page");
const words = read("words");

/** Return a word of the catalogue with its {places} filled; a missing one is an error, not an empty screen. */
export function t(name, values = {}) {
  const word = words[name];
  if (word === undefined) throw new Error(`no word ${name}`);
  return word.replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");
}

/** Return the word, or `otherwise` where the catalogue has none: for codes that come from the policy. */
export function tOr(name, otherwise) {
  return words[name] ?? otherwise;
}

/** Return what the server says in Chinese, or in the words of another language where the page has them. */
export const inWords = (name, chinese, values) => (name in words ? t(name, values) : chinese);

// The server's clock: this machine's may be wrong by an hour.
let ahead_ms = Date.parse(page.now) - Date.now();

/** Take over the server's time (ISO 8601) as it was told just now. */
export function setNow(iso) {
  ahead_ms = Date.parse(iso) - Date.now();
}

/** Return the server's time in milliseconds. */
export function now() {
  return Date.now() + ahead_ms;
}
