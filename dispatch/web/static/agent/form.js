// The script in the middle: phone, address, problem, description, urgency. What is typed goes into the draft at once.
import { $, $$, fill, h } from "/static/common/dom.js";
import { page, t, tOr } from "/static/common/page.js";
import { choices, digits } from "./choices.js";
import { change, draft } from "./draft.js";

const FIELDS = ["caller_phone", "caller_name", "address", "description", "answer", "pipe_dn", "appointment_at"];
const byId = new Map(page.data.categories.map((category) => [category.id, category]));
let categories;
let questions = new Map();
let onChanged = () => {};

export const isInquiry = () => draft.category !== null && byId.get(draft.category)?.level === null;
export const categoryLabel = (id, otherwise) => tOr(`category.${id}`, otherwise ?? byId.get(id)?.label ?? id);

/** Wire the fields; `changed(name)` is told of each change. */
export function wire(changed) {
  onChanged = changed;
  for (const name of FIELDS) {
    $(`#${name}`).addEventListener("input", (event) => {
      change({ [name]: event.target.value });
      unfault(name);
      onChanged(name);
    });
  }
  categories = choices($("#category"), {
    labelledby: "category-title",
    options: page.data.categories.map(({ id }, n) => ({ value: id, label: categoryLabel(id), key: digits(n) })),
    value: draft.category,
    onPick: (id) => {
      if (id !== draft.category) change({ category: id, answers: {} });
      unfault("category");
      ask();
      next("category");
      onChanged("category");
    },
  });
}

/** A digit pressed where nobody types picks a category. */
export const pressCategory = (key) => !draft.is_sending && categories.press(key);

/** Put another category into the draft, as a press would; null: none yet. */
export function setCategory(id) {
  change({ category: id, answers: {} });
  show();
  if (id !== null) next("category");
  onChanged("category");
}

export const focusCategory = () => categories.focus();

/** Show the draft in the fields. */
export function show() {
  for (const name of FIELDS) $(`#${name}`).value = draft[name];
  categories.set(draft.category);
  ask();
  $$(".fault", $("#call")).forEach((note) => note.remove());
  $$("[aria-invalid]", $("#call")).forEach((field) => field.removeAttribute("aria-invalid"));
}

function ask() {
  const asked = byId.get(draft.category)?.questions ?? [];
  questions = new Map();
  fill($("#questions"), asked.map((question) => {
    const box = h("div");
    const label = tOr(`question.${question.id}`, question.text);
    questions.set(question.id, choices(box, {
      label,
      options: optionsOf(question),
      value: draft.answers[question.id],
      onPick: (value) => {
        change({ answers: { ...draft.answers, [question.id]: value } });
        unfault(`answers.${question.id}`);
        next(question.id);
        onChanged("answers");
      },
    }));
    return h("div.question", { id: `answers.${question.id}` }, h("p", {}, label), box);
  }));
  $("#answer-box").hidden = !isInquiry();
  $("#urgency").classList.toggle("is-quiet", isInquiry());
}

function optionsOf(question) {
  if (!question.choices.length) return [{ value: true, label: t("agent.yes"), key: "Y" }, { value: false, label: t("agent.no"), key: "N" }];
  return question.choices.map((code, n) => ({ value: code, label: tOr(`choice.${code}`, code), key: digits(n) }));
}

/** Go on to what the script asks next: the first open question, then the words. */
function next(from) {
  const ids = [...questions.keys()];
  const open = ids.slice(ids.indexOf(from) + 1).find((id) => draft.answers[id] === undefined);
  if (open) questions.get(open).focus();
  else $(isInquiry() ? "#answer" : "#description").focus();
}

/** Ask for an appointment only where a clock goes by one: what was typed for another problem is refused. */
export function askAppointment(isNeeded) {
  if (!isNeeded && draft.is_sending) return; // what the server may have got must not change any more
  $("#appointment-box").hidden = !isNeeded;
  if (isNeeded || !draft.appointment_at) return;
  change({ appointment_at: "" });
  $("#appointment_at").value = "";
}

/** Put the cursor where the script begins for this call. */
export function begin() {
  $(draft.caller_phone ? "#address" : "#caller_phone").focus();
}

export function lock(isLocked) {
  $("#fields").disabled = isLocked;
}

// ---------------------------------------------------------------- faults

const AT = { location: "place", "location.lon": "place", "location.lat": "place", "location.datum": "datum" };

/** Say at the field what is wrong with it, and go there; false where no field is to blame. */
export function fault(field, message) {
  const id = AT[field] ?? field;
  const at = id && document.getElementById(id);
  if (!at || !$("#call").contains(at)) return false;
  const box = at.closest("[hidden]");
  if (box) box.hidden = false; // a fault is seen
  unfault(id);
  const note = h("p.fault", { id: `fault-${id}`, role: "alert" }, message);
  const target = at.matches("input, textarea, select") ? at : $("[role=radiogroup]", at) ?? at;
  target.setAttribute("aria-invalid", "true");
  target.setAttribute("aria-errormessage", note.id);
  at.after(note);
  if (id === "category") categories.focus();
  else if (id.startsWith("answers.")) questions.get(id.slice(8))?.focus();
  else at.focus();
  return true;
}

export function unfault(id) {
  document.getElementById(`fault-${id}`)?.remove();
  const at = document.getElementById(id);
  for (const field of at ? [at, ...$$("[aria-invalid]", at)] : []) {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-errormessage");
  }
}
