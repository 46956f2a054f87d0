// The map of a draft: its zones, what is wrong with them, and the vertices of the one that is chosen.
import { h } from "../common/dom.js";
import { asText, coordsToLatLng, drawDistricts, fromMap, makeMap, toMap } from "../common/map.js";
import { t } from "../common/page.js";
import { besides, isSame, ringsOf, verticesOf } from "./geometry.js";
import { snap, targetsOf } from "./snap.js";

const L = window.L;
// So many handles a browser drags without stuttering; who wants others zooms in.
const MOST_HANDLES = 300;
const LEAST_EDGE_PX = 36;
// From here on zones are large enough for their names to stand in them.
const NEAR_ZOOM = 13;
// Other problems are of a whole zone.
const HATCHED = ["overlap", "gap", "sliver"];

export class Canvas {
  map;
  #told;
  #targets = [];
  #features = [];
  #polygons = new Map();
  #zones = L.layerGroup();
  #labels = L.layerGroup();
  #problems = L.layerGroup();
  #handles = L.layerGroup();
  #sketch = L.layerGroup();
  #edited = null;
  #vertex = null;

  /** @param {{onZone(id, isMore), onPick(lonlat), onHover(lonlat), onDouble(), onVertex(lonlat), onMoved(from, to)}} told */
  constructor(element, told) {
    this.#told = told;
    this.map = makeMap(element, { onPick: (lonlat) => told.onPick(this.snapped(lonlat)) });
    this.map.setMaxZoom(21);
    for (const layer of [this.#zones, this.#labels, this.#problems, this.#handles, this.#sketch]) layer.addTo(this.map);
    this.map.on("mousemove", ({ latlng }) => told.onHover(this.snapped(fromMap(latlng))));
    this.map.on("dblclick", () => told.onDouble());
    this.map.on("moveend", () => { this.#drawHandles(); this.#drawLabels(); });
    drawDistricts(this.map).catch(() => {});
  }

  #screen = {
    toPixel: (lonlat) => this.map.latLngToContainerPoint(toMap(lonlat)),
    toLonLat: ({ x, y }) => fromMap(this.map.containerPointToLatLng([x, y])),
  };

  /** Return the place, or the vertex or edge within reach of it. */
  snapped(lonlat, moving = null) {
    return snap(lonlat, this.#targets, this.#screen, moving)?.lonlat ?? lonlat;
  }

  toPixel(lonlat) {
    return this.#screen.toPixel(lonlat);
  }

  /** Whether the place has been told already: within reach on the screen. */
  isNear(a, b, reach_px) {
    const [p, q] = [this.toPixel(a), this.toPixel(b)];
    return Math.hypot(p.x - q.x, p.y - q.y) <= reach_px;
  }

  // ---------------------------------------------------------------- zones and problems

  draw(features) {
    this.#features = features;
    this.#targets = targetsOf(features);
    this.#zones.clearLayers();
    this.#polygons.clear();
    L.geoJSON(features, {
      coordsToLatLng,
      style: { className: "map-grid" },
      onEachFeature: ({ properties }, polygon) => {
        this.#polygons.set(properties.zone_id, polygon);
        polygon.bindTooltip(asText(properties.name), { direction: "center", className: "map-name" });
        polygon.on("click", ({ originalEvent }) => this.#told.onZone(properties.zone_id, originalEvent.ctrlKey || originalEvent.metaKey || originalEvent.shiftKey));
      },
    }).addTo(this.#zones);
    this.#drawLabels();
  }

  #drawLabels() {
    const isNear = this.map.getZoom() >= NEAR_ZOOM;
    this.map.getContainer().classList.toggle("is-near", isNear);
    this.#labels.clearLayers();
    if (!isNear) return;
    for (const [id, polygon] of this.#polygons) {
      if (!this.map.getBounds().intersects(polygon.getBounds())) continue;
      const icon = L.divIcon({ className: "map-label", iconSize: null, html: h("span", {}, id) });
      L.marker(polygon.getCenter(), { icon, keyboard: false, interactive: false }).addTo(this.#labels);
    }
  }

  choose(ids) {
    for (const [id, polygon] of this.#polygons) polygon.getElement()?.classList.toggle("is-chosen", ids.includes(id));
    for (const id of ids) this.#polygons.get(id)?.bringToFront();
  }

  drawProblems(problems, current) {
    this.#problems.clearLayers();
    problems.filter(({ kind }) => HATCHED.includes(kind)).forEach((problem) => {
      const className = `map-problem ${problem.kind}${problem === current ? " is-current" : ""}`;
      const style = { className, fillColor: `url(#hatch-${problem.kind === "overlap" ? "overlap" : "gap"})`, fillOpacity: 1 };
      L.geoJSON(problem.geometry, { coordsToLatLng, interactive: false, style }).addTo(this.#problems);
    });
  }

  zoomTo(geometry, most = 17) {
    const bounds = L.geoJSON(geometry, { coordsToLatLng }).getBounds();
    this.map.fitBounds(bounds.pad(0.35), { maxZoom: most, animate: false });
  }

  // ---------------------------------------------------------------- vertices

  /** Offer the vertices of a zone, or of none; `vertex` is the one that is chosen. */
  edit(feature, vertex) {
    this.#edited = feature;
    this.#vertex = vertex;
    this.#drawHandles();
  }

  showVertex(lonlat) {
    if (!this.map.getBounds().contains(toMap(lonlat))) this.map.panTo(toMap(lonlat), { animate: false });
  }

  #drawHandles() {
    this.#handles.clearLayers();
    if (!this.#edited) return;
    const inView = this.map.getBounds();
    const shown = verticesOf(this.#edited.geometry).filter(({ lonlat }) => inView.contains(toMap(lonlat)));
    const rings = ringsOf(this.#edited.geometry);
    for (const { lonlat, ring, index } of shown.slice(0, MOST_HANDLES)) {
      this.#handle(lonlat, "vertex");
      const next = rings[ring][index + 1];
      if (shown.length <= MOST_HANDLES && !this.isNear(lonlat, next, LEAST_EDGE_PX)) this.#handle([(lonlat[0] + next[0]) / 2, (lonlat[1] + next[1]) / 2], "middle", [lonlat, next]);
    }
  }

  #handle(lonlat, kind, ends = null) {
    const isChosen = this.#vertex !== null && isSame(this.#vertex, lonlat);
    const icon = L.divIcon({ className: `handle ${kind}${isChosen ? " is-chosen" : ""}`, iconSize: kind === "vertex" ? [16, 16] : [12, 12] });
    const title = t(kind === "vertex" ? "zones.handle_vertex" : "zones.handle_middle");
    const marker = L.marker(toMap(lonlat), { icon, title, draggable: true, keyboard: false, zIndexOffset: isChosen ? 1000 : 0 });
    let to = null;
    marker.on("click", () => { if (kind === "vertex") this.#told.onVertex(lonlat); });
    marker.on("drag", () => {
      to = this.snapped(fromMap(marker.getLatLng()), lonlat);
      marker.setLatLng(toMap(to));
      this.#stretch(ends ? [ends] : besides(this.#features, lonlat), to);
    });
    marker.on("dragend", () => {
      this.#sketch.clearLayers();
      if (to && !isSame(to, lonlat)) this.#told.onMoved(lonlat, to);
    });
    marker.addTo(this.#handles);
  }

  #stretch(pairs, to) {
    this.#sketch.clearLayers();
    for (const [before, after] of pairs) this.#line([before, to, after]);
  }

  // ---------------------------------------------------------------- sketches

  /** Draw what is being drawn: its points, and a line to where the pointer is. */
  sketch(points, hover = null, isRing = false) {
    this.#sketch.clearLayers();
    const line = hover ? [...points, hover] : points;
    this.#line(isRing && line.length > 2 ? [...line, line[0]] : line);
    for (const [n, point] of line.entries()) {
      const className = n < points.length ? "sketch-point" : "sketch-point is-hover";
      L.circleMarker(toMap(point), { radius: 5, className, interactive: false }).addTo(this.#sketch);
    }
  }

  #line(points) {
    L.polyline(points.map(toMap), { className: "sketch-line", interactive: false }).addTo(this.#sketch);
  }

  setSketching(isSketching) {
    this.map.getContainer().classList.toggle("is-sketching", isSketching);
    this.map.doubleClickZoom[isSketching ? "disable" : "enable"]();
    if (!isSketching) this.#sketch.clearLayers();
  }
}
