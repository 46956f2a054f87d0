// When to ask for the jobs again: at every piece of news, and every so often in case one was missed.
import { connect } from "/static/common/live.js";

const SLOWLY_MS = 60_000;
const TOGETHER_MS = 250;
const TOPICS = new Set(["photo", "request", "outage"]);

/**
 * Call `load` whenever there may be something new, and `reached(isReached)` when the server is found or lost.
 * `askSurge` is called when a surge may have begun, ended or changed. What comes together is asked for once. Returns what `connect` does.
 */
export function follow(load, reached, askSurge) {
  let timer = null;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(load, TOGETHER_MS);
  };
  const live = connect({
    onTicket: soon,
    onGone: soon,
    onReload: () => { soon(); askSurge(); },
    onSignal: ({ topic }) => {
      if (TOPICS.has(topic)) soon();
      if (topic === "surge") askSurge();
    },
    onState: (state) => reached(state === "live" || state === "polling"),
  });
  setInterval(soon, SLOWLY_MS);
  for (const name of ["online", "pageshow"]) window.addEventListener(name, soon);
  return live;
}
