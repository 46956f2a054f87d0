// The cases of the ticket that is shown, and a button that opens one.
import { get, mayFail, post } from "../common/api.js";
import { h, toast } from "../common/dom.js";
import { page, t } from "../common/page.js";
import { uuid } from "../common/uuid.js";

/** The cases of a ticket; none for whoever may not know of them. */
export async function casesOf(number) {
  if (!page.data.may.includes("case")) return null;
  const told = await get("/cases", { number }).catch(mayFail);
  return told?.items ?? [];
}

/** Draw them under a ticket; null where they are not for these eyes. */
export function caseSection(number, cases, reload) {
  if (!cases) return null;
  const has = (kind) => cases.some((one) => one.kind === kind);
  const button = (kind) => h("button", { type: "button", dataset: { action: `case-${kind}` }, onclick: () => open(kind, number, reload) }, t(`cases.open_${kind}`));
  return h("section", {}, h("h3", {}, t("cases.of_ticket")), h("ul.lines", {}, cases.map(line)),
    h("div.row", {}, ["person", "address"].filter((kind) => !has(kind)).map(button)));
}

function line(one) {
  const values = { status: t(`cases.status_${one.status}`), owner: one.owner, tickets: one.tickets, visits: one.visits };
  return h("li", {}, h("a", { href: `/cases?case=${one.id}` }, one.number), ` ${one.title}`, h("p.small.soft", {}, t("cases.story", values)));
}

async function open(kind, number, reload) {
  try {
    const one = await post("/cases", { kind, number }, { key: uuid() });
    toast(t("cases.opened_case", { number: one.number, owner: one.owner }));
    reload();
  } catch (problem) {
    toast(problem.message, { kind: "error" });
  }
}
