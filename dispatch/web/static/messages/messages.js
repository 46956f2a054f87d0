// What I was told, newest first: why me, by which ways, who answered; what waits can be answered here.
import { get, post } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { connect } from "../common/live.js";
import { now, page, t, tOr } from "../common/page.js";
import { shortTime } from "../common/time.js";
import { facts } from "./facts.js";

const PAGE = 30;
let items = [];
let next = null;

async function load(after = 0) {
  const told = await get("/messages", { after, limit: PAGE });
  items = after ? [...items, ...told.items] : told.items;
  next = told.next;
  draw();
}

const told = (problem) => toast(problem.message, { kind: "error" });
const reload = () => load().catch(told);

function draw() {
  const held = document.activeElement?.dataset?.id;
  fill($("#list"), items.length ? items.map(line) : h("li.soft", {}, t("messages.none")));
  $("#more").hidden = next === null;
  if (held) $(`[data-id="${held}"]`)?.focus();
}

const waits = (one) => one.escalation_id !== null && !one.acknowledged_at;

function line(one) {
  const answer = () => post(`/escalations/${one.escalation_id}/acknowledge`, {}).then(reload, told);
  const label = t("messages.answer_named", { text: one.text });
  return h(waits(one) ? "li.card.stack.waits" : "li.card.stack", {},
    h("p.what", { lang: "zh-CN" }, one.text), facts(one),
    one.ways.length > 0 && h("p.small.soft", {}, one.ways.map(way).join(" · ")),
    waits(one) && page.data.answers && h("div", {}, h("button.primary", { type: "button", dataset: { id: one.id }, "aria-label": label, onclick: answer }, t("messages.answer"))));
}

const way = (one) => [tOr(`way.${one.way}`, one.way), t(`messages.state_${one.state}`), one.at && shortTime(one.at, now()), one.receipt && tOr(`messages.receipt_${one.receipt}`, one.receipt)].filter(Boolean).join(" ");

$("#more").addEventListener("click", () => load(next).catch(told));
connect({ onReload: reload, onSignal: ({ topic }) => { if (topic === "ticket") reload(); } });
