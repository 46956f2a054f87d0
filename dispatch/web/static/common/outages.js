// Notices that water is off, as the screens of the staff tell of them: a line each.
import { h } from "./dom.js";
import { now, t } from "./page.js";
import { shortTime } from "./time.js";

const KNOWN = ["current", "late", "coming"];

/** Those of the public list that hold or will hold. */
export const inForce = (outages) => outages.filter(({ phase }) => KNOWN.includes(phase));

/** What is off, where, and until when. */
export function outageLine({ phase, title, place, starts_at, ends_at }) {
  const words = t(`known.line_${phase}`, { from: shortTime(starts_at, now()), to: shortTime(ends_at, now()) });
  return [phase === "late" && "⚠ ", h("strong", {}, title), ` · ${place} · ${words}`];
}
