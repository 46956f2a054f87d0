// Choosing a team: the recommended ones first, each with its reason and its load, any other below.
import { get } from "../common/api.js";
import { h } from "../common/dom.js";
import { t } from "../common/page.js";

const REASONS = {
  own: () => t("board.own"),
  neighbour: ({ away_m }) => t("board.neighbour", { away: away_m }),
  branch: () => t("board.same_branch"),
};

/** @param {string|null} wanted the team that a ticket was dropped on */
export async function reassignForm(ticket, wanted, open, submit) {
  const [{ items: candidates }, { items: teams }] = await Promise.all([get(`/tickets/${ticket.number}/candidates`), get("/teams")]);
  const first = wanted ?? candidates[0]?.team_id ?? "";
  const chosen = { value: first, required: true, focus: () => choices.querySelector("input")?.focus() };
  const isOther = !candidates.some(({ team_id }) => team_id === first);
  const choose = (value) => { chosen.value = value; };
  const radio = (candidate) => h("label.candidate", {},
    h("input", { type: "radio", name: "team", value: candidate.team_id, checked: candidate.team_id === first, onchange: () => { choose(candidate.team_id); other.value = ""; } }),
    h("span", {}, h("b", {}, candidate.name), " ", h("span.soft", {}, `${REASONS[candidate.reason](candidate)} · ${t("board.load", { count: candidate.load })}`)));
  const other = h("select", { id: "other-team", onchange: () => {
    choose(other.value || candidates[0]?.team_id);
    for (const input of choices.querySelectorAll("input")) input.checked = !other.value && input.value === chosen.value;
  } }, h("option", { value: "" }, "–"), teams.filter(({ id }) => id !== ticket.team_id).map(({ id, name }) => h("option", { value: id, selected: id === first && isOther }, name)));
  const choices = h("fieldset.stack.candidates", {}, h("legend.sr", {}, t("board.to_team")), candidates.map(radio),
    h("div", {}, h("label", { for: "other-team" }, t("board.other_team")), other));
  open([
    { name: "team_id", label: t("board.to_team"), fault: t("board.choose_team"), input: chosen, element: choices },
    { name: "note", label: t("board.note"), input: h("input", { type: "text", maxlength: 1000 }) },
  ], submit);
}
