// Bars as SVG of our own: one ink, the value written at each; the table beside the chart says the same.
const SVG = "http://www.w3.org/2000/svg";
const ROW = 24;
const LABEL = 120;
const BAR = 200;
const WIDTH = LABEL + BAR + 100;

/** Make an element of SVG. */
export function svg(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

/** @param {{label: string, share: number, text: string}[]} bars shares of one */
export function barChart(bars, title) {
  const height = bars.length * ROW + 4;
  const chart = svg("svg", { viewBox: `0 0 ${WIDTH} ${height}`, role: "img", "aria-label": title, class: "chart" });
  bars.forEach(({ label, share, text }, n) => {
    const y = n * ROW + 2;
    const shown = label.length > 9 ? `${label.slice(0, 8)}…` : label;
    const name = svg("text", { x: LABEL - 8, y: y + 16, "text-anchor": "end" }, shown);
    name.append(svg("title", {}, label));
    chart.append(name, svg("rect", { x: LABEL, y: y + 3, width: BAR, height: ROW - 8, class: "chart-whole" }),
      svg("rect", { x: LABEL, y: y + 3, width: Math.max(share * BAR, 1), height: ROW - 8, class: "chart-bar" }),
      svg("text", { x: LABEL + BAR + 6, y: y + 16 }, text));
  });
  return chart;
}
