// Days and times of the roster, as Shanghai counts them.
import { h } from "../common/dom.js";
import { t } from "../common/page.js";
import { clockTime, dateTime } from "../common/time.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The day of a moment: 2026-12-04. */
export const today = (moment) => dateTime(moment).slice(0, 10);
export const dayAfter = (day, days) => new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
/** What a field for a time holds, and what the server is told. */
export const toField = (moment) => dateTime(moment).replace(" ", "T");
export const fromField = (value) => `${value}:00+08:00`;
export const hoursOf = ({ start_at, end_at }) => (Date.parse(end_at) - Date.parse(start_at)) / HOUR_MS;

/** A hole within a day: 20:00–24:00. */
export function withinDay(hole) {
  if (hoursOf(hole) >= 24) return t("roster.hole_all");
  const end = clockTime(hole.end_at);
  return t("roster.hole", { from: clockTime(hole.start_at), to: end === "00:00" ? "24:00" : end });
}

/** The hours that a change leaves without anybody, as a list, or that it leaves none. */
export function opened(holes) {
  if (!holes.length) return h("p.whole", {}, t("roster.opens_none"));
  const hours = holes.reduce((sum, one) => sum + hoursOf(one), 0);
  return [h("p.hole", {}, t("roster.opens", { hours: Math.round(hours * 10) / 10 })),
    h("ul.mistakes", {}, holes.map((one) => h("li", {}, `${one.unit} ${dateTime(one.start_at)} – ${dateTime(one.end_at)}`)))];
}
