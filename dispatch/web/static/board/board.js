// The board: what it shows, what it hears, which key does what.
import { get, mayFail } from "../common/api.js";
import { watchAttention } from "../common/attention.js";
import { $, fill, h, toast } from "../common/dom.js";
import { bind } from "../common/keys.js";
import { connect } from "../common/live.js";
import { now, setNow, t } from "../common/page.js";
import { everySecond } from "../common/sla.js";
import { makeActions } from "./actions.js";
import { drawRequests, drawTeams } from "./below.js";
import { drawCounters, drawLamp, drawTime } from "./counters.js";
import { caseSection, casesOf } from "./cases.js";
import { Detail } from "./detail.js";
import * as filters from "./filters.js";
import { askOutages } from "./outages.js";
import { Place } from "./place.js";
import { Queue } from "./queue.js";
import { similarTo } from "./similar.js";
import { Tickets } from "./state.js";
import { askSurge } from "./surge.js";

const PAGE = 100;
const MOST_ENDED = 1_000;
const FILTERS_AGAIN_MS = 3_000;
const word = (name) => t(`board.${name}`);
// The detail stands below the queue, and would open unseen.
const NARROW = matchMedia("(max-width: 799px)");
const tickets = new Tickets();
tickets.filter = filters.read();
let opened = null;
let next = null;
let all = 0;
let loads = 0;
// Tickets that ended while a list was on its way: it does not know yet.
const ended = new Map();

const queue = new Queue($("#queue"), open);
const place = new Place($("#map"), open);
const detail = new Detail($("#detail"), (name, subject) => run(name, subject), open);
const actions = makeActions({
  form: detail.form,
  pickPlace: (onPick) => place.pick(onPick),
  onDone: (number) => { queue.focus(number); showDetail(number); recount(); },
  onStale: (ticket, number) => { if (ticket) tickets.put(ticket); draw(); showDetail(number); },
});

// ---------------------------------------------------------------- what is shown

/** Take out again what was told to be over after the list was made. */
function forgetEnded() {
  for (const [number, version] of ended) if (tickets.get(number)?.version < version) tickets.remove(number);
}

/** Run at most once in `pause_ms`, and once more after the last wish. */
function throttled(pause_ms, job) {
  let timer = null;
  let isWanted = false;
  const start = async () => {
    isWanted = false;
    timer = setTimeout(() => { timer = null; if (isWanted) start(); }, pause_ms);
    await job().catch(told);
  };
  return () => { isWanted = true; if (timer === null) start(); };
}

/** A server out of reach is told by the lamp of the connection, an ended session on top; what the server names is said. */
function told(problem) {
  mayFail(problem);
  if (problem.status && problem.status !== 401) toast(problem.message, { kind: "error" });
}

function take(board) {
  setNow(board.server_time);
  all = board.counters.open;
  drawCounters($("#counters"), board.counters, word);
  drawLamp(board.lamp, word);
}

async function load() {
  const turn = ++loads;
  const board = await get("/board", { ...tickets.filter, limit: PAGE });
  if (turn !== loads) return; // another filter was asked for since
  tickets.replace([board.items, board.rescuable]);
  forgetEnded();
  next = board.next;
  take(board);
  draw();
}

async function loadMore() {
  const turn = loads;
  const board = await get("/board", { ...tickets.filter, limit: PAGE, after: next });
  if (turn !== loads) return;
  tickets.add([board.items]);
  forgetEnded();
  next = board.next;
  take(board);
  draw();
}

const recount = throttled(2_000, async () => {
  const [board, asked] = await Promise.all([get("/board", { ...tickets.filter, limit: 0 }), get("/requests", { limit: 200 })]);
  take(board);
  drawRequests(asked.items, open);
  drawShown();
});

const loadTeams = throttled(10_000, async () => drawTeams((await get("/board/teams")).items, dropOn));
const loadCrews = throttled(5_000, async () => place.drawCrews((await get("/positions")).items));

// What was photographed changes by a signal alone: it is not fetched at every line of the timeline.
let photos = null;
let photoTurn = 0;

async function photosOf(number) {
  if (photos?.number === number) return photos.items;
  const turn = photoTurn;
  const { items } = await get(`/tickets/${number}/photos`);
  if (turn === photoTurn) photos = { number, items };
  return items;
}

function forgetPhotos() {
  photoTurn += 1;
  photos = null;
}

/** Draw the detail and return its ticket; null where somebody has opened another one meanwhile. */
async function drawDetail(number) {
  const [ticket, asked, pictures, similar, cases] = await Promise.all([
    get(`/tickets/${number}`), get("/requests", { number }), photosOf(number), similarTo(number), casesOf(number),
  ]);
  if (number !== opened) return null;
  detail.draw(ticket, asked.items, pictures, similar, caseSection(number, cases, () => showDetail(number)));
  return ticket;
}

const loadDetail = throttled(500, async () => {
  const number = opened;
  if (!number) return;
  const ticket = await drawDetail(number);
  if (ticket && tickets.get(number)) tickets.put(ticket);
});

