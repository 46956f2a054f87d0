// The sections beside levels, ladders, categories and reasons: general, surges, duplicates, flags, outages, fixes for now.
import { h } from "../common/dom.js";
import { page, t } from "../common/page.js";
import { choice, lines, list, numbers, part, put, several, text, words } from "./fields.js";

const WIDENABLE = ["ack", "arrive", "fix"];
const GROUPS = ["vulnerable", "key_account"];
const REACHES = ["spot", "street", "area"];
const real = (told) => (/^\d+(\.\d+)?$/.test(told.trim()) ? Number(told) : told.trim());
const audiences = () => page.data.audiences.map((id) => [id, t(`audience.${id}`)]);

/** Lines of `name: one, two` for an object of lists. */
function lists(label, place, told, set) {
  const read = (said) => set(Object.fromEntries(said.map((line) => { const [name, items = ""] = line.split(/[::](.*)/); return [name.trim(), words(items)]; })));
  return lines(label, place, Object.entries(told).map(([name, items]) => `${name}: ${items.join(", ")}`), read);
}

/** The same for objects of objects of lists, as `group/name: one, two`. */
function groups(label, place, told, set) {
  const flat = Object.fromEntries(Object.entries(told).flatMap(([group, items]) => Object.entries(items).map(([id, said]) => [`${group}/${id}`, said])));
  const read = (said) => {
    const grouped = {};
    for (const [name, items] of Object.entries(said)) { const [group, id = ""] = name.split("/"); (grouped[group] ??= {})[id] = items; }
    set(grouped);
  };
  return lists(label, place, flat, read);
}

function general(policy) {
  return part(t("policies.general"), h("div.line", {},
    text(t("policies.case_note"), "case_note", policy.case_note, (told) => put(policy, "case_note", told), { size: "long" }),
    text(t("policies.device_age"), "device_time_max_age_h", policy.device_time_max_age_h, (told) => { policy.device_time_max_age_h = told; }, { parse: numbers }),
    text(t("policies.device_skew"), "device_time_skew_s", policy.device_time_skew_s, (told) => { policy.device_time_skew_s = told; }, { parse: numbers })));
}

function surge(told, levels) {
  const field = (key, size = "middle", parse) => text(t(`policies.surge_${key}`), `surge.${key}`, told[key], (value) => { told[key] = value; }, { size, parse });
  const wide = (told.widen ??= { levels: [], clocks: [], most: 1 });
  return part(t("policies.surge"),
    h("div.line", {}, field("window"), field("enter_calls", "middle", numbers), field("leave_calls", "middle", numbers), field("calm"), field("digest_every"), field("basis", "long"),
      several(t("policies.surge_digest_to"), "surge.digest_to", audiences(), told.digest_to, (value) => { told.digest_to = value; }),
      several(t("policies.surge_at_once"), "surge.at_once", levels, told.at_once, (value) => { told.at_once = value; })),
    h("div.line", {}, field("broadcast", "long"), field("public_text", "long")),
    h("div.line", {}, several(t("policies.widen_levels"), "surge.widen.levels", levels, wide.levels, (value) => { wide.levels = value; }),
      several(t("policies.widen_clocks"), "surge.widen.clocks", WIDENABLE.map((id) => [id, t(`clock.${id}`)]), wide.clocks, (value) => { wide.clocks = value; }),
      text(t("policies.widen_most"), "surge.widen.most", wide.most, (value) => { wide.most = value; }, { size: "short", parse: real })));
}

function similar(told, labels) {
  const rule = ([id, one]) => {
    const place = (key) => `similar.categories.${id}.${key}`;
    const share = (value) => (Number.isFinite(real(value)) ? real(value) / 100 : value);
    return h("div.line", { role: "group", "aria-label": labels[id] ?? id }, h("b.middle", {}, labels[id] ?? id),
      text(t("policies.threshold"), place("threshold"), Math.round(one.threshold * 100), (value) => { one.threshold = value; }, { size: "short", parse: share }),
      text(t("policies.within_m"), place("within_m"), one.within_m, (value) => { one.within_m = value; }, { size: "short", parse: numbers }),
      text(t("policies.within_h"), place("within_h"), one.within_h, (value) => { one.within_h = value; }, { size: "short", parse: numbers }),
      choice(t("policies.reach"), place("reach"), REACHES.map((reach) => [reach, t(`policies.reach_${reach}`)]), one.reach, (value) => { one.reach = value; }),
      text(t("policies.implies"), place("implies"), (one.implies ?? []).join(", "), (value) => put(one, "implies", value), { parse: words }),
      text(t("policies.basis"), place("basis"), one.basis, (value) => { one.basis = value; }, { size: "long" }));
  };
  return part(t("policies.similar"), Object.entries(told.categories).map(rule), h("div.line", {},
    lists(t("policies.families"), "similar.families", told.families, (value) => { told.families = value; }),
    groups(t("policies.aspects"), "similar.aspects", told.aspects, (value) => { told.aspects = value; }),
    groups(t("policies.local_aspects"), "similar.local_aspects", told.local_aspects, (value) => { told.local_aspects = value; }),
    lines(t("policies.alone"), "similar.alone", told.alone, (value) => { told.alone = value; })));
}

