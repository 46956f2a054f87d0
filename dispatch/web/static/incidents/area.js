// The map of one incident: its tickets, its area, and a new area that is being drawn.
import { h } from "../common/dom.js";
import { asText, coordsToLatLng, drawBase, makeMap, toMap } from "../common/map.js";
import { numbersOf } from "../common/pair.js";
import { t } from "../common/page.js";

const L = window.L;
const CLOSE_PX = 12;
const LEAST = 3;
const NEAR_ZOOM = 16;

export class Area {
  points = null;
  #map;
  #told;
  #shown = L.layerGroup();
  #sketch = L.layerGroup();

  /** @param {{onSketch(): void, onDone(ring): void}} told a point came or went; the ring is complete */
  constructor(element, told) {
    this.#told = told;
    this.#map = makeMap(element, { onPick: (lonlat) => this.add(lonlat) });
    this.#shown.addTo(this.#map);
    this.#sketch.addTo(this.#map);
    drawBase(this.#map, { onGrid: (_grid, lonlat) => this.add(lonlat) }).catch(() => {});
  }

  /** Draw an incident, and show all of it where it is another one than before. */
  draw(incident, isNew) {
    this.#shown.clearLayers();
    if (incident.area) L.geoJSON(incident.area, { coordsToLatLng, interactive: false, style: { className: "incident-area" } }).addTo(this.#shown);
    for (const [ticket, look] of [...incident.suggested.map((one) => [one, "is-suggested"]), ...incident.tickets.map((one) => [one, one.is_lead ? "is-lead" : ""])]) {
      if (ticket.lon === null) continue;
      L.circleMarker(toMap([ticket.lon, ticket.lat]), { radius: 9, className: `incident-ticket ${look}` }).bindTooltip(asText(ticket.number)).addTo(this.#shown);
    }
    const bounds = L.featureGroup(this.#shown.getLayers()).getBounds();
    if (isNew && bounds.isValid()) this.#map.fitBounds(bounds.pad(0.3), { maxZoom: NEAR_ZOOM, animate: false });
  }

  // ---------------------------------------------------------------- drawing

  start() {
    this.points = [];
    this.#map.getContainer().classList.add("is-sketching");
    this.#map.doubleClickZoom.disable();
    this.#changed();
  }

  stop() {
    this.points = null;
    this.#map.getContainer().classList.remove("is-sketching");
    this.#map.doubleClickZoom.enable();
    this.#sketch.clearLayers();
  }

  add(lonlat) {
    if (!this.points) return;
    const [first, last] = [this.points[0], this.points.at(-1)];
    if (last && this.#isNear(last, lonlat, 3)) return; // the second click of a double one
    if (this.points.length >= LEAST && this.#isNear(first, lonlat, CLOSE_PX)) {
      this.finish();
      return;
    }
    this.points.push(lonlat);
    this.#changed();
  }

  takeBack() {
    this.points.pop();
    this.#changed();
  }

  finish() {
    if (this.points?.length >= LEAST) this.#told.onDone(this.points);
  }

  #isNear(a, b, reach_px) {
    const [p, q] = [a, b].map((lonlat) => this.#map.latLngToContainerPoint(toMap(lonlat)));
    return Math.hypot(p.x - q.x, p.y - q.y) <= reach_px;
  }

  #changed() {
    this.#sketch.clearLayers();
    L.polygon(this.points.map(toMap), { className: "sketch-line", interactive: false }).addTo(this.#sketch);
    for (const point of this.points) L.circleMarker(toMap(point), { radius: 5, className: "sketch-point", interactive: false }).addTo(this.#sketch);
    this.#told.onSketch();
  }

  /** What stands in the panel while an area is drawn: each corner can be typed as well. */
  form(cancel) {
    const input = h("input", { id: "corner", autocomplete: "off", placeholder: "112.97,28.19" });
    const fault = h("p.fault.small", { role: "alert", hidden: true }, t("incidents.bad_pair"));
    const take = (event) => {
      event.preventDefault();
      const pair = numbersOf(input.value);
      const isGood = pair && Math.abs(pair[0]) <= 180 && Math.abs(pair[1]) <= 90;
      fault.hidden = Boolean(isGood);
      if (isGood) this.add(pair);
      else input.focus();
    };
    const isEnough = this.points.length >= LEAST;
    return h("div.stack", {}, h("p", {}, t("incidents.draw_how")),
      h("form.part", { onsubmit: take }, h("div", {}, h("label", { for: "corner" }, t("incidents.corner")), input), h("button", {}, t("incidents.add_corner"))), fault,
      h("p", {}, t("incidents.corners", { count: this.points.length })),
      h("ol.points.small", {}, this.points.map(([lon, lat]) => h("li", {}, `${lon.toFixed(5)}, ${lat.toFixed(5)}`))),
      h("div.row", {},
        h("button.primary", { type: "button", id: "finish", disabled: !isEnough, onclick: () => this.finish() }, t("incidents.finish")),
        h("button", { type: "button", disabled: !this.points.length, onclick: () => this.takeBack() }, t("incidents.take_back")),
        h("button", { type: "button", onclick: cancel }, t("common.cancel"))));
  }
}

