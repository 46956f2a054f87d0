// Days as they are in Changsha: a review is due when its day begins there.
import { now } from "/static/common/page.js";
import { dateTime } from "/static/common/time.js";

const DAY_MS = 86_400_000;

/** 2026-11-24 */
export const day = (iso) => dateTime(iso).slice(0, 10);

/** Return the day in so many days, as a field of dates wants it. */
export const inDays = (count) => day(new Date(now() + count * DAY_MS).toISOString());

/** Return the time at which a day begins. */
export const fromDay = (text) => `${text}T00:00:00+08:00`;
