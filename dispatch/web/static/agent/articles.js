// Answers while the caller speaks: articles that fit what is typed; one key takes one over, one makes a ticket of it all.
import { plain, rich } from "/static/articles/text.js";
import { get } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { isComposing } from "/static/common/keys.js";
import { page, t } from "/static/common/page.js";
import { change, draft } from "./draft.js";
import { categoryLabel, focusCategory, isInquiry, setCategory } from "./form.js";
import { isMissed } from "./missed.js";
import { say } from "./save.js";

const PAUSE_MS = 150;
const MOST = 5;
const inquiry = page.data.categories.find(({ level }) => level === null)?.id ?? null;
const field = $("#article-q");
let isOpen = false;
let turns = 0;
let timer;
let found = [];
let unfolded = null;

/** Wire the box. */
export function wire() {
  field.addEventListener("input", soon);
  field.addEventListener("keydown", (event) => {
    if (isComposing(event)) return;
    if (event.key === "Enter") {
      event.preventDefault();
      if (found.length) take(found[0]);
    } else if (event.key === "ArrowDown") move(event, 0);
    else if (event.key === "Escape") close();
  });
  $("#article-list").addEventListener("keydown", (event) => {
    const at = [...event.currentTarget.querySelectorAll("button")].indexOf(document.activeElement);
    if (event.key === "ArrowDown") move(event, at + 1);
    else if (event.key === "ArrowUp") move(event, at - 1);
    else if (event.key === "Escape") close();
  });
}

function move(event, to) {
  event.preventDefault();
  (to < 0 ? field : $("#article-list").querySelectorAll("button")[to])?.focus();
}

/** Show what belongs to the draft: the box for a question, and the article that answers it. */
export function show() {
  const isThere = isOpen || isInquiry();
  $("#articles-box").hidden = !isThere;
  const { article } = draft;
  fill($("#article-said"), article && isInquiry() && [t("agent_articles.taken", { title: article.title }), " ",
    h("button.quiet", { type: "button", onclick: drop }, t("agent_articles.drop"))]);
  if (isThere) soon();
}

/** A field of the draft has changed. */
export function changed(name) {
  if (name === "category") show();
  else if (name === "description" && !$("#articles-box").hidden && !field.value) soon();
}

/** A new call: nothing is open, nothing is typed. */
export function reset() {
  isOpen = false;
  unfolded = null;
  field.value = "";
}

/** Alt+K: look for an answer at any time. */
export function open() {
  isOpen = true;
  show();
  field.focus();
  field.select();
}

function close() {
  isOpen = false;
  show();
  $(isInquiry() ? "#answer" : "#description").focus();
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE_MS);
}

async function ask() {
  const turn = ++turns;
  const q = (field.value.trim() || draft.description.trim()).slice(0, 200);
  try {
    const { items } = await get("/articles/search", { q, limit: MOST });
    if (turn !== turns) return;
    found = items;
    draw();
  } catch (error) {
    if (isMissed("articles", error, ask) && turn === turns) fill($("#article-list"), h("li.soft", {}, t("agent.not_fetched")));
  }
}

function draw() {
  fill($("#article-list"), found.length ? found.map(line) : h("li.soft", {}, t("agent_articles.none")));
}

function line(article) {
  const marks = [article.is_sample && t("agent_articles.sample"), article.is_due && t("agent_articles.due")].filter(Boolean);
  return h("li", {}, h("button.article", { type: "button", title: article.reason, dataset: { article: article.id }, onclick: () => take(article) },
    h("b", {}, article.title), marks.map((mark) => h("span.chip", {}, mark)), h("span.clip.small", {}, plain(article.body))),
    article.id === unfolded && h("div.unfolded", {}, rich(article.body)));
}

/** Take an article's text over as the answer; where a ticket must be made all the same, show it to be read out. */
function take(article) {
  if (draft.is_sending) return;
  if (draft.category === null && inquiry) setCategory(inquiry);
  if (!isInquiry()) {
    unfolded = unfolded === article.id ? null : article.id;
    say(t("agent_articles.read_only", { category: categoryLabel(draft.category) }));
    draw();
    return;
  }
  const answer = [draft.answer.trim(), plain(article.body)].filter(Boolean).join("\n");
  change({ answer, article: { id: article.id, version: article.version, title: article.title, category: article.category } });
  $("#answer").value = answer;
  show();
  $("#answer").focus();
}

function drop() {
  change({ article: null });
  show();
  $("#answer").focus();
}

/** Alt+T: what was to be answered becomes a ticket, with all that is typed. */
export function toTicket() {
  if (draft.is_sending) return;
  if (!isInquiry()) return void say(t("agent_articles.not_inquiry"));
  // What goes into a ticket is Chinese, whatever the page speaks.
  const told = draft.answer.trim() && page.data.answered_note.replace("{answer}", draft.answer.trim());
  const category = page.data.categories.find(({ id, level }) => id === draft.article?.category && level !== null)?.id ?? null;
  change({ description: [draft.description.trim(), told].filter(Boolean).join("\n"), answer: "", article: null });
  setCategory(category);
  if (category === null) {
    say(t("agent_articles.became"));
    focusCategory();
  }
}
