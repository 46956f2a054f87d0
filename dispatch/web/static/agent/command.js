// The command bar: a ticket by its number, tickets by words, and what else has no key of its own.
import { get } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { isComposing } from "/static/common/keys.js";
import { now, t } from "/static/common/page.js";
import { chip } from "/static/common/sla.js";
import { shortTime } from "/static/common/time.js";
import { categoryLabel } from "./form.js";

const NUMBER = /^GD\d{8}-\d+$/i;

/** `run.newCall()` begins a call. */
export function wire({ newCall }) {
  const field = $("#command");
  field.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    if (event.key === "Escape") close();
    else if (event.key === "Enter") {
      event.preventDefault();
      run(field.value.trim(), newCall);
    } else if (event.key === "ArrowDown") $("#found .result")?.focus();
  });
  $("#found").addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
}

export function open() {
  $("#command").focus();
  $("#command").select();
}

function close() {
  $("#command").value = "";
  $("#found").hidden = true;
  $("#address").focus();
}

async function run(text, newCall) {
  if (!text) return;
  const word = text.toLowerCase();
  if (word === t("agent.command_new").toLowerCase()) {
    close();
    newCall();
  } else if (word === t("agent.command_out").toLowerCase()) $("form[action='/signout'] button").click();
  else await (NUMBER.test(text) ? detail(text.toUpperCase()) : search(text)).catch((error) => show(h("p", { role: "alert" }, error.message)));
}

function show(...children) {
  const close_ = h("button.quiet.closing", { type: "button", onclick: close }, t("common.close"), h("kbd", {}, "Esc"));
  fill($("#found"), close_, ...children);
  $("#found").hidden = false;
}

async function search(text) {
  const { items } = await get("/tickets", { q: text, limit: 10 });
  if (!items.length) return show(h("p", {}, t("agent.found_none", { text })));
  return show(h("ul.results", {}, items.map((ticket) => h("li", {}, h("button.result", { type: "button", onclick: () => detail(ticket.number) },
    h("b", {}, ticket.number), chip(ticket), h("span", {}, `${categoryLabel(ticket.category, ticket.category_label)} · ${ticket.address} · ${ticket.description}`))))));
}

async function detail(number) {
  const ticket = await get(`/tickets/${encodeURIComponent(number)}`);
  const facts = [
    ["status", t(`status.${ticket.status}`)], ["category", categoryLabel(ticket.category, ticket.category_label)], ["level", ticket.level],
    ["zone", ticket.zone_id], ["team", ticket.team_id], ["steward", ticket.steward], ["address", ticket.address], ["description", ticket.description],
  ];
  show(h("div.row", {}, h("h2", { tabindex: "-1" }, ticket.number), chip(ticket)),
    h("dl.facts", {}, facts.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, t(`common.${name}`)), h("dd", {}, value)])),
    h("h3", {}, t("agent.timeline")),
    h("ol.past", {}, ticket.timeline.map((event) => h("li.small", {}, h("b", {}, shortTime(event.at, now())), " ", event.text))));
  $("#found h2").focus();
}
