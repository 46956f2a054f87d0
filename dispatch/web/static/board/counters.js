// Counters, clock, lamp and the age of the data.
import { freshness } from "../common/age.js";
import { $, fill, h } from "../common/dom.js";
import { now, t } from "../common/page.js";

const NAMES = ["open", "unassigned", "near_breach", "breached", "unanswered", "on_hold", "requests", "closed_today"];
const LAMPS = { ok: "●", late: "▲", down: "■" };

/** @param {(name: string) => string} word names a counter in the words of its page */
export function drawCounters(element, counters, word) {
  fill(element, NAMES.map((name) => h("div", { dataset: { counter: name } },
    h("dt", {}, word(name)), h("dd", {}, String(counters[name])))));
}

/** @param {{status: string}} lamp as GET /board and the pulse tell it */
export function drawLamp({ status }, word) {
  const element = $("#lamp");
  if (element.dataset.status === status) return;
  element.dataset.status = status;
  fill(element, h("span", { "aria-hidden": "true" }, LAMPS[status]), " ", word(`lamp_${status}`));
}

/** What goes on each second: the clock, and how old the data are. */
export function drawTime(live) {
  const at = new Date(now() + 8 * 3_600_000).toISOString();
  $("#clock").textContent = at.slice(0, 19).replace("T", " ");
  const age = $("#age");
  const shown = freshness(live);
  age.dataset.state = live.state;
  if (age.textContent !== shown) age.textContent = shown;
}
