// Choosing a team: the recommended ones first, each with its reason and its load, any other below. A ticket without a
// place is pinned here as well, and goes to the team that answers for the place unless one is named.
import { doubts, wayText, workedText } from "../common/advice.js";
import { get } from "../common/api.js";
import { h } from "../common/dom.js";
import { t } from "../common/page.js";
import { numbersOf } from "../common/pair.js";
import { lateWarning } from "../common/said.js";

const REASONS = {
  own: () => t("board.own"),
  neighbour: ({ away_m }) => t("board.neighbour", { away: away_m }),
  branch: () => t("board.same_branch"),
  nearest: () => t("advice.nearest"),
};

/**
 * @param {string|null} wanted the team that a ticket was dropped on
 * @param {(onPick: Function) => {show: Function}} pick lets the map be clicked
 */
export async function reassignForm(ticket, wanted, pick, open, submit) {
  const [{ items: candidates, warning }, { items: teams }] = await Promise.all([get(`/tickets/${ticket.number}/candidates`), get("/teams")]);
  const isPlaced = ticket.lon !== null;
  const first = wanted ?? (isPlaced ? candidates[0]?.team_id : null) ?? "";
  const chosen = { value: first, required: true, focus: () => choices.querySelector("input")?.focus() };
  const isOther = first !== "" && !candidates.some(({ team_id }) => team_id === first);
  const choose = (value) => { chosen.value = value; };
  const radio = (candidate) => h("label.candidate", {},
    h("input", { type: "radio", name: "team", value: candidate.team_id, checked: candidate.team_id === first, onchange: () => { choose(candidate.team_id); other.value = ""; } }),
    h("span", {}, h("b", {}, candidate.name), " ", h("span.soft", {}, `${REASONS[candidate.reason](candidate)} · ${t("board.load", { count: candidate.load })}`, ...more(candidate))));
  const other = h("select", { id: "other-team", onchange: () => {
    choose(other.value || first);
    for (const input of choices.querySelectorAll("input")) input.checked = !other.value && input.value === chosen.value;
  } }, h("option", { value: "" }, "–"), teams.filter(({ id }) => id !== ticket.team_id).map(({ id, name }) => h("option", { value: id, selected: isOther && id === first }, name)));
  const choices = h("fieldset.stack.candidates", {}, h("legend.sr", {}, t("board.to_team")), warning && h("p.fault", {}, lateWarning(warning)), candidates.map(radio),
    h("div", {}, h("label", { for: "other-team" }, t("board.other_team")), other));
  const pin = isPlaced ? null : pinField(pick, ticket.suggestion, (isPinned) => { chosen.required = !isPinned; });
  open([
    ...(pin ? [pin] : []),
    { name: "team_id", label: t("board.to_team"), fault: t("board.choose_team"), input: chosen, element: choices },
    { name: "note", label: t("board.note"), input: h("input", { type: "text", maxlength: 1000 }) },
  ], submit);
}

const locationOf = ([lon, lat]) => ({ lon, lat, datum: "wgs84" });

/** A place by a click on the map, as coordinates, or as geocoders suggest; says at once whose grid it is. */
function pinField(pick, suggestion, onPlaced) {
  const said = h("p.soft.small", { id: "pin-said", role: "status" }, t("board.pin_hint"));
  const input = h("input", { type: "text", id: "pin", autocomplete: "off", placeholder: "112.98,28.19", "aria-describedby": "pin-said", oninput: () => place() });
  const put = (lonlat) => { input.value = lonlat.map((degrees) => degrees.toFixed(6)).join(","); place(); };
  const map = pick(put);
  const use = suggestion?.state === "suggested" && h("button", { type: "button", onclick: () => { put([suggestion.lon, suggestion.lat]); input.focus(); } },
    t("board.use_suggestion", { label: suggestion.label, confidence: suggestion.confidence }));
  const lonlat = () => numbersOf(input.value) ?? undefined;
  let turn = 0;
  async function place() {
    const mine = ++turn;
    const at = lonlat();
    map.show(at ?? null);
    onPlaced(Boolean(at));
    said.textContent = t("board.pin_hint");
    if (!at) return;
    const words = await get("/route", locationOf(at)).then(({ reason, team_name }) => [team_name, reason].filter(Boolean).join(" · "), (problem) => problem.message);
    if (mine === turn) said.textContent = words;
  }
  return { name: "location", label: t("board.pin"), input, read: () => lonlat() && locationOf(lonlat()), element: h("div", {}, h("label", { for: "pin" }, t("board.pin")), input, use, said) };
}

/** Who of the team would go, how long it takes, how long he has worked, and what speaks against it. */
function more({ person, travel, worked_h, exclusions }) {
  const told = [person, travel && wayText(travel), workedText(worked_h), doubts(exclusions)].filter(Boolean);
  return told.length ? [h("br"), told.join(" · ")] : [];
}
