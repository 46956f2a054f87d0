// One incident in words: what is known of it, its tickets, those suggested, and what can be done.
import { get, mayFail } from "../common/api.js";
import { h } from "../common/dom.js";
import { now, page, t } from "../common/page.js";
import { shortTime } from "../common/time.js";

const { may } = page.data;
const time = (iso) => iso && shortTime(iso, now());
const ENDED = new Set(["closed", "dismissed"]);
const ACTIVE = new Set(["received", "dispatched", "accepted", "en_route", "on_site", "working", "on_hold", "returned"]);

/**
 * Return what the detail shows.
 * @param {(what: string, body: object, done: string) => Promise} act posts to the incident
 */
export function parts(incident, act, startDrawing) {
  const isAlive = !ENDED.has(incident.status);
  const isOpen = isAlive && incident.status !== "proposed";
  return [
    h("header.row", {}, h("h2", {}, incident.title), h("span.chip", {}, t(`incidents.${incident.status}`)), h("span.soft", {}, incident.number)),
    facts(incident),
    incident.tickets.length > 0 && tickets(incident, may && isOpen, act),
    may && isAlive && suggested(incident, isOpen, act),
    may && incident.status !== "dismissed" && areaForms(act, startDrawing),
    may && incident.status !== "dismissed" && factForms(act),
    may && isAlive && ending(incident, isOpen, act),
    h("details", { open: true }, h("summary", {}, t("incidents.timeline")), h("ol.small", {}, [...incident.timeline].reverse().map(({ at, text }) => h("li", {}, h("time", {}, time(at)), " ", h("span", { lang: "zh-CN" }, text))))),
  ];
}

function facts(incident) {
  const told = [
    [t("incidents.reason"), incident.reason],
    [t("incidents.lead"), incident.lead],
    [t("incidents.callers"), t("incidents.counts", { callers: incident.callers, tickets: incident.ticket_count })],
    [t("incidents.affected"), incident.affected_users !== null && t("incidents.estimate_of", { users: incident.affected_users, basis: incident.affected_basis })],
    [t("incidents.area"), incident.area_how && t(`incidents.how_${incident.area_how.kind}`, { metres: incident.area_how.metres, grids: incident.area_how.zone_ids?.join(", ") })],
    [t("incidents.isolated_at"), time(incident.isolated_at)],
    [t("incidents.restore_expected_at"), time(incident.restore_expected_at)],
    [t("incidents.restored_at"), time(incident.restored_at)],
    [t("incidents.created_at"), time(incident.created_at)],
    [t("incidents.closed_at"), time(incident.closed_at)],
  ];
  return h("dl.facts", {}, told.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function tickets(incident, mayChange, act) {
  const heads = ["ticket", "status", "address", "calls"].map((name) => t(`incidents.head_${name}`));
  const canMove = ({ is_lead, status }) => mayChange && !is_lead && ACTIVE.has(status);
  const row = (ticket) => h("tr", {}, h("th", { scope: "row" }, ticket.number, ticket.is_lead && [" ", h("span.chip", {}, t("incidents.leads"))]),
    h("td", {}, t(`status.${ticket.status}`)), h("td", {}, ticket.address || ticket.zone_id || "–"), h("td", {}, ticket.calls),
    mayChange && h("td", {}, canMove(ticket) && h("button", { type: "button", "aria-label": t("incidents.lead_named", { number: ticket.number }), onclick: () => act("lead", { ticket: ticket.number }) }, t("incidents.make_lead"))));
  const others = incident.tickets.filter(canMove);
  const table = h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)), mayChange && h("th", { scope: "col" }, h("span.sr", {}, t("incidents.head_act"))))), h("tbody", {}, incident.tickets.map(row)));
  return h("section", { "aria-labelledby": "tickets-title" }, h("h3", { id: "tickets-title" }, t("incidents.tickets")),
    h("div.scroll", { tabindex: "0", role: "group", "aria-labelledby": "tickets-title" }, table), others.length > 0 && splitForm(others, act));
}

function splitForm(others, act) {
  const ticket = h("select", { id: "split-ticket" }, others.map(({ number, address }) => h("option", { value: number }, `${number} ${address}`)));
  const note = h("input", { id: "split-note", required: true, maxlength: 500 });
  const team = h("select", { id: "split-team" }, h("option", { value: "" }, t("incidents.split_own")));
  // Without the list it still goes to the team of its grid.
  allTeams().then((teams) => team.append(...teams.map(({ team_id, name }) => h("option", { value: team_id }, name))), mayFail);
  const told = () => ({ ticket: ticket.value, note: note.value, ...(team.value && { team_id: team.value }) });
  return form([[t("incidents.split_which"), ticket], [t("incidents.split_team"), team], [t("incidents.split_why"), note]], t("incidents.split"), () => act("split", told()));
}

