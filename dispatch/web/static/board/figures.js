// The figures: charts of bars with their values, the table beside them with what each figure counts, and files of both.
import { get } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { now, page, t } from "../common/page.js";
import { list } from "./behind.js";
import { barChart } from "./chart.js";
import { paint } from "./heat.js";
import { trendChart } from "./trend.js";

const KINDS = ["ack", "arrive", "isolate", "fix", "callback"];
const MOST_ARTICLES = 10;
const DAY_MS = 86_400_000;
const day = (at_ms) => new Date(at_ms + 8 * 3_600_000).toISOString().slice(0, 10);
const percent = (share) => (share === null ? "–" : `${(share * 100).toFixed(1)} %`);
const said = (defined) => defined[page.lang] ?? defined.zh;

function asked() {
  const end = Date.parse(`${$("#to").value}T00:00:00+08:00`) + DAY_MS;
  const query = { by: $("#by").value, from: `${$("#from").value}T00:00:00+08:00`, to: new Date(end).toISOString() };
  return $("#level").value ? { ...query, level: $("#level").value } : query;
}

async function show() {
  if (!$("#asked").checkValidity()) {
    $("#told").textContent = t("board.period_needed");
    return;
  }
  const query = asked();
  for (const form of ["xlsx", "csv"]) $(`#export-${form}`).href = `/api/v1/figures.${form}?${new URLSearchParams(query)}`;
  try {
    const { from, to } = query;
    const [figures, measured, answers, trend] = await Promise.all([
      get("/figures", query), get("/measures", { ...query, versus: versus() }), get("/articles/figures", { from, to }), get("/figures/trend", query),
    ]);
    seen = { figures, trend };
    $("#behind").hidden = true;
    pictures();
    fill($("#measures"), measures(measured));
    fill($("#answered"), answered(answers));
    const groups = figures.items.map((item) => ({ ...item, label: item.label || t("board.no_group") }));
    const isEmpty = groups.length === 0;
    $("#told").textContent = isEmpty ? t("board.nothing") : "";
    $("#table").hidden = isEmpty;
    const kinds = KINDS.filter((kind) => figures.total[kind].judged > 0);
    fill($("#charts"), isEmpty ? [] : kinds.map((kind) => chart(kind, groups, query.by)));
    if (!isEmpty) fill($("#table"), table(kinds, groups, figures.total, query));
    fill($("#defined"), figures.definitions.map(definition));
  } catch (problem) {
    toast(problem.message, { kind: "error" });
  }
}

let seen = null;

/** Draw what the chosen metric says: day by day, and on the map where figures are those of grids. */
function pictures() {
  if (!seen) return;
  const metric = $("#metric").value;
  const isShare = metric !== "tickets";
  const name = $("#metric").selectedOptions[0].textContent;
  const say = (one) => (isShare ? percent(one) : String(Math.round(one)));
  fill($("#trend"), trendChart(seen.trend.periods, name, (one) => one[metric], say));
  $("#heat-card").hidden = seen.figures.by !== "zone";
  if (seen.figures.by !== "zone") return;
  const values = seen.figures.items.map((item) => [item.key, isShare ? item[metric].share : item.tickets]).filter(([, one]) => one !== null);
  paint(new Map(values), name, isShare, say).catch((problem) => toast(problem.message, { kind: "error" }));
}

const versus = () => $("#versus").value && `${$("#versus").value}T00:00:00+08:00`;
const days = (from, to) => `${day(Date.parse(from))} – ${day(Date.parse(to) - 1)}`;

function value({ value: told, of }, unit) {
  if (told === null) return "–";
  const text = { share: percent, count: (one) => one.toFixed(2), minutes: (one) => t("board.minutes", { minutes: one.toFixed(1) }) }[unit](told);
  return `${text} (${of})`;
}

const how = (defined) => h("span.soft.small", {}, ` ${said(defined).words} · ${t("board.formula", said(defined))} · ${t("board.source", said(defined))}`);
const definition = (defined) => h("li", {}, h("b", {}, said(defined).label), how(defined));

