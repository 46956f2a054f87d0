// A week as a table: a row for each team or post in the order in which they are called, a column for each day.
import { h } from "../common/dom.js";
import { t } from "../common/page.js";
import { withinDay } from "./days.js";

/** @param {Array} units those of the week that are shown */
export function table(week, units, today) {
  const heads = week.days.map((day, n) => h("th", { scope: "col", class: day === today ? "is-today" : "" }, h("span.nowrap", {}, `${t(`roster.day_${n + 1}`)} ${day.slice(5)}`), " ", day === today && h("span.chip", {}, t("roster.today")), !week.has_roster[n] && h("span.chip", {}, t("roster.unpublished"))));
  const groups = [...new Set(units.map((unit) => unit.branch))];
  return h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("roster.unit")), heads)),
    groups.map((branch) => h("tbody", {},
      h("tr.group", {}, h("th", { scope: "rowgroup", colspan: 8 }, h("span", {}, branch ? t("roster.branch", { branch }) : t("roster.company")))),
      units.filter((unit) => unit.branch === branch).map((unit) => line(unit, week.days, today)))));
}

function line(unit, days, today) {
  return h("tr", { dataset: { unit: unit.id } },
    h("th", { scope: "row" }, unit.name, unit.in_hand > 0 && h("span.small.soft.nowrap", {}, t("roster.in_hand", { count: unit.in_hand })),
      h("ul.small", {}, unit.rows.map((row) => h("li", {}, t("roster.member", { rank: t(`rank.${row.rank}`), name: row.name, hours: row.worked_h }))))),
    days.map((day, n) => h("td", { class: day === today ? "is-today" : "" }, cell(unit, n))));
}

function cell(unit, n) {
  const duties = unit.rows.flatMap((row) => row.days[n].map((duty) => ({ row, duty })));
  duties.sort((one, other) => one.duty.start_at.localeCompare(other.duty.start_at));
  return [h("ul", {}, duties.map(({ row, duty }) => h("li", { title: duty.hours }, h("span.shift", {}, duty.shift), " ", t(`rank.${row.rank}`), " ", who(row, duty)))),
    unit.holes[n].map((one) => h("p.hole", {}, withinDay(one)))];
}

/** Who does a duty: the one of the rotation, or what has come between, in sign and word. */
function who(row, duty) {
  const by = duty.by.join(", ");
  if (duty.is_swapped) return [h("s", {}, row.name), h("b.mark", {}, by ? t("roster.swapped", { by }) : t("roster.swapped_away"))];
  if (duty.is_away) return [h("s", {}, row.name), h("b.mark", {}, by ? t("roster.away_by", { by }) : t("roster.away"))];
  return row.name;
}
