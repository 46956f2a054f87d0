// Tickets that may be about the same problem as the one shown: a person merges them, or says that they are not the same.
import { get, mayFail } from "../common/api.js";
import { h } from "../common/dom.js";
import { now, page, t, tOr } from "../common/page.js";
import { shortTime } from "../common/time.js";
import { mayDo } from "./actions.js";

/** Fetch them; the detail does without where they cannot be had. */
export async function similarTo(number) {
  if (!page.data.may.includes("call")) return [];
  const found = await get(`/tickets/${number}/similar`).catch((problem) => { mayFail(problem); return { items: [] }; });
  return found.items;
}

/** The section of the detail; `run(name, other)` does it. */
export function similarList(ticket, items, run) {
  const button = (name, other, label) => mayDo(name, ticket, []) && h("button", { type: "button", dataset: { action: `${name}-${other.number}` }, onclick: () => run(name, other) }, label);
  const line = (other) => h("li", { dataset: { number: other.number } },
    h("b", {}, other.number), " ", h("span.chip", {}, t("similar.likely", { percent: Math.round(other.score * 100) })), " ",
    other.incident && h("span.chip", {}, t("similar.incident", { number: other.incident })), " ",
    [tOr(`category.${other.category}`, other.category_label), t(`status.${other.status}`), shortTime(other.received_at, now()), other.address].filter(Boolean).join(" · "),
    h("p.small.soft", {}, other.reasons.join(" · ")),
    h("div.row", {}, button("merge", other, t("similar.merge_into", { number: other.number })), button("not_same", other, t("similar.not_same"))));
  return items.length > 0 && h("section.similar", {}, h("h3", {}, t("similar.title")), h("ul.lines", {}, items.map(line)));
}
