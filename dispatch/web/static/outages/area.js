// The map: grids to choose, an area to draw, and what a notice covers. Drawing is that of the grids' page.
import { coordsToLatLng, toMap } from "../common/map.js";
import { $, fill } from "../common/dom.js";
import { t } from "../common/page.js";
import { Canvas } from "../zones/canvas.js";
import { Sketch } from "../zones/sketch.js";

const L = window.L;
// Places that are typed may lie close together: from here on the map tells them apart.
const NEAR_ZOOM = 16;
const nothing = () => {};

export class Area {
  grids = [];
  #canvas;
  #sketch;
  #drawn = null;
  #features = [];
  #told;

  /** @param {{onGrid(id): void, onDrawn(geometry): void}} told */
  constructor(told) {
    this.#told = told;
    this.#canvas = new Canvas($("#map"), {
      onZone: (id) => { if (!this.#sketch.isOn) told.onGrid(id); },
      onPick: (lonlat) => { if (this.#sketch.isOn) this.#sketch.add(lonlat); },
      onHover: (lonlat) => { if (this.#sketch.isOn) this.#sketch.hover(lonlat); },
      onDouble: () => this.finish(), onVertex: nothing, onMoved: nothing,
    });
    this.#sketch = new Sketch(this.#canvas, { onChange: () => this.#showSketch(), onDone: (_kind, points) => this.#done(points) });
  }

  /** Load the grids; without them there is still the list of what was chosen. */
  async load() {
    const response = await fetch("/map/grids.geojson");
    if (!response.ok) throw new Error(`${t("common.map")}: ${response.status}`);
    const { features } = await response.json();
    this.grids = features.map(({ properties: { id, name } }) => ({ id, name }));
    this.#features = features.map((one) => ({ ...one, properties: { zone_id: one.properties.id, name: one.properties.name } }));
    this.#canvas.draw(this.#features);
  }

  get isDrawing() {
    return this.#sketch.isOn;
  }

  draw() {
    this.#sketch.start("draw");
    this.#showSketch();
    $("#sketch input").focus();
  }

  finish() {
    if (this.#sketch.isOn) this.#sketch.finish();
  }

  cancel() {
    this.#sketch.stop();
    $("#sketch").hidden = true;
  }

  #showSketch() {
    $("#sketch").hidden = false;
    const isTyping = $("#sketch").contains(document.activeElement);
    fill($("#sketch"), ...this.#sketch.form(() => this.cancel()));
    if (!isTyping) return;
    $("#sketch input").focus();
    const last = this.#sketch.points.at(-1);
    if (last && this.#canvas.map.getZoom() < NEAR_ZOOM) this.#canvas.map.setView(toMap(last), NEAR_ZOOM, { animate: false });
  }

  #done(points) {
    this.cancel();
    this.#told.onDrawn({ type: "Polygon", coordinates: [[...points, points[0]]] });
  }

  /** Show what a notice covers: its grids and its area; `isNear` moves the map there. */
  show({ zone_ids, area }, isNear = true) {
    this.#drawn?.remove();
    this.#drawn = area && L.geoJSON(area, { coordsToLatLng, interactive: false, style: { className: "map-area" } }).addTo(this.#canvas.map);
    this.#canvas.choose(zone_ids);
    if (!isNear) return;
    const features = this.#features.filter(({ properties }) => zone_ids.includes(properties.zone_id));
    if (area) features.push({ type: "Feature", properties: {}, geometry: area });
    if (features.length) this.#canvas.zoomTo({ type: "FeatureCollection", features }, 14);
  }
}
