// Surge mode, as every screen tells of it.
import { get, mayFail } from "./api.js";
import { fill, h } from "./dom.js";
import { now, t } from "./page.js";
import { shortTime } from "./time.js";

/** Return a function that asks how things stand and tells `draw`; wishes that come while it asks are one more. */
export function surgeAsker(draw) {
  let isAsking = false;
  let isWanted = false;
  return async function ask() {
    isWanted = true;
    if (isAsking) return;
    isAsking = true;
    while (isWanted) {
      isWanted = false;
      await get("/surge").then(draw).catch(mayFail); // what was told last stays on the screen
    }
    isAsking = false;
  };
}

/** Since when, how many calls come: one line. */
export function surgeLine({ surge, calls_per_minute }) {
  return t("surge.line", { since: shortTime(surge.entered_at, now()), rate: calls_per_minute });
}

/** Draw the broadcast for agents and crews; nothing outside a surge. */
export function drawBroadcast(element, { surge }) {
  element.hidden = !surge;
  fill(element, surge && h("strong", {}, t("surge.open")), " ", surge?.broadcast);
}
