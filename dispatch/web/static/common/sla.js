// How a promise stands: shape, colour and word, never colour alone.
import { h } from "./dom.js";
import { now, t } from "./page.js";
import { span } from "./time.js";

const NEAR_SHARE = 0.4;
const URGENT_MS = 5 * 60_000;
const SHAPES = { normal: "●", near: "▲", urgent: "◆", breached: "■", unanswered: "■²", paused: "‖", ended: "✓" };

/** Return the clock of the current round that is due first and can still be met, or null. */
export function leading(ticket) {
  const open = ticket.clocks.filter((clock) => clock.round === ticket.round && !clock.met_at && clock.state !== "void" && clock.state !== "met");
  const rank = (clock) => (clock.state === "paused" ? Infinity : Date.parse(clock.due_at));
  return open.sort((a, b) => rank(a) - rank(b))[0] ?? null;
}

/**
 * Say how a ticket stands.
 * @returns {{key: string, shape: string, word: string, left_ms: number|null, clock: object|null}}
 */
export function standing(ticket, at_ms = now()) {
  const clock = leading(ticket);
  const key = keyOf(ticket, clock, at_ms);
  const left_ms = clock && clock.state !== "paused" ? Date.parse(clock.due_at) - at_ms : null;
  return { key, shape: SHAPES[key], word: t(`sla.${key}`), left_ms, clock };
}

function keyOf(ticket, clock, at_ms) {
  if (ticket.ended_at || !clock) return "ended";
  if (ticket.unanswered > 0) return "unanswered";
  if (clock.state === "paused") return "paused";
  const left = Date.parse(clock.due_at) - at_ms;
  if (left <= 0) return "breached";
  if (left <= URGENT_MS) return "urgent";
  return left <= NEAR_SHARE * (Date.parse(clock.due_at) - Date.parse(clock.start_at)) ? "near" : "normal";
}

/** The remaining time in words: "剩 4:05", "超 1:02:03". */
export function leftText(left_ms) {
  if (left_ms === null) return "";
  return t(left_ms >= 0 ? "sla.left" : "sla.over", { time: span(left_ms) });
}

/** A chip with shape, word and time; `tick` keeps it true. Screen readers hear the word, not each second. */
export function chip(ticket) {
  const element = h("span.sla", { dataset: { number: ticket.number } },
    h("span.sla-shape", { "aria-hidden": "true" }), h("span.sla-word"), h("span.sla-time", { "aria-hidden": "true" }));
  draw(element, ticket);
  return element;
}

/** Draw a chip again; cheap where nothing changed. */
export function draw(element, ticket, at_ms = now()) {
  const { key, shape, word, left_ms, clock } = standing(ticket, at_ms);
  const [shapeAt, wordAt, timeAt] = element.children;
  const label = clock ? `${t(`clock.${clock.kind}`)} ${word}` : word;
  if (element.dataset.sla !== key || wordAt.textContent !== label) {
    element.dataset.sla = key;
    shapeAt.textContent = shape;
    wordAt.textContent = label;
  }
  const text = leftText(left_ms);
  if (timeAt.textContent !== text) timeAt.textContent = text;
}

/** Call `run(now)` at every full second of the server while the page is seen. */
export function everySecond(run) {
  const step = () => {
    if (!document.hidden) run(now());
    setTimeout(step, 1000 - (now() % 1000));
  };
  step();
}
