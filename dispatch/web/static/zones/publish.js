// Before and at publishing: which tickets would change team, from when it holds, and what becomes of open tickets.
import { get, post } from "../common/api.js";
import { fill, h } from "../common/dom.js";
import { now, t } from "../common/page.js";
import { dateTime } from "../common/time.js";
import { graveOf } from "./problems.js";

const CHINA_MS = 8 * 3_600_000;
const local = (at_ms) => new Date(at_ms + CHINA_MS).toISOString().slice(0, 16);

/**
 * Return the panel for a draft.
 * @param {object} doc the draft
 * @param {{onProblem(): void, onCancel(): void, onPublished(words): void, onStale(): void}} told
 */
export function publishPanel(doc, told) {
  const preview = h("div.stack", { role: "group", "aria-label": t("zones.preview"), "aria-busy": "true" }, h("p", {}, t("common.loading")));
  get(`/zone-drafts/${doc.id}/preview`).then(
    (found) => fill(preview, previewed(found)),
    (problem) => fill(preview, h("p.fault", {}, problem.message)),
  ).finally(() => preview.removeAttribute("aria-busy"));
  const grave = graveOf(doc.problems).length;
  return [
    h("h2", { tabindex: -1 }, t("zones.preview_publish")),
    h("h3", {}, t("zones.preview")), preview,
    h("h3", {}, t("zones.publish")),
    grave === 0 ? publishForm(doc, told) : h("div.stack", {},
      h("p.fault", {}, t("zones.still_problems", { count: grave })),
      h("div.row", {}, h("button.primary", { type: "button", onclick: told.onProblem }, t("zones.to_first_problem")), h("button", { type: "button", onclick: told.onCancel }, t("common.cancel")))),
  ];
}

function previewed({ open, last_90_days: recent, compared, open_compared: openCompared }) {
  return [
    h("p.soft.small", {}, t("zones.compared", { open: openCompared, count: compared })),
    h("dl.figures", {}, figure(t("zones.open_change"), open.count), figure(t("zones.recent_change"), recent.count)),
    open.changes.length > 0 && h("details.small", { open: open.count <= 10 }, h("summary", {}, t("zones.open_list")),
      h("div.scroll", { tabindex: 0, role: "group", "aria-label": t("zones.open_list") }, table([t("zones.number"), t("zones.team_change"), t("common.address")],
        open.changes.map((one) => [one.number, change(one), one.address])),
      open.count > open.changes.length && h("p.soft", {}, t("zones.first_only", { shown: open.changes.length, count: open.count })))),
    recent.changes_by_team.length > 0 && h("details.small", { open: true }, h("summary", {}, t("zones.recent_list")),
      h("div.scroll", { tabindex: 0, role: "group", "aria-label": t("zones.recent_list") }, table([t("zones.team_change"), t("zones.count")],
        recent.changes_by_team.map((one) => [change(one), one.count])))),
  ];
}

const figure = (label, count) => h("div", {}, h("dt", {}, label), h("dd", {}, String(count)));
const change = ({ from_team, from_team_name: from, to_team, to_team_name: to }) => `${from ?? from_team} → ${to ?? to_team ?? t("zones.no_team")}`;

function table(heads, rows) {
  return h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th.nowrap", { scope: "col" }, head)))),
    h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) => h("td", {}, String(cell)))))));
}

function publishForm(doc, told) {
  const fault = h("p.fault", { role: "alert", hidden: true });
  const at = h("input", { id: "valid-from", type: "datetime-local", value: local(now() + 3_600_000), hidden: true, "aria-label": t("zones.at_time") });
  const when = (value, label, isChosen) => h("label.check", {}, h("input", { type: "radio", name: "when", value, checked: isChosen, onchange: () => { at.hidden = value === "now"; if (value === "at") at.focus(); } }), h("span", {}, label));
  const what = (value, label, why) => h("label.check", {}, h("input", { type: "radio", name: "open_tickets", value }), h("span", {}, h("b", {}, label), h("span.soft.small", {}, why)));
  const doubts = h("div.stack");
  const doubt = (reasons) => {
    const sure = h("input", { type: "checkbox", name: "is_sure" });
    fill(doubts, h("h3", {}, t("zones.doubts")), h("ul.doubts", {}, reasons.map((reason) => h("li", {}, reason))), h("label.check", {}, sure, h("span", {}, t("zones.sure"))));
    sure.focus();
  };
  const say = (text) => { fault.textContent = text; fault.hidden = !text; };
  const submit = async (event) => {
    event.preventDefault();
    const { when: chosen, open_tickets: tickets, is_sure: isSure } = form.elements;
    if (!tickets.value) return say(t("zones.choose_open"));
    if (chosen.value === "at" && !at.value) return say(t("zones.choose_time"));
    const from = chosen.value === "now" ? new Date(now()).toISOString() : `${at.value}:00+08:00`;
    say("");
    go.disabled = true;
    try {
      const body = { version: doc.version, valid_from: from, open_tickets: tickets.value, is_sure: isSure?.checked ?? false };
      const answer = await post(`/zone-drafts/${doc.id}/publish`, body);
      const time = dateTime(answer.valid_from);
      if (answer.moved !== null) told.onPublished(t("zones.published_moved", { time, moved: answer.moved }));
      else told.onPublished(t(tickets.value === "move" ? "zones.published_move" : "zones.published_keep", { time }));
    } catch (problem) {
      if (problem.code === "stale-version") told.onStale(problem);
      else if (problem.code === "not-sure") doubt(problem.doubts);
      else say(problem.message);
    } finally {
      go.disabled = false;
    }
    return undefined;
  };
  const go = h("button.primary", {}, t("zones.publish_do"));
  const form = h("form.stack", { "aria-label": t("zones.publish"), onsubmit: submit },
    h("fieldset", {}, h("legend", {}, t("zones.valid_from")), when("now", t("zones.at_once"), true), when("at", t("zones.at_time"), false), at),
    h("fieldset", {}, h("legend", {}, t("zones.open_tickets")), what("keep", t("zones.keep"), t("zones.keep_why")), what("move", t("zones.move"), t("zones.move_why"))),
    doubts, fault,
    h("div.row", {}, go, h("button", { type: "button", onclick: told.onCancel }, t("common.cancel"))));
  return form;
}
