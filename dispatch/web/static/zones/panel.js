// What the right side says of the chosen zones: properties, vertices, and what can be done with them.
import { h } from "../common/dom.js";
import { t } from "../common/page.js";
import { areaOf, areaText, isSame, verticesOf, zonesAt } from "./geometry.js";
import { pairField } from "./pair.js";

/** The fields of a zone. `prefix` keeps the ids apart. */
export function zoneFields(prefix, values, teams, { hasId = false } = {}) {
  const field = (name, label, input) => h("div", {}, h("label", { for: `${prefix}-${name}` }, label), input);
  const id = `${prefix}-zone_id`;
  return h("div.stack", {},
    hasId && field("zone_id", t("zones.zone_id"), h("input", { id, name: "zone_id", required: true, maxlength: 60, value: values.zone_id ?? "" })),
    field("name", t("zones.name"), h("input", { id: `${prefix}-name`, name: "name", required: !hasId, maxlength: 100, value: values.name ?? "" })),
    field("branch", t("common.branch"), h("input", { id: `${prefix}-branch`, name: "branch", maxlength: 100, value: values.branch ?? "" })),
    field("team_id", t("common.team"), teamSelect(`${prefix}-team_id`, values.team_id ?? null, teams)),
    h("label.check", {}, h("input", { type: "checkbox", name: "in_circle", checked: values.in_circle ?? true }), h("span", {}, t("zones.in_circle"))));
}

function teamSelect(id, chosen, teams) {
  const known = teams.some((team) => team.id === chosen);
  const option = (value, label) => h("option", { value, selected: value === (chosen ?? "") }, label);
  return h("select", { id, name: "team_id" }, option("", t("zones.no_team")),
    chosen && !known && option(chosen, t("zones.unknown_team", { team: chosen })),
    teams.map((team) => option(team.id, `${team.name} (${team.id})`)));
}

/** What a form of `zoneFields` says. */
export function zoneOf(form) {
  const { zone_id, name, branch, team_id, in_circle } = form.elements;
  return {
    ...(zone_id && { zone_id: zone_id.value.trim() }),
    name: name.value.trim() || zone_id?.value.trim(),
    branch: branch.value.trim() || null,
    team_id: team_id.value || null,
    in_circle: in_circle.checked,
  };
}

export function emptyPanel() {
  return [h("h2", {}, t("zones.panel")), h("p.soft", {}, t("zones.choose_hint"))];
}

/** One zone. */
export function zonePanel({ feature, features, vertex, teams, told }) {
  const { properties, geometry } = feature;
  const vertices = verticesOf(geometry);
  const form = h("form.stack", { "aria-label": t("zones.properties"), onsubmit: (event) => {
    event.preventDefault();
    told.onEdit({ op: "properties", zone_id: properties.zone_id, ...zoneOf(form) });
  } }, zoneFields("zone", properties, teams), h("div.row", {}, h("button.primary", {}, t("zones.save_properties"))));
  return [
    h("h2", {}, properties.zone_id),
    h("p.soft.small", {}, t("zones.facts", { area: areaText(areaOf(geometry)), count: vertices.length })),
    form,
    vertexBox({ feature, features, vertices, vertex, told }),
    h("div.row", {},
      h("button", { type: "button", onclick: told.onSplit }, t("zones.split")),
      h("button", { type: "button", onclick: told.onRemove }, t("zones.remove"))),
  ];
}

const round = (degrees) => Number(degrees.toFixed(7));

function vertexBox({ feature, features, vertices, vertex, told }) {
  const n = vertex ? vertices.findIndex(({ lonlat }) => isSame(lonlat, vertex)) : -1;
  const step = (by) => told.onVertex(vertices[(Math.max(n, by < 0 ? 0 : -1) + by + vertices.length) % vertices.length].lonlat);
  const nav = h("div.row", {},
    h("button", { type: "button", "aria-label": t("zones.vertex_before"), dataset: { step: -1 }, onclick: () => step(-1) }, "◀"),
    h("span.nowrap", {}, n < 0 ? t("zones.vertex_none", { count: vertices.length }) : t("zones.vertex_at", { n: n + 1, count: vertices.length })),
    h("button", { type: "button", "aria-label": t("zones.vertex_next"), dataset: { step: 1 }, onclick: () => step(1) }, "▶"));
  const box = (...inside) => h("fieldset.vertex", {}, h("legend", {}, t("zones.vertices")), nav, inside);
  if (!vertex) return box(h("p.soft.small", {}, t("zones.vertex_how")));
  if (n < 0) return box(h("p.small", {}, t("zones.vertex_new")), pairField("vertex-pair", t("zones.vertex_put"), (to) => told.onMoved(vertex, to), vertex.map(round).join(", ")));
  const { lonlat, ring, index } = vertices[n];
  const sharing = zonesAt(features, lonlat);
  return box(
    pairField("vertex-pair", t("zones.vertex_move"), (to) => told.onMoved(lonlat, to), lonlat.map(round).join(", ")),
    sharing.length > 1 && h("p.small", {}, t("zones.vertex_shared", { zones: sharing.join(", ") })),
    h("div.row", {},
      h("button", { type: "button", onclick: () => told.onInsert(lonlat, ring, index) }, t("zones.vertex_insert")),
      h("button", { type: "button", disabled: vertices.length < 4, onclick: () => told.onDelete(lonlat, ring, index) }, t("zones.vertex_delete"))));
}

/** Several zones: they can become one. */
export function mergePanel({ features, told }) {
  const option = ({ properties }) => h("option", { value: properties.zone_id }, `${properties.zone_id} · ${properties.team_id ?? t("zones.no_team")}`);
  const into = h("select", { id: "merge-into" }, features.map(option));
  const ids = features.map(({ properties }) => properties.zone_id);
  return [
    h("h2", {}, t("zones.chosen", { count: ids.length })),
    h("p", {}, ids.join(", ")),
    h("form.stack", { "aria-label": t("zones.merge"), onsubmit: (event) => { event.preventDefault(); told.onEdit({ op: "merge", zone_ids: ids, into: into.value }); } },
      h("div", {}, h("label", { for: "merge-into" }, t("zones.merge_into")), into),
      h("p.soft.small", {}, t("zones.merge_how")),
      h("div.row", {}, h("button.primary", {}, t("zones.merge")), h("button", { type: "button", onclick: told.onNone }, t("common.cancel")))),
  ];
}

/** What a drawn shape becomes. */
export function newZonePanel({ kind, values, teams, onSave, onBack }) {
  const form = h("form.stack", { "aria-label": t("zones.new_zone"), onsubmit: (event) => { event.preventDefault(); onSave(zoneOf(form)); } },
    zoneFields("new", values, teams, { hasId: true }),
    h("div.row", {}, h("button.primary", {}, t(`zones.${kind}_save`)), h("button", { type: "button", onclick: onBack }, t("common.cancel"))));
  return [h("h2", {}, t("zones.new_zone")), h("p.soft.small", {}, t(kind === "split" ? "zones.split_new" : "zones.draw_new")), form];
}
