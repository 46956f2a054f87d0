// One case: what is known, what can be done, its tickets and neighbours, and everything that happened, newest first.
import { post } from "../common/api.js";
import { $, $$, fill, h } from "../common/dom.js";
import { now, page, t, tOr } from "../common/page.js";
import { shortTime } from "../common/time.js";
import { uuid } from "../common/uuid.js";

const KINDS = ["visit", "neighbour", "phone", "measure"];
const time = (iso) => shortTime(iso, now());

/** Say in a form what is wrong; nothing for an empty text. */
export function say(form, text) {
  const note = $(".fault", form);
  note.hidden = !text;
  note.textContent = text;
}

/** Draw a case into an element; `changed(case)` gets it as it is after something was done. */
export function draw(element, one, changed) {
  fill(element,
    h("h2", {}, one.number, " ", h("span", {}, one.title)),
    facts(one),
    page.data.works && actions(one, changed),
    one.neighbours_visited.length > 0 && h("section", {}, h("h3", {}, t("cases.neighbours")),
      h("ul", {}, one.neighbours_visited.map((visit) => h("li", {}, h("b", {}, visit.whom), ` · ${time(visit.at)} · ${visit.finding}`)))),
    one.linked.length > 0 && h("section", {}, h("h3", {}, t("cases.tickets")), h("ul", {}, one.linked.map(ticket))),
    h("section", {}, h("h3", {}, t("cases.timeline")), h("ol.story", {}, [...one.timeline].reverse().map(entry))));
}

function facts(one) {
  const rows = [
    [t("cases.head_status"), `${t(`cases.status_${one.status}`)}${one.watched_until ? ` · ${t("cases.watched_until", { time: time(one.watched_until) })}` : ""}`],
    [t("cases.owner"), one.owner],
    [t("cases.head_due"), one.next_follow_up_at && time(one.next_follow_up_at)],
    [t("cases.rhythm"), one.status === "open" && String(one.rhythm_days)],
    [t("cases.head_count"), t("cases.counts", { tickets: one.tickets, visits: one.visits, neighbours: one.neighbours })],
    [t("cases.phone"), one.phone],
    [t("common.address"), one.address],
    [t("cases.cause"), one.root_cause && [t(`cases.cause_${one.root_cause}`), one.root_note].filter(Boolean).join("; ")],
    [t("cases.outcome"), one.outcome],
    [t("cases.opened"), time(one.opened_at)],
  ];
  return h("dl.facts", {}, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

const ticket = (one) => h("li", {}, h("b", {}, one.number),
  ` ${tOr(`category.${one.category}`, one.category_label)} · ${t(`status.${one.status}`)} · ${time(one.received_at)}`, one.is_auto && ` · ${t("cases.by_itself")}`);

function entry(one) {
  return h("li", { class: one.is_visit ? "is-visit" : "" },
    h("time", {}, time(one.at)), " ", h("b", {}, one.label), one.is_visit && one.kind === "arrive" && h("span.chip", {}, t("cases.visit_mark")), " ",
    [one.number, one.whom, one.text].filter(Boolean).join(" · "),
    one.next_step && h("p.small", {}, t("cases.next_step", { text: one.next_step })),
    one.by && h("p.small.soft", {}, one.by));
}

// ---------------------------------------------------------------- what can be done

function actions(one, changed) {
  const send = (path, body, options) => post(`/cases/${one.id}/${path}`, body, options).then(changed);
  const isOpen = one.status === "open";
  return h("div.stack", {},
    one.status !== "closed" && noteForm(send),
    isOpen && closeForm(one, send),
    isOpen && steerForm(one, send),
    !isOpen && form("cases.reopen", [text("why", "cases.why", 500)], (told) => send("reopen", { note: told.why, version: one.version })));
}

function noteForm(send) {
  const key = uuid(); // one form, one entry: a repetition does no harm
  const kind = pickList("kind", "cases.what", KINDS.map((name) => [name, t(`cases.what_${name}`)]));
  return form("cases.note", [h("div.pair", {}, kind, text("whom", "cases.whom", 100)), text("finding", "cases.finding", 1000, "textarea"), text("next", "cases.next", 300)],
    (told) => send("visits", { kind: told.kind, whom: told.whom, finding: told.finding, next_step: told.next }, { key }), "cases.save_note");
}

function closeForm(one, send) {
  const cause = pickList("cause", "cases.cause", [["", t("cases.choose")], ...page.data.causes.map((code) => [code, t(`cases.cause_${code}`)])]);
  const days = number("days", "cases.watch_days", 30);
  return form("cases.close", [h("div.pair", {}, cause, days), text("about", "cases.root_note", 500), text("outcome", "cases.outcome", 1000, "textarea")],
    (told) => send("solve", { root_cause: told.cause, note: told.about, outcome: told.outcome, watch_days: Number(told.days), version: one.version }));
}

function steerForm(one, send) {
  const parts = [h("div.pair", {}, text("owner", "cases.owner", 40), number("rhythm", "cases.rhythm", one.rhythm_days), text("link", "cases.link", 40))];
  const made = form("cases.steer", parts, (told) => {
    if (told.link) return send("tickets", { number: told.link });
    if (told.owner && told.owner !== one.owner_login) return send("owner", { owner: told.owner, version: one.version });
    return send("rhythm", { rhythm_days: Number(told.rhythm), version: one.version });
  }, "cases.change");
  $("[name=owner]", made).value = one.owner_login;
  return made;
}

/** A form that is shut until it is wanted; `run(values)` sends it. */
function form(title, parts, run, button = title) {
  const made = h("form.stack", { novalidate: true }, parts, h("p.fault", { role: "alert", hidden: true }), h("div", {}, h("button.primary", {}, t(button))));
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries($$("[name]", made).map((field) => [field.name, field.value.trim()]));
    try {
      await run(values);
    } catch (problem) {
      say(made, problem.message);
    }
  });
  return h("details", {}, h("summary", {}, t(title)), made);
}

const labelled = (word, field) => h("div", {}, h("label", {}, t(word), " ", field));
const text = (name, word, most, tag = "input") => labelled(word, h(tag, { name, maxlength: most, autocomplete: "off" }));
const number = (name, word, value) => labelled(word, h("input", { name, type: "number", min: 1, max: 365, value }));
const pickList = (name, word, options) => labelled(word, h("select", { name }, options.map(([value, label]) => h("option", { value }, label))));
