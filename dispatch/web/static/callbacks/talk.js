// The conversation: the number, what it is about, and the caller's word on each of it.
import { $, h, toast } from "../common/dom.js";
import { now, t, tOr } from "../common/page.js";
import { shortTime } from "../common/time.js";

/** @param {{onSave: Function, onUnreached: Function, onRelease: Function}} told */
export function form(person, reasons, told) {
  return h("form.stack", { novalidate: true, onsubmit: (event) => { event.preventDefault(); told.onSave(); } },
    h("p.phone", {}, person.caller_phone), person.caller_name && h("p", {}, person.caller_name),
    person.items.map((matter) => about(matter, reasons)),
    h("div.row", {}, h("button.primary", {}, t("callbacks.save"), " ", h("kbd", {}, "Ctrl+Enter")),
      h("button", { type: "button", onclick: told.onUnreached }, t("callbacks.unreached"), " ", h("kbd", {}, "Alt+U")),
      h("button", { type: "button", onclick: told.onRelease }, t("callbacks.release"), " ", h("kbd", {}, "Esc"))));
}

function about(matter, reasons) {
  const name = (part) => `${part}-${matter.id}`;
  const choice = (part, yes, no) => h("fieldset.row", {}, h("legend.sr", {}, t(`callbacks.${part}`)), [["yes", yes], ["no", no]].map(([value, label]) =>
    h("label.row", {}, h("input", { type: "radio", name: name(part), value, onchange: () => reveal(matter.id) }), t(label))));
  return h("fieldset.matter.stack", {}, h("legend", {}, `${matter.number} · ${tOr(`category.${matter.category}`, matter.category_label)}`),
    h("p", {}, [matter.address, matter.description, t("callbacks.called", { time: shortTime(matter.called_at, now()) })].filter(Boolean).join(" · ")),
    choice("is_solved", "callbacks.solved", "callbacks.unsolved"), choice("is_satisfied", "callbacks.content", "callbacks.discontent"),
    h("div", { id: name("because"), hidden: true }, h("label", { for: name("reason") }, t("callbacks.reason")),
      h("select", { id: name("reason") }, h("option", { value: "" }, t("callbacks.choose")), Object.entries(reasons).map(([code, label]) => h("option", { value: code }, tOr(`callback_reason.${code}`, label)))),
      h("label.row", {}, h("input", { type: "checkbox", id: name("again") }), t("callbacks.again"))),
    h("div", {}, h("label", { for: name("note") }, t("callbacks.note")), h("textarea", { id: name("note"), rows: "2", maxlength: "500" })));
}

const chosen = (part, id) => ({ yes: true, no: false })[$(`input[name="${part}-${id}"]:checked`)?.value];

function reveal(id) {
  const isSolved = chosen("is_solved", id);
  $(`#because-${id}`).hidden = isSolved !== false && chosen("is_satisfied", id) !== false;
  $(`#again-${id}`).checked = !$(`#because-${id}`).hidden;
}

/** Return what was filled in, or null after saying what is missing. */
export function answers({ items }) {
  const found = [];
  for (const { id } of items) {
    const isSolved = chosen("is_solved", id);
    if (isSolved === undefined) return missing(`input[name="is_solved-${id}"]`, t("callbacks.fault_solved"));
    const isNo = !$(`#because-${id}`).hidden;
    const reason = isNo ? $(`#reason-${id}`).value : "";
    if (isNo && !reason) return missing(`#reason-${id}`, t("callbacks.fault_reason"));
    found.push({ id, is_solved: isSolved, is_satisfied: chosen("is_satisfied", id) ?? null, reason: reason || null, note: $(`#note-${id}`).value.trim(), wants_rework: isNo && $(`#again-${id}`).checked });
  }
  return found;
}

function missing(selector, words) {
  toast(words, { kind: "error" });
  $(selector).focus();
  return null;
}
