// The wallboard: the same data without a name or an address, page after page, nothing to be touched.
import { get, mayFail } from "../common/api.js";
import { $, fill, h } from "../common/dom.js";
import { connect } from "../common/live.js";
import { setNow, t, tOr } from "../common/page.js";
import { surgeAsker, surgeLine } from "../common/surge.js";
import { chip, draw, everySecond, standing } from "../common/sla.js";
import { drawCounters, drawLamp, drawTime } from "../board/counters.js";
import { Tickets } from "../board/state.js";

const PAGE_MS = 10_000;
const word = (name) => t(`wall.${name}`);
const LOAD_MS = 30_000;
const RANKS = ["unanswered", "breached", "urgent", "near", "normal", "paused", "ended"];
const tickets = new Tickets();
let at = 0;
let chips = [];
let all = 0;

async function load() {
  const board = await get("/board", { limit: 200 });
  setNow(board.server_time);
  tickets.replace([board.items, board.rescuable]);
  all = board.counters.open;
  drawCounters($("#counters"), board.counters, word);
  drawLamp(board.lamp, word);
  drawPage();
}

/** Red states first, then by what breaks next. */
function ordered() {
  const rows = [...tickets.byNumber.values()].map((ticket) => ({ ticket, ...standing(ticket) }));
  return rows.sort((a, b) => RANKS.indexOf(a.key) - RANKS.indexOf(b.key) || (a.left_ms ?? Infinity) - (b.left_ms ?? Infinity) || 0).map(({ ticket }) => ticket);
}

/** As many rows as there is room for, measured by the highest that is there. */
function capacity() {
  const table = $("table").getBoundingClientRect();
  const head = $("thead").getBoundingClientRect().height;
  const row = Math.max(...[...$("#rows").children].map((one) => one.getBoundingClientRect().height), 40);
  return Math.max(1, Math.floor((innerHeight - table.top - head - $("#pages").offsetHeight - 12) / row));
}

function drawPage(isMeasured = false) {
  const list = ordered();
  const size = capacity();
  const pages = Math.max(1, Math.ceil(list.length / size));
  at %= pages;
  const shown = list.slice(at * size, (at + 1) * size);
  chips = shown.map((ticket) => ({ ticket, element: chip(ticket) }));
  fill($("#rows"), shown.length ? chips.map(({ ticket, element }) => row(ticket, element)) : h("tr", {}, h("td", { colspan: 4 }, t("wall.empty"))));
  if (!isMeasured && capacity() !== size) drawPage(true); // only now is it known how high a row is
  else $("#pages").textContent = [t("wall.page", { page: at + 1, pages }), all > list.length && t("wall.beyond", { count: all - list.length })].filter(Boolean).join(" · ");
}

function row(ticket, element) {
  return h("tr", {}, h("td", {}, element), h("td", {}, ticket.level), h("td", {}, tOr(`category.${ticket.category}`, ticket.category_label)),
    h("td", {}, ticket.zone_id ?? t("wall.unplaced")));
}

let isLoading = null;
/** Load soon, and not more often than every two seconds. */
function soon() {
  isLoading ??= setTimeout(() => { isLoading = null; load().catch(mayFail); }, 2_000);
}

const askSurge = surgeAsker((state) => {
  $("#surge").hidden = !state.surge;
  $("#surge").textContent = state.surge ? `${t("surge.open")} · ${surgeLine(state)}` : "";
});

const live = connect({
  onReload: () => { load().catch(mayFail); askSurge(); },
  onTicket: soon,
  onGone: soon,
  onSignal: ({ topic }) => { if (topic === "surge") askSurge(); },
  onPulse: ({ scheduler }) => drawLamp(scheduler, word),
  onState: () => drawTime(live),
});
everySecond((at_ms) => {
  for (const { ticket, element } of chips) draw(element, ticket, at_ms);
  drawTime(live);
});
setInterval(() => { at += 1; drawPage(); }, PAGE_MS);
setInterval(() => { soon(); askSurge(); }, LOAD_MS);
window.addEventListener("resize", () => drawPage());
window.addEventListener("signed-out", () => { $("#signed-out").hidden = false; });
