// Incidents: the list, one of them, and a new one from a ticket of the board (#ticket=GD…).
import { get, mayFail, post } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { connect } from "../common/live.js";
import { now, page, t, tOr } from "../common/page.js";
import { shortTime } from "../common/time.js";
import { uuid } from "../common/uuid.js";
import { Area } from "./area.js";
import { form, parts } from "./detail.js";

const ALIVE = "proposed,open";
const told = (problem) => toast(problem.message, { kind: "error" });
let opened = null;
let shown = null;
let next = null;
let turn = 0;

const area = new Area($("#map"), { onSketch: () => drawDetail(), onDone: (ring) => { area.stop(); act("area", { ring }); } });

// ---------------------------------------------------------------- the list

async function load(after = 0) {
  const mine = ++turn;
  const found = await get("/incidents", { status: $("#all").checked ? "" : ALIVE, after, limit: 50 });
  if (mine !== turn) return;
  const rows = found.items.map(row);
  if (after) $("#list").append(...rows);
  else fill($("#list"), rows.length ? rows : h("li.soft", {}, t("incidents.none")));
  next = found.next;
  $("#more").hidden = next === null;
}

function row(incident) {
  const words = [
    h("b", {}, incident.title),
    h("span.row", {}, h("span.chip", {}, t(`incidents.${incident.status}`)), h("span", {}, tOr(`category.${incident.category}`, incident.category_label)),
      h("span", {}, t("incidents.counts", { callers: incident.callers, tickets: incident.ticket_count })),
      incident.suggested_count > 0 && h("span.chip", {}, t("incidents.suggested_short", { count: incident.suggested_count })),
      h("span.soft", {}, `${incident.number} · ${shortTime(incident.created_at, now())}`)),
  ];
  return h("li", {}, h("button.incident", { type: "button", dataset: { incident: incident.number }, onclick: () => { location.hash = incident.number; } }, words));
}

function markOpened() {
  for (const button of document.querySelectorAll("[data-incident]")) {
    if (button.dataset.incident === opened) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  }
}

// ---------------------------------------------------------------- one of them

async function open(number) {
  const isNew = number !== opened;
  opened = number;
  if (isNew) area.stop();
  const found = await get(`/incidents/${number}`);
  if (opened !== number) return;
  show(found, isNew);
}

function show(incident, isNew) {
  shown = incident;
  drawDetail();
  area.draw(incident, isNew);
  markOpened();
  if (isNew) $("#detail").focus({ preventScroll: true });
}

function drawDetail() {
  if (!shown) return;
  if (area.points) {
    fill($("#detail"), h("h2", {}, shown.title), area.form(() => { area.stop(); drawDetail(); }));
    $("#corner").focus();
  } else {
    fill($("#detail"), parts(shown, act, () => { area.start(); $("#map").scrollIntoView({ block: "nearest" }); }));
  }
}

async function act(what, body) {
  try {
    show(await post(`/incidents/${opened}/${what}`, body, { key: uuid() }), what === "area");
    toast(t("incidents.saved"));
  } catch (problem) {
    told(problem);
    drawDetail();
  }
  load().then(markOpened, told);
}

// ---------------------------------------------------------------- a new one

async function begin(number) {
  opened = shown = null;
  area.stop();
  const [ticket, similar, alive] = await Promise.all([get(`/tickets/${number}`), get(`/tickets/${number}/similar`).catch(() => ({ items: [] })), get("/incidents", { status: "open", limit: 50 })]);
  if (ticket.incident) {
    location.hash = ticket.incident.number;
    return;
  }
  const title = h("input", { id: "title", maxlength: 120, placeholder: `${tOr(`category.${ticket.category}`, ticket.category_label)}: ${ticket.address}` });
  const boxes = similar.items.map((one) => h("input", { type: "checkbox", value: one.number }));
  const into = h("select", { id: "into" }, alive.items.map((one) => h("option", { value: one.number }, `${one.number} ${one.title}`)));
  const create = () => send("/incidents", { lead: number, tickets: boxes.filter(({ checked }) => checked).map(({ value }) => value), title: title.value });
  fill($("#detail"), h("h2", {}, t("incidents.begin", { number })), h("p", {}, `${ticket.address} · ${ticket.description}`),
    boxes.length > 0 && h("fieldset", {}, h("legend", {}, t("incidents.similar")), similar.items.map((one, n) => h("label.row", {}, boxes[n], `${one.number} · ${one.address} · ${one.description} · ${one.reasons.join("; ")}`))),
    form([[t("incidents.name"), title]], t("incidents.open_it"), create),
    alive.items.length > 0 && form([[t("incidents.or_join"), into]], t("incidents.join"), () => send(`/incidents/${into.value}/join`, { tickets: [number] })));
  title.focus();
}

async function send(path, body) {
  const { number } = await post(path, body, { key: uuid() }).catch((problem) => { told(problem); return {}; });
  if (!number) return;
  toast(t("incidents.saved"));
  location.hash = number;
  load().then(markOpened, told);
}

// ---------------------------------------------------------------- where to begin

function go() {
  const hash = decodeURIComponent(location.hash.slice(1));
  const from = /^ticket=(.+)$/.exec(hash)?.[1];
  const work = from && page.data.may ? begin(from) : hash ? open(hash) : null;
  work?.catch((problem) => { mayFail(problem); told(problem); });
}

window.addEventListener("hashchange", go);
$("#all").addEventListener("change", () => load().then(markOpened, told));
$("#more").addEventListener("click", () => load(next).then(markOpened, told));
window.addEventListener("signed-out", () => { $("#signed-out").hidden = false; });
connect({
  onReload: () => { load().then(markOpened, told); },
  onSignal: ({ topic, key }) => {
    if (topic !== "incident") return;
    load().then(markOpened, told);
    // What somebody types stays: the rest is drawn again once they have done with it.
    if (key === opened && !area.points && !$("#detail").contains(document.activeElement)) open(key).catch(told);
  },
});
go();
