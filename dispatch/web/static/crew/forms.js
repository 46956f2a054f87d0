// Short forms under the card: a coded reason, a time, a word. Each calls `ok(body)` or `no()`.
import { h } from "/static/common/dom.js";
import { now, t, tOr } from "/static/common/page.js";

const HOUR_MS = 3_600_000;
const SHANGHAI_MS = 8 * HOUR_MS;

// The field speaks the time of Changsha, whatever the phone is set to.
const toField = (ms) => new Date(ms + SHANGHAI_MS).toISOString().slice(0, 16);
const fromField = (text) => new Date(Date.parse(`${text}:00Z`) - SHANGHAI_MS).toISOString();

function form(title, fields, ok, no, read) {
  const element = h("form.card.stack.ask", { "aria-label": title, onsubmit: (event) => { event.preventDefault(); ok(read(new FormData(element))); } },
    h("h2", {}, title), fields,
    h("div.row", {}, h("button.primary", { id: "form-ok" }, t("common.confirm")), h("button", { type: "button", onclick: no }, t("common.cancel"))));
  queueMicrotask(() => element.querySelector("select, input, textarea")?.focus());
  return element;
}

function reasonField(reasons) {
  const options = Object.entries(reasons).map(([code, label]) => h("option", { value: code }, tOr(`reason.${code}`, label)));
  return h("div", {}, h("label", { for: "reason" }, t("crew.reason")), h("select", { id: "reason", name: "reason", required: true }, h("option", { value: "" }, t("crew.choose")), options));
}

function noteField(isRequired) {
  return h("div", {}, h("label", { for: "note" }, t(isRequired ? "crew.why" : "crew.note")), h("textarea", { id: "note", name: "note", rows: "2", maxlength: "500", required: isRequired }));
}

function untilField(ahead_ms, label = t("crew.until")) {
  const field = h("input", { id: "until", name: "until", type: "datetime-local", required: true, min: toField(now()) });
  field.value = toField(now() + ahead_ms);
  return h("div", {}, h("label", { for: "until" }, label), field);
}

const note = (data) => ({ note: data.get("note").trim() });

export function askReason(verb, reasons, ok, no) {
  return form(t(`verb.${verb}`), [reasonField(reasons), noteField(false)], ok, no, (data) => ({ reason: data.get("reason"), ...note(data) }));
}

export function askHold(reasons, ok, no) {
  return form(t("crew.ask_hold"), [reasonField(reasons), untilField(2 * HOUR_MS), noteField(false)], ok, no, (data) => ({ reason: data.get("reason"), until: fromField(data.get("until")), ...note(data) }));
}

/** `reasons` are labels by code; a policy of before has none, and then the word says why. */
export function askExtend(reasons, ok, no) {
  const isCoded = Object.keys(reasons).length > 0;
  const fields = [isCoded && reasonField(reasons), untilField(24 * HOUR_MS), noteField(!isCoded)];
  const read = (data) => ({ ...(isCoded && { reason: data.get("reason") }), until: fromField(data.get("until")), ...note(data) });
  return form(t("crew.ask_extend"), fields, ok, no, read);
}

/** What was done for now, and what is left: the rest opens its own ticket. `kinds` are labels by code. */
export function askTemporary(kinds, ok, no) {
  const options = Object.entries(kinds).map(([code, label]) => h("option", { value: code }, tOr(`temporary_kind.${code}`, label)));
  const fields = [
    h("div", {}, h("label", { for: "kind" }, t("temporary.kind")), h("select", { id: "kind", name: "kind", required: true }, h("option", { value: "" }, t("crew.choose")), options)),
    h("div", {}, h("label", { for: "left" }, t("temporary.left")), h("textarea", { id: "left", name: "left", rows: "2", maxlength: "500", required: true })),
    untilField(3 * 24 * HOUR_MS, t("temporary.by")),
  ];
  return form(t("temporary.title"), fields, ok, no, (data) => ({
    outcome: "temporary", temporary_kind: data.get("kind"), left_to_do: data.get("left").trim(), due_at: fromField(data.get("until")),
  }));
}

/** Why somebody arrives far from the place, or without knowing where they are; `words` say which. */
export function askWhy(words, ok, no) {
  return form(t("verb.arrive"), [h("p.fault", {}, words), noteField(true)], ok, no, note);
}
