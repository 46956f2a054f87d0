// Call-backs: the queue by due time, one caller taken at a time, and what that caller said; all of it by keys.
import { get, mayFail, post } from "../common/api.js";
import { $, $$, fill, h, toast } from "../common/dom.js";
import { bind } from "../common/keys.js";
import { connect } from "../common/live.js";
import { now, t, tOr } from "../common/page.js";
import { shortTime } from "../common/time.js";
import { uuid } from "../common/uuid.js";
import { answers, form } from "./talk.js";

const told = (problem) => toast(problem.message, { kind: "error" });
const SOON_MS = 300;
let taken = null; // the caller that is being rung
let reasons = {};
let next = null;
let turn = 0;
let key = uuid();
let timer = null;

// ---------------------------------------------------------------- the lists

async function load(after = 0) {
  const mine = ++turn;
  const found = await get("/callbacks", { is_ready: $("#ready").checked || null, after, limit: 50 });
  if (mine !== turn) return;
  ({ reasons, next } = found);
  const rows = found.items.map(row);
  if (after) $("#queue").append(...rows);
  else keepFocus("person", () => fill($("#queue"), rows.length ? rows : h("li.soft", {}, t("callbacks.none"))));
  $("#more").hidden = next === null;
}

/** Draw anew what may hold the focus: a list that changes by itself takes it from nobody. */
function keepFocus(name, draw) {
  const focused = document.activeElement?.dataset?.[name];
  draw();
  if (focused) $(`[data-${name}="${focused}"]`)?.focus();
}

function row(person) {
  const due = h("span.sla", { dataset: { sla: person.is_overdue ? "breached" : "normal" } }, h("span", { "aria-hidden": "true" }, person.is_overdue ? "■" : "●"),
    t(person.is_overdue ? "callbacks.overdue" : "callbacks.due", { time: shortTime(person.due_at, now()) }));
  const numbers = person.items.map(({ number }) => number).join(", ");
  const waits = person.next_try_at && Date.parse(person.next_try_at) > now();
  const words = [
    h("span.row", {}, h("b", {}, person.caller_phone), due, person.is_taken && h("span.chip", {}, t("callbacks.taken"))),
    h("span", {}, person.items.map(({ category, category_label }) => tOr(`category.${category}`, category_label)).join(", ")),
    h("span.soft.small", {}, [numbers, person.tries && t("callbacks.tries", { n: person.tries }), waits && t("callbacks.not_before", { time: shortTime(person.next_try_at, now()) })].filter(Boolean).join(" · ")),
  ];
  const current = taken?.id === person.id ? { "aria-current": "true" } : {};
  return h("li", {}, h("button.person", { type: "button", dataset: { person: person.id }, onclick: () => take(person.id), ...current }, words));
}

async function loadRest() {
  const [closable, settled] = await Promise.all([get("/callbacks/closable"), get("/callbacks/settled", { limit: 10 })]);
  keepFocus("close", () => fill($("#closable"), closable.items.length ? closable.items.map(closing) : h("li.soft", {}, t("callbacks.none_closable"))));
  fill($("#settled"), settled.items.length ? settled.items.map(past) : h("li.soft", {}, t("callbacks.none_settled")));
}

function closing(ticket) {
  return h("li.row", {}, h("span", {}, `${ticket.number} · ${tOr(`category.${ticket.category}`, ticket.category_label)}`),
    h("button", { type: "button", dataset: { close: ticket.number }, onclick: () => close(ticket.number) }, t("callbacks.close")));
}

function past(one) {
  const said = [t(`callbacks.state_${one.state}`), one.is_solved !== null && t(one.is_solved ? "callbacks.solved" : "callbacks.unsolved"),
    one.is_satisfied !== null && t(one.is_satisfied ? "callbacks.content" : "callbacks.discontent"), one.reason && tOr(`callback_reason.${one.reason}`, one.reason_label), one.note, one.rework && t("callbacks.rework", { number: one.rework })];
  const tries = one.history.map(({ at, by }) => `${shortTime(at, now())} ${by}`).join("; ");
  return h("li", {}, h("b", {}, `${one.number} `), `${one.caller_phone ?? ""} `, said.filter(Boolean).join(", "), tries && h("span.soft.small", {}, ` (${tries})`));
}

function refresh() {
  clearTimeout(timer);
  timer = setTimeout(() => Promise.all([load(), loadRest()]).catch(mayFail), SOON_MS);
}

// ---------------------------------------------------------------- one caller

async function take(id) {
  if (taken && taken.id !== id) await release();
  try {
    taken = await post(`/callbacks/${id}/claim`);
    key = uuid();
    fill($("#talk"), form(taken, reasons, { onSave: save, onUnreached: unreached, onRelease: release }));
    $("#talk").focus();
    await load();
  } catch (problem) {
    told(problem);
  }
}

function leave(words) {
  taken = null;
  fill($("#talk"), h("p.soft", {}, words));
}

async function release() {
  if (!taken) return;
  const { id } = taken;
  leave(t("callbacks.pick"));
  await post(`/callbacks/${id}/release`).catch(told);
  await load().catch(mayFail);
}

async function unreached() {
  if (!taken) return;
  try {
    const { items } = await post(`/callbacks/${taken.id}/unreached`, { note: $("#talk textarea")?.value.trim() ?? "" }, { key });
    leave(t(items[0]?.state === "waiting" ? "callbacks.later" : "callbacks.given_up"));
    await goOn(items);
  } catch (problem) {
    told(problem);
  }
}

async function save() {
  if (!taken) return;
  const items = answers(taken);
  if (!items) return;
  try {
    const done = await post("/callbacks/settle", { items }, { key });
    const again = done.items.filter(({ rework }) => rework).map(({ rework }) => rework);
    leave(again.length ? t("callbacks.saved_rework", { number: again.join(", ") }) : t("callbacks.saved"));
    await goOn(done.items);
  } catch (problem) {
    told(problem);
  }
}

/** To the ticket that can be closed now, with one key, or else to the next caller. */
async function goOn(done) {
  await Promise.all([load(), loadRest()]);
  const button = done.map(({ number }) => $(`[data-close="${number}"]`)).find(Boolean);
  (button ?? $(".person") ?? $("#talk")).focus();
}

async function close(number) {
  try {
    await post(`/tickets/${number}/close`, {});
    toast(t("callbacks.closed", { number }));
    await loadRest();
    ($("[data-close]") ?? $(".person") ?? $("#talk")).focus();
  } catch (problem) {
    told(problem);
  }
}

// ---------------------------------------------------------------- keys

function move(by) {
  const people = $$(".person");
  const at = people.indexOf(document.activeElement);
  (people[Math.min(people.length - 1, Math.max(0, at + by))] ?? $("#talk")).focus();
}

bind({
  j: () => move(1),
  k: () => move(-1),
  "Ctrl+Enter": save,
  "Alt+U": unreached,
  "Alt+C": () => ($("[data-close]") ? $("[data-close]").click() : null),
  Escape: release,
});
$("#ready").addEventListener("change", () => load().catch(told));
$("#more").addEventListener("click", () => load(next).catch(told));
window.addEventListener("signed-out", () => { location.href = "/signin?next=/callbacks"; });
connect({ onSignal: ({ topic }) => { if (topic === "callback") refresh(); }, onReload: refresh });
