// Versions and drafts, and how a draft comes about: from what is live, or from a file.
import { get, post, postBytes, remove } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { now, t } from "../common/page.js";
import { dateTime } from "../common/time.js";

const told = (problem) => toast(problem.message, { kind: "error" });
const FORMS = ["geojson", "csv", "kml"];

/** @param {(id: number) => void} open */
export function wire(open) {
  $("#new-name").value = t("zones.new_name", { day: dateTime(now()).slice(0, 10) });
  $("#new-draft").addEventListener("submit", (event) => {
    event.preventDefault();
    post("/zone-drafts", { name: $("#new-name").value.trim(), source: "live" }).then(({ id }) => open(id), told);
  });
  $("#import").addEventListener("submit", (event) => { event.preventDefault(); importFile(open); });
  $("#file").addEventListener("change", () => {
    const field = $("#import-name");
    const name = ($("#file").files[0]?.name ?? "").replace(/\.\w+$/, "").slice(0, 100);
    // What somebody has typed stays.
    if (field.value === (field.dataset.made ?? "")) field.value = name;
    field.dataset.made = name;
  });
}

/** Load and show both lists. */
export async function show(open) {
  const [drafts, versions] = await Promise.all([get("/zone-drafts"), get("/zone-sets")]);
  drawDrafts(drafts.items, open);
  drawVersions(versions.items);
}

function drawDrafts(drafts, open) {
  const row = (draft) => h("li", {},
    h("div", {}, h("a", { href: `#draft-${draft.id}` }, draft.name), " ", draft.problems > 0
      ? h("span.chip", {}, `⚠ ${t("zones.problem_count", { count: draft.problems })}`) : h("span.chip", {}, `✓ ${t("zones.no_problems")}`)),
    h("div.soft.small", {}, t("zones.draft_facts", { zones: draft.zones, at: dateTime(draft.changed_at), who: draft.creator })),
    h("div.row", {}, h("button", { type: "button", onclick: () => open(draft.id) }, t("zones.open")), dropButton(draft, () => show(open).catch(told))));
  fill($("#drafts"), drafts.length ? drafts.map(row) : h("li.soft", {}, t("zones.no_drafts")));
}

/** Asks once more in its own place: no dialog. */
function dropButton(draft, after) {
  const drop = async () => {
    if (!button.dataset.isSure) {
      button.dataset.isSure = "yes";
      button.textContent = t("zones.drop_sure");
      return;
    }
    await remove(`/zone-drafts/${draft.id}`).catch(told);
    after();
  };
  const button = h("button", { type: "button", "aria-label": t("zones.drop_named", { name: draft.name }), onclick: drop,
    onblur: () => { delete button.dataset.isSure; button.textContent = t("zones.drop"); } }, t("zones.drop"));
  return button;
}

function drawVersions(versions) {
  const at_ms = now();
  const standing = ({ is_live: isLive, valid_from: from }) => {
    if (isLive) return h("b", {}, `● ${t("zones.is_live")}`);
    return Date.parse(from) > at_ms ? `◷ ${t("zones.is_coming")}` : t("zones.is_past");
  };
  const moved = ({ move }) => move && h("div.soft.small", {}, t(move.done_at ? "zones.move_done" : "zones.move_waits", { moved: move.moved, refused: move.refused }));
  const links = ({ id }) => FORMS.map((form) => h("a.nowrap", { href: `/api/v1/zone-sets/${id}/export?form=${form}&datum=${$("#export-datum").value}`, download: "" }, { geojson: "GeoJSON", csv: "CSV", kml: "KML" }[form])).flatMap((link) => [link, " "]);
  const row = (version) => h("tr", {}, h("th", { scope: "row" }, `v${version.id}`), h("td", {}, standing(version), moved(version)), h("td.nowrap", {}, dateTime(version.valid_from)),
    h("td", {}, String(version.zones)), h("td", {}, version.source, version.is_sample && [" ", h("span.chip", {}, t("common.sample"))]), h("td", {}, links(version)));
  const heads = [t("zones.version"), t("common.status"), t("zones.valid_from"), t("zones.list"), t("zones.source"), t("zones.export")];
  $("#export-datum").onchange = () => drawVersions(versions);
  fill($("#versions"), versions.length
    ? h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, versions.map(row)))
    : h("p.soft", {}, t("zones.no_versions")));
}

// ---------------------------------------------------------------- a file

async function importFile(open) {
  const body = new FormData();
  body.append("file", $("#file").files[0]);
  body.append("datum", $("#datum").value);
  const name = $("#import-name").value.trim();
  if (name) body.append("name", name);
  for (const field of ["id_field", "name_field", "team_field"]) {
    if ($(`#${field}`).value.trim()) body.append(field, $(`#${field}`).value.trim());
  }
  $("#report").hidden = true;
  $("#import-told").textContent = t("zones.checking");
  try {
    const draft = await postBytes("/zone-drafts", body);
    $("#import").reset();
    open(draft.id);
  } catch (problem) {
    report(problem);
  } finally {
    $("#import-told").textContent = "";
  }
}

function report(problem) {
  const rows = problem.problems ?? [];
  const row = ({ feature, id, place, reason }) => h("tr", {}, h("td", {}, feature ? String(feature) : t("zones.whole_file")), h("td", {}, id ?? ""), h("td.nowrap", {}, place ?? ""), h("td", {}, reason));
  const heads = [t("zones.feature"), t("zones.zone_id"), t("zones.at_place"), t("zones.reason")];
  fill($("#report"), h("p.fault", { role: "alert" }, problem.message), h("p", {}, t("zones.nothing_changed")),
    rows.length > 0 && h("div.scroll", { tabindex: 0, role: "group", "aria-label": t("zones.report") }, h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, rows.slice(0, 500).map(row)))));
  $("#report").hidden = false;
  $("#report").focus();
}