let teams = null;

function allTeams() {
  teams ??= get("/board/teams").then(({ items }) => items);
  teams.catch(() => { teams = null; });
  return teams;
}

function suggested(incident, isOpen, act) {
  const boxes = incident.suggested.map((ticket) => h("input", { type: "checkbox", value: ticket.number, checked: true }));
  const chosen = () => boxes.filter(({ checked }) => checked).map(({ value }) => value);
  const line = (ticket, n) => h("li", {}, h("label.row", {}, boxes[n], `${ticket.number} · ${t(`status.${ticket.status}`)} · ${ticket.address || ticket.zone_id || "–"} · ${ticket.description}`));
  const send = () => (isOpen ? act("join", { tickets: chosen() }) : act("confirm", { tickets: chosen() }));
  const byNumber = h("input", { id: "join-number", required: true, maxlength: 400, placeholder: "GD20261124-000001" });
  return h("section", {},
    h("h3", {}, t("incidents.suggested", { count: incident.suggested.length })),
    boxes.length > 0 && h("ul.lines", {}, incident.suggested.map(line)),
    boxes.length > 0 && h("button.primary", { type: "button", id: "take-suggested", onclick: send }, t(isOpen ? "incidents.join_chosen" : "incidents.confirm")),
    isOpen && form([[t("incidents.join_by_number"), byNumber]], t("incidents.join"), () => act("join", { tickets: byNumber.value.split(/[\s,，]+/).filter(Boolean) })));
}

function areaForms(act, startDrawing) {
  const metres = h("input", { id: "metres", type: "number", min: 1, max: 5000, value: "200", required: true });
  const grids = h("input", { id: "grids", required: true, maxlength: 400 });
  return h("details", {}, h("summary", {}, t("incidents.area_set")),
    h("button", { type: "button", id: "draw", onclick: startDrawing }, t("incidents.draw")),
    form([[t("incidents.by_metres"), metres]], t("incidents.set_area"), () => act("area", { metres: Number(metres.value) })),
    form([[t("incidents.by_grids"), grids]], t("incidents.set_area"), () => act("area", { zone_ids: grids.value.split(/[\s,，]+/).filter(Boolean) })));
}

function factForms(act) {
  const how = h("select", { id: "how" }, ["count", "per_km2", "per_caller"].map((name) => h("option", { value: name }, t(`incidents.how_${name}`))));
  const value = h("input", { id: "value", type: "number", min: 0, step: "any", required: true });
  const basis = h("input", { id: "basis", required: true, maxlength: 300 });
  const which = h("select", { id: "which" }, ["isolated_at", "restore_expected_at", "restored_at"].map((name) => h("option", { value: name }, t(`incidents.${name}`))));
  const at = h("input", { id: "at", type: "datetime-local", required: true });
  return h("details", {}, h("summary", {}, t("incidents.facts_set")),
    form([[t("incidents.how"), how], [t("incidents.value"), value], [t("incidents.basis"), basis]], t("incidents.set_estimate"), () => act("estimate", { how: how.value, value: Number(value.value), basis: basis.value })),
    form([[t("incidents.which"), which], [t("incidents.at"), at]], t("incidents.set_time"), () => act("times", { [which.value]: `${at.value}:00+08:00` })));
}

function ending(incident, isOpen, act) {
  const note = h("input", { id: "end-note", maxlength: 500, required: !isOpen });
  const isDone = h("input", { id: "is-done", type: "checkbox", checked: true });
  const other = h("input", { id: "absorb", required: true, maxlength: 20, placeholder: "E000001" });
  if (!isOpen) return form([[t("incidents.dismiss_why"), note]], t("incidents.dismiss"), () => act("dismiss", { note: note.value }));
  const close = form([[t("incidents.close_note"), note]], t("incidents.close"), () => act("close", { note: note.value, is_done: isDone.checked }));
  const mayDismiss = incident.tickets.length < 2 && h("button", { type: "button", onclick: () => note.reportValidity() && act("dismiss", { note: note.value || t("incidents.opened_wrongly") }) }, t("incidents.dismiss"));
  return h("section", {}, h("h3", {}, t("incidents.end")), h("label.row", {}, isDone, t("incidents.is_done")), close, mayDismiss,
    form([[t("incidents.absorb_which"), other]], t("incidents.absorb"), () => act("absorb", { incident: other.value })));
}

/** A row of fields with a button. */
export function form(fields, label, submit) {
  const send = (event) => { event.preventDefault(); submit(); };
  return h("form.part", { onsubmit: send }, fields.map(([name, input]) => h("div", {}, h("label", { for: input.id }, name), input)), h("button", {}, label));
}
