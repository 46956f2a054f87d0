// How a figure went day by day, beside last week's and last year's: lines of our own, told apart by their dashes.
import { h } from "../common/dom.js";
import { t } from "../common/page.js";
import { svg } from "./chart.js";

const WIDE = 900;
const HIGH = 200;
const LEFT = 56;
const DAY_MS = 86_400_000;

/** Return the chart. @param {(day: object) => number|null} value @param {(value: number) => string} say */
export function trendChart(periods, metric, value, say) {
  const lines = periods.map(({ id, from, days }) => ({ id, points: days.map((day) => [Math.round((Date.parse(`${day.day}T00:00:00+08:00`) - Date.parse(from)) / DAY_MS), value(day)]).filter(([, one]) => one !== null) }));
  const all = lines.flatMap(({ points }) => points);
  const wide = Math.max(1, ...all.map(([n]) => n));
  const most = Math.max(...all.map(([, one]) => one), 0) || 1;
  const x = (n) => LEFT + (Math.max(n, 0) / wide) * (WIDE - LEFT - 16);
  const y = (one) => HIGH - 24 - (one / most) * (HIGH - 44);
  const [first, last] = [periods[0].days.at(0)?.day ?? "–", periods[0].days.at(-1)?.day ?? "–"];
  const chart = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", class: "line-chart", "aria-label": t("figures.trend_label", { metric, first, last }) });
  for (const one of [0, most]) chart.append(svg("path", { class: "line-grid", d: `M${LEFT} ${y(one)}H${WIDE - 16}` }), svg("text", { x: LEFT - 6, y: y(one) + 4, "text-anchor": "end" }, say(one)));
  for (const { id, points } of lines.toReversed()) {
    if (points.length) chart.append(svg("path", { class: `line-${id}`, d: points.map(([n, one], k) => `${k ? "L" : "M"}${x(n).toFixed(1)} ${y(one).toFixed(1)}`).join("") + (points.length === 1 ? "h3" : "") }));
  }
  lines.forEach(({ id }, n) => chart.append(svg("path", { class: `line-${id}`, d: `M${LEFT + n * 230} ${HIGH - 5}h28` }), svg("text", { x: LEFT + 34 + n * 230, y: HIGH - 1 }, t(`figures.period_${id}`))));
  return h("div", {}, chart);
}
