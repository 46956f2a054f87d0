// The figures: three charts of bars with their values, the table beside them, and the same as a workbook.
import { get } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { now, t } from "../common/page.js";
import { barChart } from "./chart.js";

const KINDS = ["ack", "arrive", "fix"];
const MOST_ARTICLES = 10;
const DAY_MS = 86_400_000;
const day = (at_ms) => new Date(at_ms + 8 * 3_600_000).toISOString().slice(0, 10);
const percent = (share) => (share === null ? "–" : `${(share * 100).toFixed(1)} %`);

function asked() {
  const end = Date.parse(`${$("#to").value}T00:00:00+08:00`) + DAY_MS;
  return { by: $("#by").value, from: `${$("#from").value}T00:00:00+08:00`, to: new Date(end).toISOString() };
}

async function show() {
  if (!$("#asked").checkValidity()) {
    $("#told").textContent = t("board.period_needed");
    return;
  }
  const query = asked();
  $("#export").href = `/api/v1/figures.xlsx?${new URLSearchParams(query)}`;
  try {
    const { from, to } = query;
    const [figures, measured, answers] = await Promise.all([get("/figures", query), get("/measures", { ...query, versus: versus() }), get("/articles/figures", { from, to })]);
    fill($("#measures"), measures(measured));
    fill($("#answered"), answered(answers));
    const groups = figures.items.map((item) => ({ ...item, label: item.label || t("board.no_group") }));
    const isEmpty = groups.length === 0;
    $("#told").textContent = isEmpty ? t("board.nothing") : "";
    $("#table").hidden = isEmpty;
    fill($("#charts"), isEmpty ? [] : KINDS.map((kind) => chart(kind, groups, query.by)));
    if (!isEmpty) fill($("#table"), table(groups, figures.total));
  } catch (problem) {
    toast(problem.message, { kind: "error" });
  }
}

const versus = () => $("#versus").value && `${$("#versus").value}T00:00:00+08:00`;
const days = (from, to) => `${day(Date.parse(from))} – ${day(Date.parse(to) - 1)}`;

/** Two periods side by side, with what each measure counts. */
function measures({ measures: told, from, to, versus_from, versus_to }) {
  const value = ({ value: of_value, of }, isShare) => (of_value === null ? "–" : `${isShare ? percent(of_value) : of_value.toFixed(2)} (${of})`);
  const grown = (change) => (change === null ? "–" : `${change > 0 ? "+" : ""}${percent(change)}`);
  const row = ({ id, is_share, is_more_better, before, after, change }) => h("tr", {},
    h("th", { scope: "row" }, t(`board.measure_${id}`), h("span.soft.small", {}, ` ${t(`board.words_${id}`)}`)),
    h("td", {}, value(before, is_share)), h("td", {}, value(after, is_share)),
    h("td", {}, grown(change), change !== null && change !== 0 && h("span.soft.small", {}, ` ${t(change > 0 === is_more_better ? "board.better" : "board.worse")}`)));
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

function table(groups, total) {
  const columns = [t("board.on_time"), t("board.judged"), t("board.median"), t("board.p90")];
  const cells = (one) => KINDS.flatMap((kind) => [percent(one[kind].share), one[kind].judged, one[kind].median_min ?? "–", one[kind].p90_min ?? "–"]).map((value) => h("td", {}, String(value)));
  const row = (label, one) => h("tr", {}, h("th", { scope: "row" }, label), cells(one));
  return h("table", {},
    h("thead", {}, h("tr", {}, h("th", { rowspan: 2, scope: "col" }, t("board.by")), KINDS.map((kind) => h("th", { colspan: columns.length, scope: "colgroup" }, t(`clock.${kind}`)))),
      h("tr", {}, KINDS.flatMap(() => columns.map((column) => h("th", { scope: "col" }, column))))),
    h("tbody", {}, groups.map((group) => row(group.label, group))), h("tfoot", {}, row(t("board.total"), total)));
}

$("#to").value = day(now());
$("#from").value = day(now() - 6 * DAY_MS);
$("#asked").addEventListener("submit", (event) => { event.preventDefault(); show(); });
for (const id of ["#from", "#to", "#by", "#versus"]) $(id).addEventListener("change", show);
window.addEventListener("signed-out", () => { location.href = "/signin?next=/figures"; });
show();
