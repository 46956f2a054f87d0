// Open tickets that this call may be about, as the server tells while it is written down. One key attaches the call, one
// says "not the same", which is saved with the call and never asked again. Nothing is joined by itself.
import { $, fill, h } from "/static/common/dom.js";
import { now, t } from "/static/common/page.js";
import { shortTime } from "/static/common/time.js";
import { waterText } from "../common/water.js";
import { change, draft } from "./draft.js";
import { categoryLabel } from "./form.js";

let found = [];
let shown = "";

/** Take what the server suggests. */
export function take(suggestions) {
  found = suggestions;
}

/** A ticket changed somewhere; true where it was among the suggestions. */
export function update(ticket) {
  const at = found.findIndex((one) => one.number === ticket.number);
  if (at < 0) return false;
  found.splice(at, 1, ...(ticket.ended_at || ticket.status === "done" ? [] : [{ ...found[at], status: ticket.status }]));
  return true;
}

export const isDismissed = ({ number }) => draft.not_same.includes(number);

/** What may be the same, the most likely first. */
export const suggested = () => found.filter((one) => !isDismissed(one));

/** Remember that the call is about something else. */
export function dismiss(number) {
  change({ not_same: [...new Set([...draft.not_same, number])] });
}

/** Draw the list. `entries` are {ticket, n}, `run` has attach(ticket), dismiss(number) and restore(). */
export function draw(entries, chosen, run) {
  const state = JSON.stringify([entries, chosen, draft.not_same, draft.category]);
  if (state === shown) return; // a list that is read aloud is not drawn again for nothing
  shown = state;
  const empty = h("p.soft", {}, t(draft.category ? "similar.none" : "similar.wait"));
  fill($("#similar"),
    entries.length ? h("ol.tickets", {}, entries.map((entry) => item(entry, entry.ticket.number === chosen, run))) : empty,
    draft.not_same.length > 0 && h("p.small", {}, t("similar.said", { numbers: draft.not_same.join("、") }), " ",
      h("button.quiet", { type: "button", onclick: run.restore }, t("similar.undo"))));
}

function item({ ticket, n }, isChosen, run) {
  const where = [categoryLabel(ticket.category, ticket.category_label), t(`status.${ticket.status}`), shortTime(ticket.received_at, now()), ticket.address];
  return h("li.ticket", { class: isChosen ? "is-chosen" : "", dataset: { number: ticket.number } },
    h("div.row", {}, h("kbd", {}, `Alt+${n}`), h("b", {}, ticket.number), h("span.chip.strong", {}, t("similar.likely", { percent: Math.round(ticket.score * 100) })),
      ticket.incident && h("span.chip.strong", {}, t("similar.incident", { number: ticket.incident }))),
    h("p", {}, where.filter(Boolean).join(" · ")),
    ticket.water && waterText(ticket.water) && h("p.small", {}, h("strong", {}, waterText(ticket.water))),
    h("p.small.why", {}, ticket.reasons.join(" · ")),
    h("p.small.soft.clip", {}, ticket.description),
    h("div.row", {},
      h("button", { type: "button", "aria-pressed": String(isChosen), "aria-label": t("agent.save_attach", { number: ticket.number }), onclick: () => run.attach(ticket) }, t("similar.attach"), isChosen && h("kbd", {}, "Alt+M")),
      h("button.quiet", { type: "button", "aria-label": t("similar.not_same_as", { number: ticket.number }), onclick: () => run.dismiss(ticket.number) }, t("similar.not_same"), isChosen && h("kbd", {}, "Alt+N"))));
}
