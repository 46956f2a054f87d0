// Filters of the board, kept in its address so that a link and a reload show the same.
import { get } from "../common/api.js";
import { $, fill, h } from "../common/dom.js";
import { t, tOr } from "../common/page.js";

const NAMES = ["branch", "zone_id", "category", "level", "team_id"];

export function read() {
  const told = new URLSearchParams(location.search);
  return Object.fromEntries(NAMES.map((name) => [name, told.get(name) ?? ""]).filter(([, value]) => value));
}

/** @param {(filter: object) => void} onChange */
export async function build(teams, onChange) {
  const { items, levels } = await get("/categories");
  const choices = {
    branch: [t("common.branch"), unique(teams.map(({ branch }) => branch)).map((name) => [name, name])],
    zone_id: [t("common.zone"), unique(teams.flatMap(({ zone_ids }) => zone_ids)).map((id) => [id, id])],
    category: [t("common.category"), items.filter(({ level }) => level).map(({ id, label }) => [id, tOr(`category.${id}`, label)])],
    level: [t("common.level"), levels.map(({ id, label }) => [id, `${id} ${tOr(`level.${id}`, label)}`])],
    team_id: [t("common.team"), teams.map(({ team_id, name }) => [team_id, name])],
  };
  const current = read();
  const changed = () => {
    const filter = Object.fromEntries(NAMES.map((name) => [name, $(`#filter-${name}`).value]).filter(([, value]) => value));
    const query = new URLSearchParams(filter).toString();
    history.replaceState(null, "", query ? `?${query}` : location.pathname);
    onChange(filter);
  };
  const field = (name) => h("div", {}, h("label", { for: `filter-${name}` }, choices[name][0]),
    h("select", { id: `filter-${name}`, onchange: changed }, h("option", { value: "" }, t("common.all")),
      choices[name][1].map(([value, label]) => h("option", { value, selected: current[name] === value }, label))));
  const clear = () => {
    for (const name of NAMES) $(`#filter-${name}`).value = "";
    changed();
  };
  fill($("#filter-form"), NAMES.map(field), h("button", { type: "button", onclick: clear }, t("board.clear")));
}

const unique = (values) => [...new Set(values)].filter(Boolean).sort();
