// Everything a crew does is written down on the phone first, with its own name and time, and sent from there: in order
// for each ticket, as often as it takes. The server applies each name once.
import { Offline, Problem, post, postBytes, refresh } from "/static/common/api.js";
import { now, page } from "/static/common/page.js";
import { uuid } from "/static/common/uuid.js";
import * as db from "./db.js";

const SLOWEST_MS = 60_000;
const TRUST_MS = 30_000;
const STEP_MS = 20_000;
const PHOTO_MS = 120_000;
const told = new BroadcastChannel("crew-queue");
const listeners = new Set();
let failures = 0;
let timer = null;
let isSignedOut = false;
let checkedAt = 0;

/** Hear of every change of the queue, here or in another tab; `run({ticket})` has the ticket that was answered. */
export function onChange(run) {
  listeners.add(run);
}

function changed(news = {}) {
  told.postMessage(news);
  for (const run of listeners) run(news);
}
told.onmessage = ({ data }) => listeners.forEach((run) => run(data));

/**
 * Write down what was done; it counts once this resolves, and is sent as soon as that is possible.
 * @param {{number: string, kind: "verb"|"request"|"photo", verb?: string, body?: object, stage?: string, photo?: Blob}} item
 */
export async function enqueue(item) {
  const whole = { uuid: uuid(), user: page.user.id, device_at: new Date(now()).toISOString(), state: "waiting", ...item };
  await db.write(({ queue }) => { queue.add(whole); });
  changed();
  send();
}

/** What waits for this person. */
export async function items() {
  return (await db.waiting()).filter((item) => item.user === page.user.id);
}

/** How much somebody else left on this phone; it waits for them. */
export async function leftByOthers() {
  return (await db.waiting()).filter((item) => item.user !== page.user.id).length;
}

/** Take a refused item out, or let it be tried again. */
export async function settle(item, { isRetry }) {
  await db.write(({ queue }) => { isRetry ? queue.put({ ...item, state: "waiting", problem: null }) : queue.delete(item.seq); });
  changed();
  send();
}

/** Send what waits, now; one tab of a browser sends. */
export function send() {
  clearTimeout(timer);
  if (!navigator.locks) return drain();
  return navigator.locks.request("crew-queue", { ifAvailable: true }, (lock) => (lock ? drain() : later(2_000)));
}

function later(ms) {
  clearTimeout(timer);
  timer = setTimeout(send, ms);
}

async function drain() {
  if (!(await isStillMe())) return;
  for (let item = await next(); item; item = await next()) {
    try {
      const answer = await within(item.kind === "photo" ? PHOTO_MS : STEP_MS, sendOne(item));
      failures = 0;
      isSignedOut = false;
      await db.write(({ queue }) => { queue.delete(item.seq); });
      changed({ answer: item.kind === "verb" ? answer : null });
    } catch (error) {
      if (!(await refused(item, error))) return;
    }
  }
}

/** Whoever signed in meanwhile, in another tab, does not sign for what this person did. */
async function isStillMe() {
  if (Date.now() - checkedAt < TRUST_MS || !(await next())) return true;
  try {
    const { user } = await within(STEP_MS, refresh());
    checkedAt = Date.now();
    if (user.id !== page.user.id) location.reload();
    return user.id === page.user.id;
  } catch (error) {
    await waitAfter(error);
    return false;
  }
}

/** Return the first item that may be sent: nothing overtakes a refused step of its ticket. A refused photo stops nothing. */
async function next() {
  const blocked = new Set();
  for (const item of await items()) {
    if (item.state === "waiting" && !blocked.has(item.number)) return item;
    if (item.kind !== "photo") blocked.add(item.number);
  }
  return null;
}

/** An answer that does not come must not keep the rest waiting; the repetition does no harm. */
export function within(ms, answer) {
  return Promise.race([answer, new Promise((_, reject) => setTimeout(() => reject(new Offline()), ms))]);
}

function sendOne(item) {
  const path = `/tickets/${item.number}`;
  if (item.kind === "photo") {
    const query = new URLSearchParams({ uuid: item.uuid, stage: item.stage, taken_at: item.device_at });
    return postBytes(`${path}/photos?${query}`, item.photo, { "Content-Type": item.photo.type || "image/jpeg" });
  }
  const place = item.kind === "request" ? "requests" : item.verb;
  return post(`${path}/${place}`, { ...item.body, device_at: item.device_at }, { key: item.uuid });
}

/** Keep the item and say whether others may go on: not where the server was not reached, is unwell, or asks who it is. */
async function refused(item, error) {
  const isFinal = error instanceof Problem && error.status >= 400 && error.status < 500 && ![401, 408, 429].includes(error.status);
  if (!isFinal) {
    await waitAfter(error);
    return false;
  }
  const problem = { status: error.status, code: error.code, message: error.message, current: error.ticket?.status ?? error.current_status ?? null };
  await db.write(({ queue }) => { queue.put({ ...item, state: "refused", problem }); });
  changed();
  return true;
}

function waitAfter(error) {
  if (!(error instanceof Problem) && !(error instanceof Offline)) console.warn(error);
  isSignedOut = error.status === 401;
  checkedAt = 0;
  failures = Math.min(failures + 1, 6);
  const wait_ms = Math.min(SLOWEST_MS, 1000 * 2 ** failures) * (0.75 + Math.random() / 4);
  later(Math.max((error.retryAfter_s ?? 0) * 1000, wait_ms));
  changed();
}

/** Whether the last attempt found nobody signed in. */
export const signedOut = () => isSignedOut;

for (const name of ["online", "focus", "pageshow"]) window.addEventListener(name, () => send());
document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
