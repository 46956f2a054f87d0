// One ticket: facts, clocks, what waits for an answer, its timeline.
import { adviceList } from "../common/advice.js";
import { fill, h } from "../common/dom.js";
import { now, page, t, tOr } from "../common/page.js";
import { picture } from "../common/photo.js";
import { routeReason } from "../common/said.js";
import { chip, draw } from "../common/sla.js";
import { shortTime, span } from "../common/time.js";
import { waterText } from "../common/water.js";
import { mayDo } from "./actions.js";
import { callbackSections } from "./callbacks.js";
import { similarList } from "./similar.js";

const ENDED = new Set(["done", "closed", "merged", "cancelled"]);
const time = (iso) => shortTime(iso, now());

export class Detail {
  #parts;
  #compose;
  #chip = null;
  #ticket = null;
  form = h("div.form-place");
  #actions;

  /**
   * @param {(name: string, subject?: object) => void} run starts an action on the ticket shown
   * @param {(number: string) => void} open shows another ticket
   */
  constructor(element, run, open) {
    this.#parts = { above: h("div.detail-part"), below: h("div.detail-part") };
    // The form stays where it is while the rest is drawn again: what is being typed must not be taken out and put back.
    this.#compose = () => { if (!this.form.isConnected) fill(element, this.#parts.above, this.form, this.#parts.below); };
    this.#actions = (ticket, requests) => actionBar(ticket, requests, run);
    this.run = run;
    this.open = open;
  }

  get ticket() {
    return this.#ticket;
  }

  /** What is asked for on the ticket shown. */
  requests = [];

