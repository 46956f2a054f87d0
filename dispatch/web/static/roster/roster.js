// The roster: a week of one branch, who is responsible, and, for those who make it, workbooks, leave and swaps.
import { get } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { now, page, t } from "../common/page.js";
import { changes, show as showChanges } from "./changes.js";
import { rosters } from "./rosters.js";
import { dayAfter, hoursOf, today } from "./days.js";
import { table } from "./table.js";
import { who } from "./who.js";

const asked = new URLSearchParams(location.search);
let day = asked.get("day") || today(now());
let branch = asked.get("branch") || "";
let week = null;

async function load() {
  const wanted = day;
  const told = await get("/roster-week", { day, branch });
  if (wanted !== day) return; // another week was asked for meanwhile
  week = told;
  branch = told.branch ?? "";
  history.replaceState(null, "", `?${new URLSearchParams({ day, ...(branch && { branch }) })}`);
  $("#day").value = day;
  fill($("#branch"), told.branches.map((one) => h("option", { value: one, selected: one === branch }, one)));
  $("#branch").disabled = !told.branches.length;
  draw();
  showToday();
  if (page.data.may_change) showChanges(week);
}

function draw() {
  const word = $("#only").value.trim().toLowerCase();
  const fits = (unit) => !word || [unit.name, ...unit.rows.map((row) => row.name)].some((name) => name.toLowerCase().includes(word));
  const units = week.units.filter((unit) => fits(unit) && (!$("#only-holes").checked || unit.holes.flat().length));
  fill($("#said"), said());
  fill($("#week"), !week.roster ? h("p", {}, t("roster.none")) : units.length ? table(week, units, today(now())) : h("p", {}, t("roster.nothing")));
  fill($("#key"), week.roster && [shifts(), h("br"), t("roster.key")]);
}

/** Where the week is wider than the screen: today stands beside the names. The page itself must not move. */
function showToday() {
  const [names, head] = ["#week thead th", "#week thead .is-today"].map((one) => $(one));
  $("#week").scrollLeft = 0;
  if (head) $("#week").scrollLeft = head.getBoundingClientRect().left - names.getBoundingClientRect().right;
}

/** Which roster this is, and how much of the week nobody has. */
function said() {
  if (!week.roster) return t("roster.none_why");
  const open = week.units.filter((unit) => unit.holes.flat().length);
  const hours = open.flatMap((unit) => unit.holes.flat()).reduce((sum, one) => sum + hoursOf(one), 0);
  return [h("b", {}, week.roster.name), week.roster.is_sample && h("span.chip", {}, t("roster.sample")),
    h(`span.${open.length ? "hole" : "whole"}`, {}, open.length ? t("roster.open", { units: open.length, hours: Math.round(hours * 10) / 10 }) : t("roster.whole"))];
}

/** The hours of the shifts of this week, told once. */
function shifts() {
  const duties = week.units.flatMap((unit) => unit.rows.flatMap((row) => row.days.flat()));
  return [...new Set(duties.map((duty) => `${duty.shift} ${duty.hours}`))].join(" · ");
}

function go(where) {
  day = where;
  reload();
}

function reload() {
  return load().catch((problem) => toast(problem.message, { kind: "error" }));
}

$("#before").addEventListener("click", () => go(dayAfter(day, -7)));
$("#this").addEventListener("click", () => go(today(now())));
$("#after").addEventListener("click", () => go(dayAfter(day, 7)));
$("#day").addEventListener("change", ({ target }) => target.value && target.checkValidity() && go(target.value));
$("#branch").addEventListener("change", ({ target }) => { branch = target.value; reload(); });
$("#only").addEventListener("input", draw);
$("#only-holes").addEventListener("change", draw);
who();
if (page.data.may_change) {
  changes(reload);
  rosters(reload);
}
reload();
