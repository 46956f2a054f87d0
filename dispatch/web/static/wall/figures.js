// The figures of today on a wall: beside those of the same weekday a week ago, up to the same minute; nothing personal.
import { get, mayFail } from "../common/api.js";
import { $, fill, h } from "../common/dom.js";
import { now, page, t } from "../common/page.js";
import { everySecond } from "../common/sla.js";
import { svg } from "../board/chart.js";

const KINDS = ["ack", "arrive", "isolate", "fix", "callback"];
const LOAD_MS = 60_000;
const PAGE_MS = 15_000;
// Twice without an answer: what stands here is old.
const LOST_MS = 2.5 * LOAD_MS;
const WEEK_MS = 7 * 86_400_000;
const AHEAD_MS = 8 * 3_600_000;
const BAR = 100;
let loadedAt = null;
let at = 0;

const percent = (share) => (share === null ? "–" : `${(share * 100).toFixed(1)} %`);
const measured = ({ value }, unit) => (value === null ? "–" : { share: percent, count: (one) => one.toFixed(2), minutes: (one) => t("figures_wall.minutes", { minutes: one.toFixed(1) }) }[unit](value));
const said = (defined) => (defined[page.lang] ?? defined.zh).label;
const iso = (at_ms) => new Date(at_ms).toISOString();

async function load() {
  const end = now();
  const start = Math.floor((end + AHEAD_MS) / 86_400_000) * 86_400_000 - AHEAD_MS;
  const today = { from: iso(start), to: iso(end), by: "branch" };
  const [figures, before, { measures }] = await Promise.all([
    get("/figures", today), get("/figures", { ...today, from: iso(start - WEEK_MS), to: iso(end - WEEK_MS) }),
    get("/measures", { ...today, versus: iso(start - WEEK_MS) }),
  ]);
  loadedAt = now();
  const kinds = KINDS.filter((kind) => figures.total[kind].judged + before.total[kind].judged > 0);
  fill($("#tiles"), tile(t("figures_wall.tickets"), String(figures.total.tickets), String(before.total.tickets)),
    kinds.map((kind) => tile(t("figures_wall.on_time", { clock: t(`clock.${kind}`) }), percent(figures.total[kind].share), percent(before.total[kind].share))),
    measures.map((one) => tile(said(one), measured(one.after, one.unit), measured(one.before, one.unit))));
  fill($("#heads"), h("th", { scope: "col" }, t("common.branch")), h("th", { scope: "col" }, t("figures_wall.tickets")), kinds.map((kind) => h("th", { scope: "col" }, t(`clock.${kind}`))));
  fill($("#rows"), figures.items.length ? figures.items.map((item) => row(item, kinds)) : h("tr", {}, h("td", { colspan: kinds.length + 2 }, t("figures_wall.none"))));
}

function tile(name, value, before) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, h("b", {}, value), h("span", {}, t("figures_wall.before", { value: before }))));
}

function row(item, kinds) {
  return h("tr", {}, h("th", { scope: "row" }, item.label || t("figures_wall.no_branch")), h("td", {}, String(item.tickets)),
    kinds.map((kind) => h("td", {}, bar(item[kind].share), percent(item[kind].share))));
}

function bar(share) {
  const drawn = svg("svg", { viewBox: `0 0 ${BAR} 12`, class: "wall-share", "aria-hidden": "true" });
  drawn.append(svg("rect", { width: BAR, height: 12, class: "whole" }), svg("rect", { width: (share ?? 0) * BAR, height: 12, class: "part" }));
  return drawn;
}

/** One page after the other: what the city did, and what each branch did. */
function turn() {
  $("#tiles").hidden = at % 2 === 1;
  $("#branches").hidden = at % 2 === 0;
}

function tick(at_ms) {
  $("#clock").textContent = iso(at_ms + AHEAD_MS).slice(0, 16).replace("T", " ");
  if (loadedAt === null) return;
  const age_s = Math.max(0, Math.round((at_ms - loadedAt) / 1000));
  $("#age").dataset.state = at_ms - loadedAt > LOST_MS ? "lost" : "live";
  $("#age").textContent = t("figures_wall.age", { seconds: age_s });
}

const soon = () => load().catch(mayFail);
soon();
turn();
everySecond(tick);
setInterval(soon, LOAD_MS);
setInterval(() => { at += 1; turn(); }, PAGE_MS);
window.addEventListener("signed-out", () => { $("#signed-out").hidden = false; });
