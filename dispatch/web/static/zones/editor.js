// The editor of one draft: what is chosen, what is drawn, and each change as one operation of the server.
import { get, post } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { t } from "../common/page.js";
import { Canvas } from "./canvas.js";
import { ringsOf, zonesAt } from "./geometry.js";
import { ZoneList } from "./list.js";
import { emptyPanel, mergePanel, newZonePanel, zonePanel } from "./panel.js";
import { Problems } from "./problems.js";
import { publishPanel } from "./publish.js";
import { Sketch } from "./sketch.js";

// The map stands above the lists, and would change unseen.
const NARROW = matchMedia("(max-width: 799px)");

export class Editor {
  doc = null;
  #chosen = [];
  #vertex = null;
  #mode = "zone";
  #teams = [];
  #queue = Promise.resolve();
  #onPublished;

  constructor(onPublished) {
    this.#onPublished = onPublished;
    this.canvas = new Canvas($("#map"), {
      onZone: (id, isMore) => { if (!this.sketch.isOn) this.choose(id, isMore); },
      onPick: (lonlat) => { if (this.#mode === "sketch") this.sketch.add(lonlat); },
      onHover: (lonlat) => { if (this.#mode === "sketch") this.sketch.hover(lonlat); },
      onDouble: () => { if (this.#mode === "sketch") this.sketch.finish(); },
      onVertex: (lonlat) => this.#pickVertex(lonlat),
      onMoved: (from, to) => this.#move(from, to),
    });
    this.sketch = new Sketch(this.canvas, { onChange: () => this.#drawPanel(), onDone: (kind, points) => this.#drawn(kind, points) });
    this.list = new ZoneList($("#zone-list"), $("#zone-filter"), (id, isMore) => { this.choose(id, isMore); this.#show([this.#feature(id)]); });
    this.problems = new Problems($("#problems"), {
      onOpen: (problem) => this.#openProblem(problem),
      onFix: (op) => this.edit(op),
      onZone: (id) => { this.choose(id, false); $("#zone-name")?.focus(); },
    });
    $("#tool-draw").addEventListener("click", () => this.draw());
    $("#tool-split").addEventListener("click", () => this.split());
    $("#tool-undo").addEventListener("click", () => this.undo());
    $("#tool-publish").addEventListener("click", () => this.publish());
  }

  // ---------------------------------------------------------------- a draft comes and goes

  async open(id) {
    const [doc, teams] = await Promise.all([get(`/zone-drafts/${id}`), get("/teams")]);
    this.#teams = teams.items;
    this.close();
    $("#overview").hidden = true;
    $("#editor").hidden = false;
    this.#take(doc);
    this.canvas.map.invalidateSize({ animate: false });
    if (doc.features.features.length) this.canvas.zoomTo(doc.features);
    $("#draft-title").focus();
  }

  close() {
    this.doc = null;
    this.#chosen = [];
    this.#vertex = null;
    this.#mode = "zone";
    this.sketch.stop();
    this.problems.current = null;
    $("#zone-filter").value = "";
    $("#overview").hidden = false;
    $("#editor").hidden = true;
  }

  #take(doc) {
    this.doc = doc;
    const { features } = doc.features;
    this.#chosen = this.#chosen.filter((id) => this.#feature(id));
    if (this.#vertex && !zonesAt(features, this.#vertex).length) this.#vertex = null;
    $("#draft-title").textContent = doc.name;
    $("#draft-told").textContent = [t("zones.draft_version", { version: doc.version }), doc.base_set_id ? t("zones.draft_base", { base: doc.base_set_id }) : t("zones.draft_file")].join(" · ");
    $("#tool-undo").disabled = !doc.can_undo;
    fill($("#warnings"), doc.warnings.map((warning) => h("p.warning.card", {}, `⚠ ${warning.reason}`)));
    this.canvas.draw(features);
    this.problems.draw(doc.problems);
    this.#drawChosen();
    this.#drawPanel();
  }

  #feature(id) {
    return this.doc.features.features.find(({ properties }) => properties.zone_id === id);
  }

  // ---------------------------------------------------------------- what is chosen

  choose(id, isMore) {
    if (!isMore) this.#chosen = [id];
    else this.#chosen = this.#chosen.includes(id) ? this.#chosen.filter((one) => one !== id) : [...this.#chosen, id];
    this.#vertex = null;
    this.#setMode("zone");
    this.list.reveal(id);
  }

  /** Esc: leave what is going on, then what is chosen. */
  cancel() {
    if (this.#mode === "zone") this.#chosen = [];
    this.#vertex = null;
    this.#setMode("zone");
  }

  #setMode(mode) {
    this.#mode = mode;
    if (mode !== "sketch" && mode !== "new") this.sketch.stop();
    $("#map-hint").hidden = mode !== "sketch";
    $("#map-hint").textContent = mode === "sketch" ? t(this.sketch.kind === "draw" ? "zones.draw_hint" : "zones.split_hint") : "";
    this.#drawChosen();
    this.#drawPanel();
  }

  #drawChosen() {
    const flawed = new Set(this.doc.problems.flatMap(({ zone_ids: ids }) => ids));
    this.list.draw(this.doc.features.features, this.#chosen, flawed);
    this.canvas.choose(this.#chosen);
    this.canvas.drawProblems(this.doc.problems, this.problems.current);
    const isOne = this.#chosen.length === 1 && this.#mode === "zone";
    this.canvas.edit(isOne ? this.#feature(this.#chosen[0]) : null, this.#vertex);
  }

  #show(features) {
    this.canvas.zoomTo({ type: "FeatureCollection", features }, 15);
  }

  #openProblem(problem) {
    this.canvas.drawProblems(this.doc.problems, problem);
    if (!problem) return;
    if (NARROW.matches) $(".place").scrollIntoView();
    this.canvas.zoomTo(problem.geometry);
    if (this.#mode === "zone") this.choose(problem.zone_ids[0], false);
  }

  // ---------------------------------------------------------------- the panel

  #drawPanel() {
    if (!this.doc || this.#mode === "new" || this.#mode === "publish") return;
    const held = $("#panel").contains(document.activeElement) ? document.activeElement : null;
    fill($("#panel"), this.#panel());
    const again = held && ((held.id && $(`#${held.id}`)) || (held.dataset.step && $(`[data-step="${held.dataset.step}"]`)));
    if (again) again.focus();
    else if (held) $("#panel").focus();
  }

  #panel() {
    if (this.#mode === "sketch") return this.sketch.form(() => this.cancel());
    const features = this.#chosen.map((id) => this.#feature(id));
    if (!features.length) return emptyPanel();
    if (features.length > 1) return mergePanel({ features, told: { onEdit: (op) => this.edit(op, { chosen: [op.into] }), onNone: () => this.cancel() } });
    return zonePanel({
      feature: features[0], features: this.doc.features.features, vertex: this.#vertex, teams: this.#teams,
      told: {
        onEdit: (op) => this.edit(op),
        onVertex: (lonlat) => { this.#pickVertex(lonlat); this.canvas.showVertex(lonlat); },
        onMoved: (from, to) => this.#move(from, to),
        onInsert: (lonlat, ring, index) => this.#insert(features[0], ring, index),
        onDelete: (lonlat, ring, index) => this.#drop(features[0], ring, index),
        onSplit: () => this.split(),
        onRemove: () => this.edit({ op: "remove", zone_id: features[0].properties.zone_id }),
      },
    });
  }

  // ---------------------------------------------------------------- vertices

  #pickVertex(lonlat) {
    this.#vertex = lonlat;
    this.#drawChosen();
    this.#drawPanel();
  }

  #move(from, to) {
    return this.edit({ op: "move_vertex", from, to }, { vertex: to });
  }

  /** A new vertex between this one and the next: it is set where it is typed or dragged to. */
  #insert({ geometry }, ring, index) {
    const places = ringsOf(geometry)[ring];
    const [a, b] = [places[index], places[index + 1]];
    this.#pickVertex([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
  }

  /** A vertex that is moved onto the one beside it is gone, for all who share it. */
  #drop({ geometry }, ring, index) {
    const places = ringsOf(geometry)[ring].slice(0, -1);
    return this.edit({ op: "move_vertex", from: places[index], to: places.at(index - 1) }, { vertex: places.at(index - 1) });
  }

  // ---------------------------------------------------------------- tools

  draw() {
    this.#begin("draw");
  }

  split() {
    if (this.#chosen.length === 1) this.#begin("split");
    else toast(t("zones.split_choose"));
  }

  #begin(kind) {
    this.#mode = "sketch";
    this.sketch.start(kind);
    this.#setMode("sketch");
    $("#panel").focus();
  }

  #drawn(kind, points) {
    const old = kind === "split" ? this.#feature(this.#chosen[0]).properties : null;
    const values = old ? { branch: old.branch, in_circle: old.in_circle } : {};
    this.#setMode("new");
    const save = (zone) => this.edit(kind === "split"
      ? { op: "split", zone_id: old.zone_id, line: points, new_zone: zone }
      : { op: "draw", zone, geometry: { type: "Polygon", coordinates: [[...points, points[0]]] } }, { chosen: [zone.zone_id] });
    fill($("#panel"), newZonePanel({ kind, values, teams: this.#teams, onSave: save, onBack: () => this.cancel() }));
    $("#new-zone_id").focus();
  }

  publish() {
    this.#setMode("publish");
    fill($("#panel"), publishPanel(this.doc, {
      onProblem: () => { this.#setMode("zone"); this.problems.current = null; this.problems.next(); },
      onCancel: () => this.cancel(),
      onStale: () => this.#stale(),
      onPublished: (words) => this.#onPublished(words),
    }));
    $("#panel h2").focus();
  }

  // ---------------------------------------------------------------- changes

  undo() {
    if (this.#mode === "sketch") this.sketch.takeBack();
    else if (this.doc.can_undo) this.edit({ op: "undo" });
  }

  /** Change the draft; what is asked for while another change is on its way waits for it. */
  edit(op, then = {}) {
    const { id } = this.doc;
    this.#queue = this.#queue.then(async () => {
      if (this.doc?.id !== id) return;
      const doc = await post(`/zone-drafts/${id}/edits`, { version: this.doc.version, ...op }).catch((problem) => this.#refused(problem));
      if (doc) this.#changed(doc, then);
    });
    return this.#queue;
  }

  #changed(doc, { chosen = this.#chosen, vertex = this.#vertex }) {
    this.#chosen = chosen;
    this.#vertex = vertex;
    if (this.#mode === "new") this.#mode = "zone";
    if (this.#mode === "zone") this.sketch.stop();
    this.#take(doc);
  }

  async #refused(problem) {
    if (problem.code === "stale-version") await this.#stale();
    else {
      toast(t("zones.refused", { reason: problem.message }), { kind: "error" });
      this.#drawChosen(); // a handle that was dragged goes back
    }
  }

  /** Somebody else was first: show what there is now. */
  async #stale() {
    this.#mode = "zone";
    this.sketch.stop();
    this.#take(await get(`/zone-drafts/${this.doc.id}`));
    toast(t("zones.stale"), { kind: "error" });
  }
}
