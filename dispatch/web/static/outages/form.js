// The form of a notice. What is drawn or chosen on the map goes into it as well.
import { $, $$, fill, h } from "../common/dom.js";
import { now, t } from "../common/page.js";
import { dateTime } from "../common/time.js";
import { uuid } from "../common/uuid.js";

const HOUR_MS = 3_600_000;
const toField = (iso) => dateTime(iso).replace(" ", "T");
const fromField = (value) => (value ? `${value}:00+08:00` : value);

const blank = () => ({
  is_planned: true, title: "", place: "", zone_ids: [], area: null, estates: [], late_return_h: null,
  starts_at: new Date(now() + 25 * HOUR_MS).toISOString(), ends_at: new Date(now() + 31 * HOUR_MS).toISOString(),
});

/** Fill `panel` with the form of a notice, or of a new one; returns how the map changes it. */
export function write(panel, area, before, { save, leave }) {
  const draft = { ...(before ?? blank()) };
  let key = uuid();
  const fields = h("form.write", { novalidate: true, onsubmit: (event) => { event.preventDefault(); send(before ? "revise" : "draft"); } },
    h("h2", { tabindex: "-1" }, t(before ? "outage.edit" : "outage.new")),
    h("fieldset", {}, h("legend", {}, t("outage.kind")), kind(true, "outage.planned"), kind(false, "outage.emergency")),
    text("title", "outage.name", "outage.name_hint", 100), text("place", "outage.place", "outage.place_hint", 300),
    h("div.two", {}, time("starts_at"), time("ends_at")),
    box("late_return_h", t("outage.late_h"), h("input", { id: "late_return_h", type: "number", min: "1", max: "72", value: draft.late_return_h ?? "" })),
    box("estates", t("outage.estates"), h("textarea", { id: "estates", rows: "3", value: draft.estates.join("\n"), "aria-describedby": "estates-hint" }), h("p.hint", { id: "estates-hint" }, t("outage.estates_hint"))),
    h("fieldset", {}, h("legend", {}, t("outage.grids")),
      h("label.sr", { for: "grid-filter" }, t("outage.grids_filter")), h("input", { id: "grid-filter", type: "search", placeholder: t("outage.grids_filter"), oninput: filter }),
      h("div", { id: "grids", tabindex: "0", role: "group", "aria-label": t("outage.grids") }, area.grids.map(grid))),
    h("div.row", {}, h("b", {}, t("outage.area")), h("span", { id: "area-said", role: "status" }),
      h("button", { type: "button", id: "draw", onclick: () => area.draw() }, t("outage.draw"), " ", h("kbd", { "aria-hidden": "true" }, "D")),
      h("button", { type: "button", id: "clear-area", onclick: () => drawn(null) }, t("outage.clear"))),
    h("p.fault", { id: "fault", role: "alert", hidden: true }),
    h("div.row", {}, before ? h("button.primary", {}, t("outage.save")) : h("button.primary", {}, t("outage.draft")),
      !before && h("button", { type: "button", id: "publish-now", onclick: () => send("now") }, t("outage.publish_now")),
      h("button", { type: "button", onclick: leave }, t("common.cancel"))));
  fill(panel, fields);
  said();
  $("h2", panel).focus();
  area.show(draft, Boolean(before));

  function kind(value, word) {
    const id = `kind-${value}`;
    return h("label.check", { for: id }, h("input", { id, type: "radio", name: "kind", checked: draft.is_planned === value, onchange: () => { draft.is_planned = value; said(); } }), t(word));
  }

  function box(id, label, ...inside) {
    return h("div", {}, h("label", { for: id }, label), ...inside);
  }

  function text(name, label, hint, maxlength) {
    return box(name, t(label), h("input", { id: name, maxlength: String(maxlength), required: true, autocomplete: "off", value: draft[name], "aria-describedby": `${name}-hint` }), h("p.hint", { id: `${name}-hint` }, t(hint)));
  }

  function time(name) {
    return box(name, t(`outage.${name}`), h("input", { id: name, type: "datetime-local", required: true, value: toField(draft[name]) }));
  }

  function grid({ id, name }) {
    const box_id = `grid-${id}`;
    const input = h("input", { id: box_id, type: "checkbox", value: id, checked: draft.zone_ids.includes(id), onchange: () => choose(id, input.checked) });
    return h("label.check", { for: box_id, dataset: { name: `${id} ${name}`.toLowerCase() } }, input, name.includes(id) ? name : `${id} ${name}`);
  }

  function filter({ target }) {
    const wanted = target.value.trim().toLowerCase();
    for (const label of $$("#grids label")) label.hidden = !label.dataset.name.includes(wanted);
  }

  function choose(id, isOn) {
    draft.zone_ids = isOn ? [...draft.zone_ids, id] : draft.zone_ids.filter((one) => one !== id);
    area.show(draft, false);
  }

  function drawn(geometry) {
    draft.area = geometry;
    said();
    area.show(draft, false);
  }

  function said() {
    const count = draft.area ? draft.area.coordinates.flat(draft.area.type === "Polygon" ? 1 : 2).length - 1 : 0;
    $("#area-said").textContent = count ? t("outage.area_some", { count }) : t("outage.area_none");
    $("#clear-area").disabled = !count;
    if ($("#publish-now")) $("#publish-now").disabled = draft.is_planned;
  }

  function body() {
    const late = $("#late_return_h").value;
    return {
      title: $("#title").value.trim(), place: $("#place").value.trim(), is_planned: draft.is_planned, zone_ids: draft.zone_ids, area: draft.area,
      estates: $("#estates").value.split("\n").map((line) => line.trim()).filter(Boolean), late_return_h: late ? Number(late) : null,
      starts_at: fromField($("#starts_at").value), ends_at: fromField($("#ends_at").value),
    };
  }

  async function send(how) {
    const buttons = $$("button", fields);
    for (const button of buttons) button.disabled = true;
    try {
      await save(how, body(), key);
    } catch (problem) {
      key = uuid(); // what was refused is another one once it is mended
      for (const button of buttons) button.disabled = false;
      said();
      fault(problem);
    }
  }

  function fault({ field, message }) {
    for (const one of $$("[aria-invalid]", fields)) one.removeAttribute("aria-invalid");
    const at = field && document.getElementById({ zone_ids: "grid-filter", area: "draw" }[field.split(".")[0]] ?? field.split(".")[0]);
    $("#fault").hidden = false;
    $("#fault").textContent = message;
    if (!at) return;
    at.setAttribute("aria-invalid", "true");
    at.focus();
  }

  function toggle(id) {
    const input = document.getElementById(`grid-${id}`);
    if (input) input.click();
  }

  return { drawn, toggle };
}
