// Look-ups that did not come: the screen says that they are missing, and does not take it for an answer. They are asked
// again after a while, and as soon as the server is heard again.
import { Offline, mayFail } from "/static/common/api.js";

const AGAIN_MS = 5_000;
const TOO_MANY = 429;
const waiting = new Map();
let timer = null;

/**
 * Whether a look-up was missed: the server is away or unwell. Then `again` is run later, once for each `name`; it asks
 * for what is wanted by then. False where the server has answered that there is nothing to be had.
 */
export function isMissed(name, error, again) {
  mayFail(error);
  if (error.status === 401) return true; // whoever signs in again comes back to a fresh page
  if (!(error instanceof Offline) && error.status < 500 && error.status !== TOO_MANY) return false;
  waiting.set(name, again);
  timer ??= setTimeout(askAgain, AGAIN_MS);
  return true;
}

/** Ask for everything that was missed. */
export function askAgain() {
  clearTimeout(timer);
  timer = null;
  const runs = [...waiting.values()];
  waiting.clear();
  runs.forEach((run) => run());
}