/** Two periods side by side, with what each measure counts. */
function measures({ measures: told, from, to, versus_from, versus_to }) {
  const grown = (change) => (change === null ? "–" : `${change > 0 ? "+" : ""}${percent(change)}`);
  const row = (one) => h("tr", {},
    h("th", { scope: "row" }, said(one).label, how(one)),
    h("td", {}, value(one.before, one.unit)), h("td", {}, value(one.after, one.unit)),
    h("td", {}, grown(one.change), one.change !== null && one.change !== 0 && h("span.soft.small", {}, ` ${t(one.change > 0 === one.is_more_better ? "board.better" : "board.worse")}`)));
  const heads = [t("board.measure"), days(versus_from, versus_to), days(from, to), t("board.change")];
  return h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, told.map(row)));
}

/** Calls that no ticket was owed for, and the articles that they were answered by. */
function answered({ calls, answered: count, by_article, items }) {
  const share = calls ? percent(count / calls) : "–";
  return [h("p", {}, t("board.direct_told", { calls, count, share, by_article })),
    items.length > 0 && h("ul.lines", {}, items.slice(0, MOST_ARTICLES).map((one) => h("li", {}, `${one.title} · ${one.answered}`)))];
}

function chart(kind, groups, by) {
  const title = `${t(`clock.${kind}`)} · ${t("board.on_time")}`;
  const bars = groups.filter((group) => group[kind].judged > 0).map((group) => ({ label: group.label, share: group[kind].share, text: `${percent(group[kind].share)} (${group[kind].judged})` }));
  return h("figure.card", {}, h("figcaption", {}, h("h2", {}, title)),
    barChart(bars, t("board.chart", { clock: t(`clock.${kind}`), by: t(`board.by_${by}`) })));
}

function table(kinds, groups, total, query) {
  const columns = ["board.on_time", "board.judged", "figures.late", "board.median", "board.p90", "board.late_median", "board.late_p90"].map((name) => t(name));
  const numbers = (one) => [percent(one.share), one.judged, one.median_min ?? "–", one.p90_min ?? "–", one.late_median_min ?? "–", one.late_p90_min ?? "–"];
  const open = (label, one, count, kind) => (count === 0 ? "0" : h("button.link", { type: "button", "aria-label": t("figures.show_behind", { label: kind ? t("figures.of_clock", { label, clock: t(`clock.${kind}`) }) : label, count }), onclick: () => list(one.key === undefined ? query : { ...query, key: one.key }, label, kind) }, String(count)));
  const ofClock = (label, one, kind) => {
    const [share, judged, ...rest] = numbers(one[kind]);
    return [share, judged, open(label, one, judged - one[kind].on_time, kind), ...rest];
  };
  const cells = (label, one) => [open(label, one, one.tickets), ...kinds.flatMap((kind) => ofClock(label, one, kind))].map((content) => h("td", {}, typeof content === "number" ? String(content) : content));
  const row = (label, one) => h("tr", {}, h("th", { scope: "row" }, label), cells(label, one));
  return h("table", {},
    h("thead", {}, h("tr", {}, ["by", "tickets"].map((name) => h("th", { rowspan: 2, scope: "col" }, t(`board.${name}`))), kinds.map((kind) => h("th", { colspan: columns.length, scope: "colgroup" }, t(`clock.${kind}`)))),
      h("tr", {}, kinds.flatMap(() => columns.map((column) => h("th", { scope: "col" }, column))))),
    h("tbody", {}, groups.map((group) => row(group.label, group))), h("tfoot", {}, row(t("board.total"), total)));
}

$("#to").value = day(now());
$("#from").value = day(now() - 6 * DAY_MS);
$("#asked").addEventListener("submit", (event) => { event.preventDefault(); show(); });
for (const id of ["#from", "#to", "#by", "#level", "#versus"]) $(id).addEventListener("change", show);
$("#metric").addEventListener("change", pictures);
window.addEventListener("signed-out", () => { location.href = "/signin?next=/figures"; });
show();
