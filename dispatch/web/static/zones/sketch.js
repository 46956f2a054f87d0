// What is being drawn: a new zone or a line that splits one; by clicks on the map, or by typed places.
import { h } from "../common/dom.js";
import { t } from "../common/page.js";
import { pairField } from "./pair.js";

const CLOSE_PX = 12;
const LEAST = { draw: 3, split: 2 };

export class Sketch {
  kind = null;
  points = [];
  #canvas;
  #onChange;
  #onDone;

  /** @param {{onChange(): void, onDone(kind, points): void}} told */
  constructor(canvas, { onChange, onDone }) {
    this.#canvas = canvas;
    this.#onChange = onChange;
    this.#onDone = onDone;
  }

  get isOn() {
    return this.kind !== null;
  }

  get isEnough() {
    return this.points.length >= LEAST[this.kind];
  }

  start(kind) {
    this.kind = kind;
    this.points = [];
    this.#canvas.setSketching(true);
    this.#onChange();
  }

  stop() {
    this.kind = null;
    this.points = [];
    this.#canvas.setSketching(false);
  }

  add(lonlat) {
    const [first, last] = [this.points[0], this.points.at(-1)];
    if (last && this.#canvas.isNear(last, lonlat, 3)) return; // the second click of a double one
    if (this.kind === "draw" && this.isEnough && this.#canvas.isNear(first, lonlat, CLOSE_PX)) {
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

  hover(lonlat) {
    this.#canvas.sketch(this.points, lonlat, this.kind === "draw");
  }

  finish() {
    if (!this.isEnough) return;
    this.#canvas.sketch(this.points, null, this.kind === "draw");
    this.#onDone(this.kind, this.points);
  }

  #changed() {
    this.#canvas.sketch(this.points, null, this.kind === "draw");
    this.#onChange();
  }

  /** What the panel shows meanwhile. */
  form(cancel) {
    const field = pairField("sketch-pair", t("zones.point_add"), (lonlat) => this.add(lonlat));
    return [
      h("h2", {}, t(`zones.${this.kind}`)),
      h("p", {}, t(this.kind === "draw" ? "zones.draw_how" : "zones.split_how")),
      field,
      h("p", {}, t("zones.points", { count: this.points.length })),
      h("ol.points.small", {}, this.points.map(([lon, lat]) => h("li", {}, `${lon.toFixed(6)}, ${lat.toFixed(6)}`))),
      h("div.row", {},
        h("button.primary", { type: "button", disabled: !this.isEnough, onclick: () => this.finish() }, t("zones.finish"), " ", h("kbd", { "aria-hidden": "true" }, "Enter")),
        h("button", { type: "button", disabled: !this.points.length, onclick: () => this.takeBack() }, t("zones.point_back")),
        h("button", { type: "button", onclick: cancel }, t("common.cancel"), " ", h("kbd", { "aria-hidden": "true" }, "Esc"))),
    ];
  }
}
