// Writing an article: a draft, or another version of one; what the server refuses is told at its field.
import { post } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { page, t, tOr } from "../common/page.js";
import { uuid } from "../common/uuid.js";
import { day, fromDay, inDays } from "./days.js";

const REVIEW_DAYS = 180;
const FIELDS = ["title", "body", "keywords", "category", "review_at", "owner"];

/** Show the form in `place`; `article` is null for a new one. `run.done(article)` is told once it is kept. */
export function edit(place, article, { done, cancel }) {
  let key = uuid(); // a repetition of the same press keeps one
  const fields = {
    title: h("input", { id: "f-title", maxlength: "80", required: true, value: article?.title ?? "" }),
    body: h("textarea", { id: "f-body", rows: "10", maxlength: "2000", required: true, value: article?.body ?? "" }),
    keywords: h("input", { id: "f-keywords", maxlength: "400", value: article?.keywords.join(", ") ?? "" }),
    category: h("select", { id: "f-category" }, h("option", { value: "" }, t("articles.no_category")), categories()),
    review_at: h("input", { id: "f-review_at", type: "date", required: true, value: article && !article.is_due ? day(article.review_at) : inDays(REVIEW_DAYS) }),
    owner: h("input", { id: "f-owner", maxlength: "60", autocomplete: "off", value: article?.owner_login ?? "" }),
  };
  fields.category.value = article?.category ?? "";
  const hints = { body: t("articles.body_hint"), keywords: t("articles.keywords_hint"), owner: t("articles.owner_hint") };
  const row = (name) => h("div", {}, h("label", { for: `f-${name}` }, t(`articles.${name}`)), fields[name],
    hints[name] && h("p.small.soft", {}, hints[name]), h("p.fault", { id: `fault-${name}`, role: "alert", hidden: true }));

  async function save(isPublished) {
    for (const name of FIELDS) unfault(name, fields[name]);
    try {
      const body = told(fields);
      let kept = article ? await post(`/articles/${article.id}/edit`, { ...body, version: article.version }) : await post("/articles", body, { key });
      if (isPublished) kept = await post(`/articles/${kept.id}/publish`, { version: kept.version });
      done(kept);
    } catch (problem) {
      key = uuid();
      if (!fault(fields, problem)) toast(problem.message, { kind: "error" });
    }
  }

  fill(place, h("form.stack", { id: "editor", novalidate: true, onsubmit: (event) => { event.preventDefault(); save(false); } },
    h("h2", {}, t(article ? "articles.edit" : "articles.new")), FIELDS.map(row),
    h("div.row", {}, h("button.primary", { id: "save" }, t("articles.save")), h("button", { type: "button", id: "save-publish", onclick: () => save(true) }, t("articles.save_publish")),
      h("button", { type: "button", onclick: cancel }, t("common.cancel")))));
  for (const name of FIELDS) fields[name].addEventListener("input", () => unfault(name, fields[name]));
  fields.title.focus();
}

function categories() {
  return page.data.categories.filter(({ level }) => level !== null).map(({ id, label }) => h("option", { value: id }, tOr(`category.${id}`, label)));
}

function told({ title, body, keywords, category, review_at, owner }) {
  return {
    title: title.value.trim(), body: body.value.trim(), review_at: review_at.value ? fromDay(review_at.value) : "",
    keywords: keywords.value.split(/[,，;；、]/).map((word) => word.trim()).filter(Boolean),
    ...(category.value && { category: category.value }), ...(owner.value.trim() && { owner: owner.value.trim() }),
  };
}

function unfault(name, field) {
  field.removeAttribute("aria-invalid");
  field.removeAttribute("aria-errormessage");
  $(`#fault-${name}`).hidden = true;
}

function fault(fields, problem) {
  const name = problem.field?.split(".")[0];
  if (!fields[name]) return false;
  const note = $(`#fault-${name}`);
  note.textContent = problem.message;
  note.hidden = false;
  fields[name].setAttribute("aria-invalid", "true");
  fields[name].setAttribute("aria-errormessage", note.id);
  fields[name].focus();
  return true;
}
