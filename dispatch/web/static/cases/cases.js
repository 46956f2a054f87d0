// Cases: a list by what is due next, and the story of the one that was picked, kept up while others work on it.
import { get, post } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { connect } from "../common/live.js";
import { now, t } from "../common/page.js";
import { shortTime } from "../common/time.js";
import { uuid } from "../common/uuid.js";
import { draw, say } from "./detail.js";

const PAGE = 50;
let items = [];
let next = null;
let picked = Number(new URLSearchParams(location.search).get("case")) || null;

async function load(after = 0) {
  const query = { status: $("#status").value, after, limit: PAGE, ...($("#mine").checked && { is_mine: true }) };
  const told = await get("/cases", query);
  items = after ? [...items, ...told.items] : told.items;
  next = told.next;
  list();
}

const told = (problem) => toast(problem.message, { kind: "error" });
const reload = () => load().catch(told);

function list() {
  const heads = ["number", "due", "owner", "count", "status"].map((head) => h("th", { scope: "col" }, t(`cases.head_${head}`)));
  const table = h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, items.map(line)));
  const held = document.activeElement?.dataset?.case;
  fill($("#list"), items.length ? table : h("p.soft", {}, t("cases.none")));
  $("#more").hidden = next === null;
  if (held) $(`[data-case="${held}"]`)?.focus();
}

function line(one) {
  return h("tr", one.id === picked ? { "aria-current": "true" } : {},
    h("th", { scope: "row" }, h("button.link", { type: "button", dataset: { case: one.id }, onclick: () => pick(one.id, true) }, `${one.number} ${one.title}`)),
    h("td", {}, due(one)), h("td", {}, one.owner), h("td", {}, `${one.tickets} / ${one.visits}`), h("td", {}, t(`cases.status_${one.status}`)));
}

function due(one) {
  if (one.watched_until) return t("cases.watched_until", { time: shortTime(one.watched_until, now()) });
  if (!one.next_follow_up_at) return "–";
  const isDue = Date.parse(one.next_follow_up_at) <= now();
  return h(isDue ? "span.is-due" : "span", {}, shortTime(one.next_follow_up_at, now()), isDue && ` (${t("cases.overdue")})`);
}

/** Show a case; `isAsked` by a person, who then finds the focus there. */
async function pick(id, isAsked = false) {
  picked = id;
  list();
  try {
    const one = await get(`/cases/${id}`);
    // What is being written down is not taken away: the story is drawn anew once its forms are shut.
    if (picked !== id || (!isAsked && $("#case details[open]"))) return;
    draw($("#case"), one, changed);
    if (isAsked) $("#case").focus();
  } catch (problem) {
    told(problem);
  }
}

function changed(one) {
  toast(t("cases.saved"));
  draw($("#case"), one, changed);
  reload();
}

$("#status").addEventListener("change", reload);
$("#mine").addEventListener("change", reload);
$("#more").addEventListener("click", () => load(next).catch(told));
$("#new").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = event.target;
  try {
    const one = await post("/cases", { kind: $("#new-kind").value, number: $("#new-number").value.trim() }, { key: uuid() });
    say(form, "");
    form.reset();
    toast(t("cases.opened_case", { number: one.number, owner: one.owner }));
    picked = one.id;
    draw($("#case"), one, changed);
    reload();
  } catch (problem) {
    say(form, problem.message);
  }
});
connect({
  onReload: reload,
  onSignal: ({ topic, key }) => {
    if (topic !== "case") return;
    reload();
    if (Number(key) === picked) pick(picked);
  },
});
if (picked) pick(picked);