  /** `cases` is a section of its own, or null. */
  draw(ticket, requests, photos, similar, cases = null) {
    this.requests = requests;
    const isOther = this.#ticket?.number !== ticket.number;
    this.#ticket = ticket;
    this.#chip = chip(ticket);
    if (isOther) fill(this.form);
    this.#compose();
    const held = focusedIn(this.#parts);
    fill(this.#parts.above,
      h("header.detail-head", {}, h("h2", {}, tOr(`category.${ticket.category}`, ticket.category_label), " ", h("span.soft.small", {}, ticket.number)), this.#chip),
      ticket.ended_at && h("p.fault", {}, t("board.gone")),
      this.#actions(ticket, requests));
    fill(this.#parts.below,
      facts(ticket),
      rest(ticket, this.open),
      callbackSections(ticket, this.open),
      waiting(ticket, requests, this.run),
      similarList(ticket, similar, this.run),
      advised(ticket),
      clocks(ticket),
      photos.length > 0 && h("section", {}, h("h3", {}, t("board.photos", { count: photos.length })), h("div.row", {}, photos.map(picture))),
      cases,
      timeline(ticket));
    held?.();
  }

  tick(at_ms) {
    if (this.#chip) draw(this.#chip, this.#ticket, at_ms);
  }
}

/** Return what gives the focus back to the button or link that has it now, once it is drawn again; null where none has. */
function focusedIn(parts) {
  for (const part of Object.values(parts)) {
    const at = [...part.querySelectorAll("button, a")].indexOf(document.activeElement);
    if (at < 0) continue;
    const name = document.activeElement.dataset.action;
    return () => (name ? part.querySelector(`[data-action=${name}]`) : part.querySelectorAll("button, a")[at])?.focus();
  }
  return null;
}

function actionBar(ticket, requests, run) {
  const buttons = ["reassign", "urge", "supervise", "acknowledge", "grant", "refuse", "hold", "extend", "relevel"].filter((name) => mayDo(name, ticket, requests));
  const labels = { acknowledge: t("board.acknowledge"), grant: t("board.grant"), refuse: t("board.refuse") };
  const keys = { reassign: "R", urge: "U", supervise: "S", acknowledge: "A", grant: "G", refuse: "X", hold: "H", extend: "E", relevel: "L" };
  const label = (name) => (name === "reassign" && !ticket.verbs.includes("reassign") ? t("verb.dispatch") : labels[name] ?? t(`verb.${name}`));
  return h("div.row.actions", {}, buttons.map((name) =>
    h("button", { type: "button", dataset: { action: name }, onclick: () => run(name) }, label(name), " ", h("kbd", { "aria-hidden": "true" }, keys[name]))),
    incidentLink(ticket));
}

/** The way to the incident of a ticket, or to a new one. */
function incidentLink({ number, incident, status }) {
  if (incident) return h("a.button", { href: `/incidents#${incident.number}` }, t("common.incident", incident));
  const mayOpen = page.data.may.includes("incident") && !ENDED.has(status);
  return mayOpen && h("a.button", { href: `/incidents#ticket=${number}` }, t("board.open_incident"));
}

function facts(ticket) {
  const team = [ticket.team_id, ticket.steward].filter(Boolean).join(" · ");
  const told = [
    [t("common.status"), `${t(`status.${ticket.status}`)} · ${ticket.level} ${tOr(`level.${ticket.level}`, ticket.level_label)}`],
    [t("customers.title"), ticket.flags.join("、")],
    [t("cases.nth"), ticket.nth_call && t("cases.nth_ticket", { count: ticket.nth_call })],
    [t("board.incident"), ticket.incident && waterText(ticket.incident)],
    [t("common.address"), ticket.address],
    [t("common.description"), ticket.description],
    [t("common.zone"), [ticket.zone_id, ticket.branch].filter(Boolean).join(" · ")],
    [t("common.team"), team],
    [t("board.assisting"), ticket.assisting.join(", ")],
    [t("board.reason"), routeReason({ ...ticket, status: ticket.route_status, reason: ticket.route_reason })],
    [t("board.received"), time(ticket.received_at)],
    [t("temporary.outcome"), ticket.outcome === "temporary" && [t("temporary.title"), tOr(`temporary_kind.${ticket.temporary_kind}`, ticket.temporary_kind)].join(": ")],
    [t("board.rating"), ticket.rating && `${"★".repeat(ticket.rating.stars)}${"☆".repeat(5 - ticket.rating.stars)} ${ticket.rating.words}`],
  ];
  return h("dl.facts", {}, told.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

/** What a temporary fix has left has its own ticket: the way there, and back. */
function rest({ follow_up_of, follow_ups }, open) {
  const link = (number, ...more) => h("li", {}, h("button", { type: "button", onclick: () => open(number) }, number), " ", more);
  const due = ({ appointment_at }) => appointment_at && t("temporary.due", { time: time(appointment_at) });
  return [
    follow_up_of && h("section", {}, h("h3", {}, t("temporary.follow_up_of")), h("ul.lines", {}, link(follow_up_of))),
    follow_ups.length > 0 && h("section", {}, h("h3", {}, t("temporary.follow_up")),
      h("ul.lines", {}, follow_ups.map((one) => link(one.number, [t(`status.${one.status}`), due(one)].filter(Boolean).join(" · "))))),
  ];
}

function waiting(ticket, requests, run) {
  const steps = ticket.escalations.filter((step) => !step.acknowledged_at);
  const lines = [
    ...requests.map((request) => h("li", {}, requestText(request), " ",
      mayDo("grant", ticket, requests) && h("button", { type: "button", onclick: () => run("grant", request) }, t("board.grant")), " ",
      mayDo("refuse", ticket, requests) && h("button", { type: "button", onclick: () => run("refuse", request) }, t("board.refuse")))),
    ...steps.map((step) => h("li", {}, `${t(`clock.${step.clock}`)} ${Math.round(step.ratio * 100)} % · ${step.label} · ${time(step.fired_at)}`,
      step.late_s >= 1 && ` (${t("board.late", { time: span(step.late_s * 1000) })})`, " ",
      mayDo("acknowledge", ticket, requests) && h("button", { type: "button", onclick: () => run("acknowledge", step) }, t("board.acknowledge")))),
  ];
  return lines.length > 0 && h("section", {}, h("h3", {}, t("board.escalations")), h("ul.lines", {}, lines));
}

function advised({ recommendation }) {
  return recommendation && h("section", {}, h("h3", {}, t("advice.title"), " ", h("span.soft.small", {}, time(recommendation.made_at))), adviceList(recommendation));
}

/** A request in words. */
export function requestText({ asker, verb, until, reason, reason_label, note }) {
  const asked = t("board.request", { who: asker, verb: t(`verb.${verb}`), until: time(until) });
  return [asked, reason && tOr(`reason.${reason}`, reason_label), note].filter(Boolean).join("; ");
}

function clocks(ticket) {
  const line = (clock) => {
    const more = [
      clock.met_at && t("board.met", { time: time(clock.met_at) }),
      clock.resume_at && t("board.resumes", { time: time(clock.resume_at) }),
      clock.original_due_at !== clock.due_at && t("board.original_due", { time: time(clock.original_due_at) }),
    ].filter(Boolean).join("; ");
    const look = { running: "normal", met: "ended", void: "ended", breached: "breached", paused: "paused" }[clock.state];
    const word = clock.state === "running" ? "" : clock.state === "breached" ? `■ ${t("sla.breached")}` : clock.state === "paused" ? `‖ ${t("sla.paused")}` : "✓";
    return h("tr", {}, h("th", { scope: "row" }, t(`clock.${clock.kind}`), clock.round > 1 && ` ${clock.round}`), h("td", {}, time(clock.due_at)),
      h("td", {}, word && h("span.sla", { dataset: { sla: look } }, word), " ", more));
  };
  return h("section", {}, h("h3", {}, t("board.clocks")), h("table", {}, h("tbody", {}, ticket.clocks.map(line))));
}

function timeline(ticket) {
  const line = (event) => h("li", {}, h("time", {}, time(event.effective_at)), " ", event.text,
    event.time_source === "device" && h("span.chip", {}, t("board.device_time")));
  return h("section", {}, h("h3", {}, t("board.timeline")), h("ol.lines.timeline", {}, [...ticket.timeline].reverse().map(line)));
}
