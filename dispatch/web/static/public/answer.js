// The caller's own answer to a call-back: opened by the link that was sent, good for one answer.
import { get, post } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { t, tOr } from "/static/common/page.js";
import { clearFault, inWords, showFault } from "./faults.js";

const box = $("#answer");
// Behind the #, so that no server log holds it.
const token = /^#answer=([\w-]+)$/.exec(location.hash)?.[1];
const path = token && `/public/callbacks/${token}`;
if (path) load();

async function load() {
  try {
    show(await get(path));
  } catch (error) {
    said(inWords(error));
  }
}

function show(asked) {
  if (!asked.can_answer) return said(t(`public.answer_${asked.state}`));
  box.hidden = false;
  fill(box, h("h2", { id: "answer-title" }, t("public.answer")), form(asked.reasons));
}

function said(text) {
  box.hidden = false;
  fill(box, h("h2", { id: "answer-title", tabindex: "-1" }, t("public.answer")), h("p", {}, text));
}

function choice(name, legend) {
  const option = (value) => h("label", {}, h("input", { type: "radio", name, value, onchange: reveal }), " ", t(`public.${value}`));
  return h("fieldset.row", {}, h("legend", {}, legend), option("yes"), option("no"));
}

function form(reasons) {
  const fault = h("p.fault", { role: "alert", hidden: true });
  const why = h("select", { id: "why" }, h("option", { value: "" }, t("public.choose")),
    Object.entries(reasons).map(([code, label]) => h("option", { value: code }, tOr(`callback_reason.${code}`, label))));
  return h("form.stack", { novalidate: true, onsubmit: (event) => send(event, fault) },
    choice("is_solved", t("public.is_solved")), choice("is_satisfied", t("public.is_satisfied")),
    h("div", { id: "because", hidden: true }, h("label", { for: "why" }, t("public.because")), why),
    h("div", {}, h("label", { for: "answer-words" }, t("public.words")), h("textarea", { id: "answer-words", rows: "2", maxlength: "500" })),
    fault, h("button.primary", {}, t("public.answer_send")));
}

const chosen = (name) => ({ yes: true, no: false })[$(`input[name=${name}]:checked`, box)?.value];

function reveal() {
  $("#because").hidden = chosen("is_solved") !== false && chosen("is_satisfied") !== false;
}

async function send(event, fault) {
  event.preventDefault();
  if (chosen("is_solved") === undefined) return showFault(fault, t("public.fault_is_solved"), $("input[name=is_solved]", box));
  clearFault(fault);
  const reason = $("#because").hidden ? null : $("#why").value || null;
  try {
    const told = await post(path, { is_solved: chosen("is_solved"), is_satisfied: chosen("is_satisfied") ?? null, reason, note: $("#answer-words").value.trim() });
    said(t(`public.answer_${told.state}`));
    $("#answer-title").focus();
  } catch (error) {
    showFault(fault, inWords(error), reason === null && !$("#because").hidden ? $("#why") : undefined);
  }
}
