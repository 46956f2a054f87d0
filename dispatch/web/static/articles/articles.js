// The knowledge base: what there is, what fits a question, one article with all that was done to it.
import { get, mayFail, post } from "../common/api.js";
import { watchAttention } from "../common/attention.js";
import { $, fill, h, toast } from "../common/dom.js";
import { isComposing } from "../common/keys.js";
import { connect } from "../common/live.js";
import { page, t, tOr } from "../common/page.js";
import { day, fromDay, inDays } from "./days.js";
import { edit } from "./editor.js";
import { rich } from "./text.js";

const PAGE = 50;
const PAUSE_MS = 150;
const REVIEW_DAYS = 180;
const { may_write: mayWrite } = page.data;
let opened = null;
let isEditing = false;
let next = null;
let turns = 0;
let timer;

const told = (problem) => { mayFail(problem); if (problem.status !== 401) toast(problem.message, { kind: "error" }); };
export const stateOf = ({ status }) => t(`article_state.${status}`);

// ---------------------------------------------------------------- the list

async function load() {
  const turn = ++turns;
  const text = $("#q").value.trim();
  const isDue = $("#due").checked;
  $("#filters").hidden = Boolean(text);
  const answer = text ? await get("/articles/search", { q: text.slice(0, 200), limit: 20 })
    : await get("/articles", { status: $("#status").value, is_due: isDue || null, limit: PAGE });
  if (turn !== turns) return;
  next = answer.next ?? null;
  fill($("#list"), answer.items.map(line));
  fill($("#said"), t(text ? "articles.fit" : "articles.listed", { count: $("#list").children.length }));
  $("#more").hidden = next === null;
}

async function loadMore() {
  const turn = turns;
  const answer = await get("/articles", { status: $("#status").value, is_due: $("#due").checked || null, after: next, limit: PAGE });
  if (turn !== turns) return;
  next = answer.next;
  $("#list").append(...answer.items.map(line));
  $("#more").hidden = next === null;
}

function line(one) {
  return h("li", {}, h("button.line", { type: "button", dataset: { article: one.id }, "aria-pressed": String(one.id === opened), onclick: () => open(one.id) },
    h("b", {}, one.title), h("span.row", {}, chips(one)), one.reason && h("span.small.soft", {}, one.reason)));
}

function chips(one) {
  return [
    one.status !== "published" && h("span.chip", {}, stateOf(one)),
    one.is_sample && h("span.chip", {}, t("articles.sample")),
    one.is_due && h("span.chip.due", {}, t("articles.is_due", { day: day(one.review_at) })),
    one.is_newer && one.live_version && h("span.chip", {}, t("articles.newer", { version: one.version })),
    h("span.small.soft", {}, t("articles.answered", { count: one.answered_count })),
  ];
}

// ---------------------------------------------------------------- one article

async function open(id) {
  if (isEditing && !confirmLeave()) return;
  try {
    show(await get(`/articles/${id}`));
  } catch (problem) {
    told(problem);
  }
}

let isWarned = false;
/** What is being written is thrown away only at the second press. */
function confirmLeave() {
  if (isWarned) return true;
  isWarned = true;
  toast(t("articles.unsaved"));
  return false;
}

function show(article) {
  opened = article.id;
  isEditing = isWarned = false;
  for (const button of document.querySelectorAll("[data-article]")) button.setAttribute("aria-pressed", String(Number(button.dataset.article) === opened));
  fill($("#article"), h("h2", { tabindex: "-1", id: "title" }, article.title), h("div.row", {}, chips(article)),
    h("div.text", {}, rich(article.body)), facts(article), mayWrite && actions(article), mayWrite && versions(article));
  $("#title").focus();
}

function facts(article) {
  const category = article.category && tOr(`category.${article.category}`, article.category_label);
  const rows = [
    ["keywords", article.keywords.join(", ")], ["category", category], ["owner", article.owner], ["review_at", day(article.review_at)],
    ["version", article.live_version && t("articles.nth", { version: article.live_version })],
  ];
  return h("dl.facts", {}, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, t(`articles.${name}`)), h("dd", {}, value)]));
}

function actions(article) {
  const form = h("div.ask-place");
  const does = async (path, body) => {
    try {
      show(await post(`/articles/${article.id}/${path}`, body));
      load().catch(told);
    } catch (problem) {
      told(problem);
    }
  };
  const buttons = [
    ["edit", true, () => write(article)],
    ["publish", article.status !== "published" || article.is_newer, () => does("publish", { version: article.version })],
    ["review", article.status === "published", () => ask(form, "review", h("input", { id: "again", type: "date", required: true, value: inDays(REVIEW_DAYS) }), (field) => does("review", { review_at: fromDay(field.value) }))],
    ["withdraw", article.status === "published", () => ask(form, "withdraw", h("input", { id: "again", maxlength: "300", required: true }), (field) => does("withdraw", { note: field.value }))],
  ];
  return h("div.stack", {}, h("div.row", {}, buttons.filter(([, isThere]) => isThere).map(([name, , run]) => h("button", { type: "button", id: `do-${name}`, onclick: run }, t(`articles.${name}`)))), form);
}

/** Ask for what a deed needs besides the press. */
function ask(place, name, field, run) {
  const close = () => fill(place);
  fill(place, h("form.card.stack", { onsubmit: (event) => { event.preventDefault(); run(field); } },
    h("div", {}, h("label", { for: "again" }, t(`articles.ask_${name}`)), field),
    h("div.row", {}, h("button.primary", {}, t("common.confirm")), h("button", { type: "button", onclick: close }, t("common.cancel")))));
  field.focus();
}

function versions({ versions: all }) {
  const one = (version) => h("li", {}, h("details", {}, h("summary", {}, t("articles.nth", { version: version.version }), ` · ${version.writer ?? ""} ${day(version.written_at)} `,
    version.published_at && t("articles.published", { day: day(version.published_at) })), h("b", {}, version.title), h("div.text", {}, rich(version.body))));
  return h("details.versions", {}, h("summary", {}, t("articles.versions", { count: all.length })), h("ol", {}, all.map(one)));
}

function write(article) {
  if (isEditing && !confirmLeave()) return;
  isEditing = true;
  isWarned = false;
  edit($("#article"), article, {
    done: (kept) => { show(kept); load().catch(told); },
    cancel: () => { isEditing = false; if (article) show(article); else fill($("#article"), h("p.soft", {}, t("articles.pick"))); },
  });
}

// ---------------------------------------------------------------- wires

$("#q").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => load().catch(told), PAUSE_MS); });
$("#q").addEventListener("keydown", (event) => {
  if (isComposing(event) || event.key !== "Enter") return;
  event.preventDefault();
  $("#list button")?.click();
});
for (const name of ["#status", "#due"]) $(name).addEventListener("change", () => load().catch(told));
$("#more").addEventListener("click", () => loadMore().catch(told));
$("#new").addEventListener("click", () => write(null));
$("#new").hidden = !mayWrite;
$("#status-box").hidden = !mayWrite;
connect({
  onReload: () => load().catch(told),
  onSignal: ({ topic }) => { if (topic === "article") load().catch(told); },
});
watchAttention();
