// The editor: levels and limits, steps of the ladder, categories with their questions, reasons, calendar.
import { h } from "../common/dom.js";
import { page, t, tOr } from "../common/page.js";
import { choice, lines, list, numbers, part, put, several, text, toggle, words } from "./fields.js";
import { sections, whole } from "./sections.js";

const CLOCKS = ["ack", "arrive", "isolate", "fix", "callback"];
const REASONS = ["hold", "extend", "return", "cancel"];
const clocks = () => CLOCKS.map((id) => [id, t(`clock.${id}`)]);

/**
 * @param {object} policy the form, which is changed in place
 * @param {(policy: object) => Promise} onTaken gets another form, written as text
 */
export function editor(policy, onTaken) {
  const inOrder = (key) => [...new Set([...(policy.order?.[key] ?? []), ...Object.keys(policy[key])])].filter((id) => id in policy[key]);
  const levels = inOrder("levels").map((id) => [id, `${id} ${policy.levels[id].label}`]);

  const limit = (id) => (one, n) => {
    const place = (key) => `levels.${id}.limits[${n}].${key}`;
    return [
      choice(t("policies.clock"), place("clock"), clocks(), one.clock, (told) => put(one, "clock", told), "short"),
      text(t("policies.within"), place("within"), one.within, (told) => { one.within = told.trim(); }, { size: "short" }),
      choice(t("policies.area"), place("area"), ["", "in_circle", "outside"].map((area) => [area, t(`policy_area.${area || "all"}`)]), one.area, (told) => put(one, "area", told), "short"),
      text(t("policies.dn_min"), place("dn_min"), one.dn_min, (told) => put(one, "dn_min", told), { size: "short", parse: numbers }),
      text(t("policies.dn_max"), place("dn_max"), one.dn_max, (told) => put(one, "dn_max", told), { size: "short", parse: numbers }),
      text(t("policies.only"), place("categories"), (one.categories ?? []).join(", "), (told) => put(one, "categories", told), { parse: words }),
      text(t("policies.basis"), place("basis"), one.basis, (told) => { one.basis = told; }, { size: "long" }),
    ];
  };

  const step = (name, kind) => (one, n) => {
    const place = (key) => `ladders.${name}.${kind}[${n}].${key}`;
    const share = (told) => (/^\d+(\.\d+)?$/.test(told.trim()) ? Number(told) / 100 : told);
    return [
      text(t("policies.at"), place("at"), Math.round(one.at * 100), (told) => { one.at = told; }, { size: "short", parse: share }),
      text(t("policies.label"), place("label"), one.label, (told) => { one.label = told; }),
      text(t("policies.answer"), place("answer"), one.answer, (told) => put(one, "answer", told.trim()), { size: "short" }),
      toggle(t("policies.supervise"), place("opens_supervision"), one.opens_supervision, (told) => put(one, "opens_supervision", told || "")),
      several(t("policies.to"), place("to"), page.data.audiences.map((id) => [id, t(`audience.${id}`)]), one.to, (told) => { one.to = told; }),
    ];
  };

  const question = (id) => (one, n) => {
    const place = (key) => `categories.${id}.questions[${n}].${key}`;
    const lift = (told) => put(one, "raise", told && { equals: one.choices?.[0] ?? true, ...one.raise, level: told });
    return [
      text(t("policies.code"), place("id"), one.id, (told) => { one.id = told.trim(); }),
      text(t("policies.question"), place("text"), one.text, (told) => { one.text = told; }, { size: "long" }),
      text(t("policies.choices"), place("choices"), (one.choices ?? []).join(", "), (told) => put(one, "choices", told), { parse: words }),
      choice(t("policies.raises"), place("raise"), [["", t("policies.no")], ...levels], one.raise?.level, lift),
      one.choices && text(t("policies.if"), place("raise.equals"), one.raise?.equals, (told) => { if (one.raise) one.raise.equals = told.trim(); }),
    ];
  };

  const category = (id) => {
    const one = policy.categories[id];
    one.questions ??= [];
    return part(`${one.label} (${id})`,
      h("div.line", {}, text(t("policies.label"), `categories.${id}.label`, one.label, (told) => { one.label = told; }),
        one.opens_ticket !== false && choice(t("policies.level"), `categories.${id}.level`, levels, one.level, (told) => { one.level = told; })),
      list(t("policies.question"), one.questions, question(id), () => ({ id: "", text: "", kind: "yes_no" })));
  };

  const reasons = (kind) => {
    const rows = Object.entries(policy.reasons[kind] ?? {});
    // A code that is there already is kept under a name that the check refuses: none is lost unseen.
    const free = (code, n) => (rows.findIndex(([other]) => other === code) < n ? `${code} (${n + 1})` : code);
    const keep = () => { policy.reasons[kind] = Object.fromEntries(rows.map(([code, label], n) => [code && free(code, n), label]).filter(([code]) => code)); };
    const line = (row) => [
      text(t("policies.code"), `reasons.${kind}`, row[0], (told) => { row[0] = told.trim(); keep(); }),
      text(t("policies.label"), `reasons.${kind}.${row[0]}`, row[1], (told) => { row[1] = told; keep(); }, { size: "long" }),
    ];
    const own = Object.assign(rows, { splice: (...told) => { const gone = Array.prototype.splice.apply(rows, told); keep(); return gone; } });
    return part(t(`policies.reasons_${kind}`), list(t("policies.reason_one"), own, line, () => ["", ""]));
  };

  const calendar = () => {
    policy.hours ??= { usual: ["00:00-24:00"] };
    const branches = Object.entries(policy.hours.branches ?? {}).map(([name, spans]) => `${name}: ${spans.join(", ")}`);
    const read = (told) => { policy.hours.branches = Object.fromEntries(told.map((line) => { const [name, spans = ""] = line.split(/[::](.*)/); return [name.trim(), words(spans)]; })); };
    return part(t("policies.calendar"), h("p.soft", {}, t("policies.calendar_hint")), h("div.line", {},
      text(t("policies.hours"), "hours.usual", policy.hours.usual.join(", "), (told) => { policy.hours.usual = told; }, { size: "long", parse: words }),
      lines(t("policies.branches"), "hours.branches", branches, read)), h("div.line", {},
      lines(t("policies.holidays"), "workdays.holidays", policy.workdays.holidays, (told) => { policy.workdays.holidays = told; }),
      lines(t("policies.extra"), "workdays.extra", policy.workdays.extra, (told) => { policy.workdays.extra = told; })));
  };

  return [
    part(t("policies.levels"), inOrder("levels").map((id) => part(`${id} ${policy.levels[id].label}`,
      h("div.line", {}, text(t("policies.label"), `levels.${id}.label`, policy.levels[id].label, (told) => { policy.levels[id].label = told; }),
        choice(t("policies.ladder"), `levels.${id}.ladder`, Object.keys(policy.ladders).map((name) => [name, tOr(`policies.ladder_${name}`, name)]), policy.levels[id].ladder, (told) => { policy.levels[id].ladder = told; })),
      list(t("policies.limit"), policy.levels[id].limits, limit(id), () => ({ clock: "ack", within: "30 min", basis: "" }))))),
    part(t("policies.ladders"), Object.keys(policy.ladders).map((name) => part(tOr(`policies.ladder_${name}`, name),
      CLOCKS.filter((kind) => kind in policy.ladders[name]).map((kind) => part(t(`clock.${kind}`),
        list(t("policies.step"), policy.ladders[name][kind], step(name, kind), () => ({ at: 1, to: [], label: "" }))))))),
    part(t("policies.categories"), inOrder("categories").map(category)),
    part(t("policies.reasons"), REASONS.map(reasons)),
    calendar(),
    sections(policy, levels, inOrder),
    whole(policy, onTaken),
  ];
}
