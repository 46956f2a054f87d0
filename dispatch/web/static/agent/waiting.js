// Calls that ring: who takes one has it, the others see who.
import { Offline, get, post } from "/static/common/api.js";
import { $, fill, h, toast } from "/static/common/dom.js";
import { now, page, t } from "/static/common/page.js";
import { span } from "/static/common/time.js";
import { draft } from "./draft.js";

const SEAT = `agent-seat:${page.user.id}`;
let calls = [];
let take = () => {};

/** `run(call)` is told of a call that is mine now. */
export function wire(run) {
  take = run;
  const seat = $("#seat");
  seat.value = localStorage.getItem(SEAT) ?? "";
  seat.addEventListener("input", () => localStorage.setItem(SEAT, seat.value.trim()));
}

export async function refresh() {
  try {
    calls = (await get("/cti-calls")).items;
    show();
  } catch (error) {
    if (!(error instanceof Offline) && !error.status) throw error;
  }
}

/** One that nobody has, or that is mine, not saved and not being written down: its draft was dropped, or is elsewhere. */
const isFree = (call) => !call.claimed_by || (call.is_mine && !call.is_saved && call.call_id !== draft.cti_call_id);

/** Return the call to take next: my own again, else at my own seat, else the one that has waited longest. */
export function next() {
  const free = calls.filter(isFree);
  const [own, here] = [free.filter((call) => call.is_mine), free.filter((call) => call.seat && call.seat === $("#seat").value.trim())];
  return [own, here, free].find((some) => some.length)?.at(-1) ?? null;
}

/** Claim a call; null where somebody was faster or it is over, which is said in words. */
export async function claim(call) {
  try {
    return await post(`/cti-calls/${encodeURIComponent(call.call_id)}/claim`);
  } catch (error) {
    toast(error.message, { kind: "error" });
    return null;
  } finally {
    refresh();
  }
}

export function tick() {
  for (const [n, element] of [...document.querySelectorAll("#waiting time")].entries()) element.textContent = since(calls[n]);
}

const since = (call) => span(now() - Date.parse(call.rung_at ?? call.heard_at));

function show() {
  fill($("#waiting"), calls.length ? calls.map(row) : h("li.soft", {}, t("agent.waiting_none")));
}

function row(call) {
  const whose = call.is_mine ? t("agent.yours") : t("agent.taken_by", { name: call.claimed_by });
  return h("li.ring", { dataset: { call: call.call_id } },
    h("span", {}, h("b.number", {}, call.caller_phone ?? t("agent.withheld")), " ", !call.is_mine && t(`agent.${call.state}`), " ",
      h("time", { "aria-hidden": "true" }, since(call)), call.seat && h("span.chip", {}, call.seat)),
    call.claimed_by && h("span.chip", {}, whose), isFree(call) && h("button", { type: "button", onclick: () => take(call) }, t("agent.take"), call === next() && h("kbd", {}, "F2")));
}
