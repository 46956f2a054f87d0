// Leave and swaps: what they leave without anybody is shown before they are entered, and they can be taken back.
import { post, remove } from "../common/api.js";
import { $, $$, fill, h, toast } from "../common/dom.js";
import { t } from "../common/page.js";
import { dateTime } from "../common/time.js";
import { fromField, opened } from "./days.js";

const FIELDS = {
  leave: () => ({ person_id: person("leave-person_id"), start_at: time("leave-start_at"), end_at: time("leave-end_at"), reason: text("leave-reason"), cover_id: person("leave-cover_id") || null }),
  swap: () => ({ unit_id: text("swap-unit_id"), owner_id: text("swap-owner_id"), day: text("swap-day"), taker_id: person("swap-taker_id"), back_day: text("swap-back_day") || null, note: text("swap-note") }),
};
const NEEDED = { leave: ["person_id", "start_at", "end_at", "reason"], swap: ["unit_id", "owner_id", "day", "taker_id", "note"] };
let week = null;
let changed = () => {};

/** Set the forms up; `onChange` is run once something was entered or taken back. */
export function changes(onChange) {
  changed = onChange;
  for (const kind of Object.keys(FIELDS)) {
    $(`#${kind}`).addEventListener("submit", (event) => { event.preventDefault(); check(kind); });
    $(`#${kind}`).addEventListener("input", () => clear(kind)); // what was shown is true for these fields alone
  }
  $("#swap-unit_id").addEventListener("change", owners);
}

/** Take over a week: its people and units for the forms, its leave and swaps for the list. */
export function show(told) {
  week = told;
  fill($("#people"), week.people.map((one) => h("option", { value: label(one) })));
  const unit = text("swap-unit_id");
  fill($("#swap-unit_id"), week.units.map((one) => h("option", { value: one.id, selected: one.id === unit }, one.name)));
  owners();
  fill($("#standing"), list());
}

function owners() {
  const owner = text("swap-owner_id");
  const unit = week.units.find((one) => one.id === text("swap-unit_id"));
  fill($("#swap-owner_id"), (unit?.rows ?? []).map((row) => h("option", { value: row.person_id, selected: row.person_id === owner }, `${t(`rank.${row.rank}`)} ${row.name}`)));
}

const label = ({ id, name }) => `${name} (${id})`;
const text = (id) => $(`#${id}`).value.trim();
const time = (id) => text(id) && fromField(text(id));

/** Return the id of who is written in a field: chosen from the list, or a name that only one has, or an id. */
function person(id) {
  const told = text(id);
  const named = week.people.filter((one) => one.name === told);
  const found = week.people.find((one) => label(one) === told) ?? (named.length === 1 ? named[0] : null);
  return found?.id ?? told;
}

function clear(kind) {
  fault(kind, "");
  fill($(`#${kind}-holes`));
}

function fault(kind, words, field = "") {
  $(`#${kind}-fault`).textContent = words;
  $(`#${kind}-fault`).hidden = !words;
  $$("[aria-invalid]", $(`#${kind}`)).forEach((one) => one.removeAttribute("aria-invalid"));
  const wrong = words && field && $(`#${kind}-${field}`);
  if (!wrong) return;
  wrong.setAttribute("aria-invalid", "true");
  wrong.focus();
}

async function check(kind) {
  const told = FIELDS[kind]();
  const missing = NEEDED[kind].find((name) => !told[name]);
  clear(kind);
  if (missing) {
    fault(kind, t("roster.need", { name: $(`label[for=${kind}-${missing}]`).textContent }), missing);
    return;
  }
  try {
    const { holes } = await post(`/roster-${kind}-check`, told);
    const enter = h("button.primary", { type: "button", onclick: () => save(kind, told, enter) }, t(holes.length ? `roster.enter_${kind}_open` : `roster.enter_${kind}`));
    fill($(`#${kind}-holes`), opened(holes), enter);
  } catch (problem) {
    fault(kind, problem.message, problem.field);
  }
}

async function save(kind, told, button) {
  button.disabled = true; // a second press would be refused as a second entry
  try {
    await post(`/roster-${kind === "leave" ? "leaves" : "swaps"}`, told);
    $(`#${kind}`).reset();
    clear(kind);
    toast(t(`roster.entered_${kind}`));
    changed();
  } catch (problem) {
    button.disabled = false;
    fault(kind, problem.message, problem.field);
  }
}

function list() {
  const rows = [
    ...week.leaves.map((one) => ({ path: `/roster-leaves/${one.id}`, kind: "leave", name: one.name, when: `${dateTime(one.start_at)} – ${dateTime(one.end_at)}`, what: one.cover ? t("roster.covered", { cover: one.cover }) : t("roster.uncovered"), why: one.reason, made_by: one.made_by })),
    ...week.swaps.map((one) => ({ path: `/roster-swaps/${one.id}`, kind: "swap", name: one.owner, when: one.day, what: one.back_day ? t("roster.swapped_back", { by: one.taker, day: one.back_day }) : t("roster.swapped", { by: one.taker }), why: one.note, made_by: one.made_by })),
  ];
  if (!rows.length) return h("p", {}, t("roster.none_standing"));
  const heads = ["kind", "person", "when", "what", "reason", "made_by", "act"].map((head) => h("th", { scope: "col" }, t(`roster.head_${head}`)));
  return h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows.map((row) => h("tr", {}, h("td.nowrap", {}, t(`roster.${row.kind}`)), h("th", { scope: "row" }, row.name),
    [row.when, row.what, row.why, row.made_by].map((told) => h("td", {}, told)),
    h("td", {}, h("button.nowrap", { type: "button", "aria-label": t("roster.take_back_one", { name: `${t(`roster.${row.kind}`)} ${row.name} ${row.when}` }), onclick: () => takeBack(row) }, t("roster.take_back")))))));
}

async function takeBack(row) {
  try {
    const { holes } = await remove(row.path);
    if (holes.length) toast(t("roster.taken_back_open", { when: holes.map((one) => `${one.unit} ${dateTime(one.start_at)} – ${dateTime(one.end_at)}`).join("; ") }), { kind: "error" });
    else toast(t("roster.taken_back"));
    changed();
  } catch (problem) {
    toast(problem.message, { kind: "error" });
  }
}
