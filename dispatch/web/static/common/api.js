// The API of this server, spoken as the signed-in person.
import { isAway } from "./attention.js";
import { page, setNow, t, tOr } from "./page.js";

/** An answer that is a problem (RFC 9457): `status`, `code`, `message` in words, and the members of the document. */
export class Problem extends Error {
  constructor(document, response) {
    super(document.detail || document.title || t("common.went_wrong"));
    Object.assign(this, document);
    this.retryAfter_s = Number(response.headers.get("Retry-After")) || null;
  }
}

/** The server was not reached: nothing is known of what it did. */
export class Offline extends Error {
  constructor() {
    super(t("common.offline"));
  }
}

/** For `catch` where the screen tells already that the server refuses or is away: an error of our own goes on. */
export function mayFail(problem) {
  if (!(problem instanceof Problem || problem instanceof Offline)) throw problem;
}

const BASE = "/api/v1";
// What has not been answered to its end by then counts as not reached; bytes may take their time to go up.
const PATIENCE_MS = 15_000;
const PATIENCE_BYTES_MS = 120_000;
let csrf = page.csrf;

export function get(path, query = {}) {
  const told = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = new URLSearchParams(told).toString();
  return send("GET", path + (search ? `?${search}` : ""));
}

/** @param {{key?: string}} options `key` makes a repetition harmless */
export function post(path, body = {}, { key } = {}) {
  return send("POST", path, JSON.stringify(body), { "Content-Type": "application/json", ...(key && { "Idempotency-Key": key }) });
}

/** Take something back. */
export function remove(path, body = {}) {
  return send("DELETE", path, JSON.stringify(body), { "Content-Type": "application/json" });
}

/** Send bytes, such as a photo. */
export function postBytes(path, bytes, headers = {}) {
  return send("POST", path, bytes, headers);
}

async function send(method, path, body, headers = {}, isRetry = false) {
  const { response, text } = await reach(path, { method, body, headers: { Accept: "application/json", "X-CSRFToken": csrf, ...(isAway() && { "X-Unattended": "1" }), ...headers } });
  if (response.status === 204) return null;
  const answer = read(text);
  if (response.ok && answer === null) throw new Offline(); // somebody else answered: a portal, a gateway
  if (response.ok) return answer;
  const document = answer ?? { status: response.status };
  if (document.code === "csrf" && !isRetry) {
    await refresh();
    return send(method, path, body, headers, true);
  }
  const problem = new Problem({ ...document, detail: inWords(document) }, response);
  if (problem.status === 401) window.dispatchEvent(new CustomEvent("signed-out"));
  throw problem;
}

/** Return what a problem says: in Chinese its own sentence, else that of the catalogue, as catalogue.py finds it. */
export function inWords(document) {
  const { code, field } = document;
  const names = [`error.${code}:${field}`, `error.${code}${field ? ":field" : ""}`, `error.${code}`];
  const name = names.find((one) => tOr(one, null));
  return name ? t(name, document) : document.detail;
}

async function reach(path, options) {
  const late = new AbortController();
  const isBytes = options.body !== undefined && typeof options.body !== "string";
  const timer = setTimeout(() => late.abort(), isBytes ? PATIENCE_BYTES_MS : PATIENCE_MS);
  try {
    const response = await fetch(BASE + path, { credentials: "same-origin", signal: late.signal, ...options });
    return { response, text: await response.text() };
  } catch {
    throw new Offline();
  } finally {
    clearTimeout(timer);
  }
}

/** Return the JSON, or null where it is none: a gateway speaks HTML. */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Ask who is signed in, and take over the token for unsafe requests and the server's time. */
export async function refresh() {
  const session = await send("GET", "/session", undefined, {}, true);
  csrf = session.csrf_token;
  setNow(session.server_time);
  return session;
}
