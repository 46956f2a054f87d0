// Tickets that this call may belong to: what the server suggests, the caller's own and those nearby, under one numbering
// for Alt+1 to Alt+9.
import { get } from "/static/common/api.js";
import { $, $$, fill, h } from "/static/common/dom.js";
import { now, t } from "/static/common/page.js";
import { chip, draw } from "/static/common/sla.js";
import { shortTime } from "/static/common/time.js";
import { change, draft } from "./draft.js";
import { categoryLabel } from "./form.js";
import { isMissed } from "./missed.js";
import { mark } from "./place.js";
import * as similar from "./similar.js";

// Null where there is nothing to be known yet, undefined where it could not be fetched.
let household = null;
let near = null;
let chosen = null;
let asked = 0;
let attach = () => {};

/** `run(ticket)` attaches the call. */
export function wire(run) {
  attach = run;
}

/** Every ticket once, under the first of its kinds: the most likely before the caller's own, and these before the near. */
function listed() {
  const kinds = { likely: similar.suggested(), own: household?.open_tickets ?? [], near: (near ?? []).filter((one) => !similar.isDismissed(one)) };
  const all = new Map();
  for (const [kind, some] of Object.entries(kinds)) for (const ticket of some) if (!all.has(ticket.number)) all.set(ticket.number, { ticket, kind });
  return [...all.values()].slice(0, 9).map((one, at) => ({ ...one, n: at + 1 }));
}

/** Take what the server suggests for the call as it is written down. */
export function suggest(suggestions) {
  similar.take(suggestions);
  show();
}

export function setHousehold(known) {
  household = known;
  show();
}

/** Ask what is open around a place. */
export async function lookAround(place) {
  const turn = ++asked;
  const found = place && (await get("/nearby", { lon: place.lon, lat: place.lat, datum: place.datum }).catch(missed));
  if (turn !== asked) return;
  near = found && found.items;
  show();
}

const missed = (error) => (isMissed("near", error, () => lookAround(draft.place)) ? undefined : null);

/** A ticket changed somewhere: show it as it is now; one that has ended takes no more calls. */
export function update(ticket) {
  for (const list of [household?.open_tickets, near]) {
    const at = list?.findIndex((one) => one.number === ticket.number) ?? -1;
    if (at >= 0) {
      list.splice(at, 1, ...(ticket.ended_at ? [] : [{ ...list[at], ...ticket }]));
      show();
    }
  }
  if (similar.update(ticket)) show();
}

export function choose(n) {
  const found = listed().find((one) => one.n === n);
  if (!found) return;
  chosen = found.ticket.number;
  show();
}

/** Attach the call to the chosen ticket, else to the first. */
export function attachChosen() {
  const all = listed();
  attach((all.find((one) => one.ticket.number === chosen) ?? all[0])?.ticket ?? null);
}

/** Say that the call is not about the chosen ticket, or else about the likeliest; false where there is neither. */
export function dismissChosen() {
  const all = listed();
  const found = all.find((one) => one.ticket.number === chosen) ?? all.find((one) => one.kind === "likely");
  if (found) dismiss(found.ticket.number);
  return Boolean(found);
}

function dismiss(number) {
  if (draft.is_sending) return;
  similar.dismiss(number);
  if (chosen === number) chosen = null;
  show();
}

function restore() {
  change({ not_same: [] });
  show();
}

export function forget() {
  asked += 1;
  similar.take([]);
  household = near = chosen = null;
  show();
}

export function tick() {
  const byNumber = new Map(listed().map(({ ticket }) => [ticket.number, ticket]));
  for (const element of $$(".sla[data-number]", $(".columns"))) {
    const ticket = byNumber.get(element.dataset.number);
    if (ticket) draw(element, ticket);
  }
}

// ---------------------------------------------------------------- drawing

function show() {
  const all = listed();
  const [likely, own, others] = ["likely", "own", "near"].map((kind) => all.filter((one) => one.kind === kind));
  const next = chosen ?? draft.attach_to ?? all[0]?.ticket.number;
  similar.draw(likely, next, { attach, dismiss, restore });
  showCaller(own);
  const empty = h("p.soft", {}, t(near === undefined ? "agent.not_fetched" : near === null ? "agent.near_wait" : "agent.near_none"));
  fill($("#near"), others.length ? h("ul.tickets", {}, others.map(entry)) : empty);
  mark([...likely, ...others]);
}

function entry({ ticket, n }) {
  const isChosen = ticket.number === (chosen ?? draft.attach_to);
  const metres = ticket.distance_m === undefined ? null : h("span.nowrap", {}, t("agent.distance", { metres: Math.round(ticket.distance_m) }));
  return h("li.ticket", { class: isChosen ? "is-chosen" : "" },
    h("div.row", {}, h("kbd", {}, `Alt+${n}`), h("b", {}, ticket.number), metres, chip(ticket)),
    h("p", {}, `${categoryLabel(ticket.category, ticket.category_label)} · ${t(`status.${ticket.status}`)} · ${ticket.address || ticket.zone_id || ""}`),
    h("p.small.soft.clip", {}, ticket.description),
    h("button", { type: "button", "aria-pressed": String(isChosen), onclick: () => attach(ticket) },
      t("agent.save_attach", { number: ticket.number }), isChosen && h("kbd", {}, "Alt+M")));
}

function showCaller(own) {
  if (!household) return fill($("#caller"), h("p.soft", {}, t(household === undefined ? "agent.not_fetched" : "agent.caller_none")));
  const { names, caller_phone, is_frequent, calls_30d, calls } = household;
  return fill($("#caller"),
    h("p.who", {}, h("b.number", {}, caller_phone ?? t("agent.withheld")), " ", names.join("、")),
    is_frequent && h("p", {}, h("span.chip.strong", {}, t("agent.frequent", { count: calls_30d }))),
    !calls.length && h("p.soft", {}, t("agent.caller_new")),
    own.length > 0 && [h("h3", {}, t("agent.open_tickets")), h("ul.tickets", {}, own.map(entry))],
    calls.length > 0 && [h("h3", {}, t("agent.last_calls")), h("ul.past", {}, calls.map(past))]);
}

function past(call) {
  const what = [categoryLabel(call.category, call.category_label), t(`agent.outcome_${call.outcome}`), call.number, call.status && t(`status.${call.status}`)];
  return h("li", {}, h("p.small", {}, h("b", {}, shortTime(call.called_at, now())), " ", what.filter(Boolean).join(" · ")),
    h("p.small.soft.clip", {}, call.answer || call.description || call.address));
}