function showDetail(number) {
  if (number === opened) loadDetail();
}

function draw(at_ms = now()) {
  const rows = tickets.ordered(at_ms);
  queue.draw(rows, opened, at_ms);
  place.draw(rows.map(({ ticket }) => ticket), at_ms);
  drawShown();
}

function drawShown() {
  $("#shown").textContent = t("board.shown", { shown: tickets.byNumber.size, all });
  $("#more").hidden = next === null;
}

/** Show a ticket in the detail and on the map; where it cannot be had, the one that was shown stays. */
async function open(number) {
  const before = opened;
  opened = number;
  actions.close();
  draw();
  let ticket;
  try {
    ticket = await drawDetail(number);
  } catch (problem) {
    mayFail(problem);
    if (opened === number) opened = before;
    draw();
    toast(t("board.not_opened", { number, why: problem.message }), { kind: "error" });
    return;
  }
  if (!ticket) return;
  place.follow(ticket);
  $("#detail").dataset.number = number;
  if (NARROW.matches) $("#detail").scrollIntoView();
}

// ---------------------------------------------------------------- what is done

/** Do something to the ticket under the keyboard's focus, or else to the one in the detail. */
async function run(name, subject) {
  const number = queue.focused ?? opened;
  if (!number) return;
  if (number !== opened || detail.ticket?.number !== number) await open(number);
  if (detail.ticket?.number === number) actions.run(name, detail.ticket, detail.requests, subject);
}

/** A ticket was dropped on a team: the form opens with that team chosen, and asks as it does by key. */
async function dropOn(teamId, number) {
  await open(number);
  if (detail.ticket?.number !== number || detail.ticket.team_id === teamId) return;
  actions.run("reassign", detail.ticket, detail.requests, teamId);
}

function closeForm() {
  actions.close();
  if (opened) queue.focus(opened);
}

function toggle(details) {
  details.open = !details.open;
  (details.querySelector("select, input") ?? details.querySelector("summary")).focus();
}

const KEYS = {
  j: () => queue.move(1, opened),
  k: () => queue.move(-1, opened),
  r: () => run("reassign"),
  u: () => run("urge"),
  s: () => run("supervise"),
  a: () => run("acknowledge"),
  g: () => run("grant"),
  x: () => run("refuse"),
  h: () => run("hold"),
  e: () => run("extend"),
  l: () => run("relevel"),
  f: () => toggle($("#filters")),
  "?": () => toggle($("#help")),
};
bind({ ...KEYS, Escape: closeForm });

function drawKeys() {
  const words = {
    "J / K": t("board.key_move"), Enter: t("board.key_open"), R: t("verb.reassign"), U: t("verb.urge"), S: t("verb.supervise"),
    A: t("board.acknowledge"), G: t("board.grant"), X: t("board.refuse"), H: t("verb.hold"), E: t("verb.extend"), L: t("verb.relevel"),
    F: t("board.key_filter"), Esc: t("board.key_close"), "?": t("board.key_help"),
  };
  fill($("#keys"), Object.entries(words).map(([key, word]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, word)]));
}

async function buildFilters() {
  try {
    await filters.build((await get("/board/teams")).items, (filter) => { tickets.filter = filter; load().catch(told); recount(); });
  } catch (problem) {
    mayFail(problem); // the lamp and the queue tell; the form comes with the server
    setTimeout(buildFilters, FILTERS_AGAIN_MS);
  }
}

// ---------------------------------------------------------------- what is heard

function hear(ticket) {
  if (ticket.ended_at) {
    if (ended.size >= MOST_ENDED) ended.clear();
    ended.set(ticket.number, ticket.version);
  }
  tickets.put(ticket);
  draw();
  showDetail(ticket.number);
  recount();
  loadTeams();
}

const live = connect({
  onReload: () => { forgetPhotos(); load().catch(told); showDetail(opened); recount(); loadTeams(); loadCrews(); askSurge(); askOutages(place); },
  onTicket: hear,
  onGone: ({ number }) => { tickets.remove(number); draw(); recount(); },
  onSignal: ({ topic, key }) => {
    if (topic === "position") loadCrews();
    if (topic === "case") showDetail(opened);
    if (topic === "photo") {
      if (key === opened) forgetPhotos();
      showDetail(key);
    }
    if (topic === "surge") askSurge();
    if (topic === "outage") askOutages(place);
    if (topic === "similar") showDetail(key);
  },
  onPulse: ({ scheduler }) => drawLamp(scheduler, word),
  onState: () => drawTime(live),
});

everySecond((at_ms) => {
  queue.tick(at_ms);
  detail.tick(at_ms);
  draw(at_ms);
  drawTime(live);
});
// A breach that time alone brings changes the counters without a word from anybody.
setInterval(() => { recount(); loadCrews(); askSurge(); askOutages(place); }, 15_000);
window.addEventListener("signed-out", () => { $("#signed-out").hidden = false; });
$("#more").addEventListener("click", () => loadMore().catch(told));
watchAttention();
drawKeys();
buildFilters();