function flag(id, one, levels, categories) {
  const place = (key) => `flags.${id}.${key}`;
  one.raise ??= [];
  const raise = (lift, n) => [
    choice(t("policies.raises"), `${place("raise")}[${n}].level`, levels, lift.level, (value) => { lift.level = value; }),
    several(t("policies.only"), `${place("raise")}[${n}].categories`, categories, lift.categories, (value) => { lift.categories = value; }),
  ];
  return part(`${one.label} (${id})`, h("div.line", {},
    text(t("policies.label"), place("label"), one.label, (value) => { one.label = value; }),
    choice(t("policies.group"), place("group"), GROUPS.map((group) => [group, t(`policies.group_${group}`)]), one.group, (value) => { one.group = value; }),
    text(t("policies.basis"), place("basis"), one.basis, (value) => { one.basis = value; }, { size: "long" }),
    several(t("policies.to"), place("notify"), audiences(), one.notify ?? [], (value) => { one.notify = value; })),
  list(t("policies.raise_one"), one.raise, raise, () => ({ categories: [], level: levels[0][0] })));
}

function temporary(id, one, levels, categories) {
  const place = (key) => `temporary.${id}.${key}`;
  return part(`${one.label} (${id})`, h("div.line", {},
    text(t("policies.label"), place("label"), one.label, (value) => { one.label = value; }),
    choice(t("policies.follow_up"), place("category"), categories, one.category, (value) => { one.category = value; }),
    choice(t("policies.level"), place("level"), levels, one.level, (value) => { one.level = value; }),
    text(t("policies.within"), place("within"), one.within, (value) => { one.within = value.trim(); }, { size: "short" }),
    text(t("policies.basis"), place("basis"), one.basis, (value) => { one.basis = value; }, { size: "long" })));
}

/** Those that a version has. `levels` are [id, label]; `inOrder` gives the ids of a section. */
export function sections(policy, levels, inOrder) {
  const labels = Object.fromEntries(inOrder("categories").map((id) => [id, policy.categories[id].label]));
  const categories = Object.entries(labels).filter(([id]) => policy.categories[id].opens_ticket !== false);
  const { outage } = policy;
  return [
    policy.surge && surge(policy.surge, levels),
    policy.similar && similar(policy.similar, labels),
    policy.flags && part(t("policies.flags"), inOrder("flags").map((id) => flag(id, policy.flags[id], levels, categories))),
    outage && part(t("policies.outage"), h("div.line", {}, several(t("policies.outage_categories"), "outage.categories", categories, outage.categories, (value) => { outage.categories = value; }),
      text(t("policies.basis"), "outage.basis", outage.basis, (value) => { outage.basis = value; }, { size: "long" }))),
    policy.temporary && part(t("policies.temporary"), inOrder("temporary").map((id) => temporary(id, policy.temporary[id], levels, categories))),
    general(policy),
  ];
}

/**
 * The whole version as text, for what no field is there for: new levels, ladders, categories, flags, and taking them away.
 * @param {(policy: object) => Promise} onTaken throws where it cannot be read
 */
export function whole(policy, onTaken) {
  const area = h("textarea.whole", { id: "whole", rows: 24, spellcheck: false, "aria-describedby": "whole-fault" });
  const fault = h("p.fault", { id: "whole-fault", role: "alert", hidden: true });
  const take = async () => {
    try {
      await onTaken(JSON.parse(area.value));
    } catch (problem) {
      fault.hidden = false;
      fault.textContent = problem instanceof SyntaxError ? t("policies.whole_wrong", { why: problem.message }) : problem.message;
    }
  };
  const box = part(t("policies.whole"), h("p.soft", {}, t("policies.whole_hint")), h("label.sr", { for: "whole" }, t("policies.whole")), area, fault,
    h("button", { type: "button", onclick: take }, t("policies.whole_take")));
  box.addEventListener("toggle", () => { if (box.open) area.value = JSON.stringify(policy, null, 2); });
  return box;
}
