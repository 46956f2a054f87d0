// The map of the board: tickets in shape, colour and word, crews in ink; a hand that moves it stops it from following.
import { $, h } from "../common/dom.js";
import { drawAreas, drawBase, highlight, makeMap, pinAt, toMap } from "../common/map.js";
import { t, tOr } from "../common/page.js";
import { standing } from "../common/sla.js";
import { clockTime } from "../common/time.js";

const L = window.L;
const WORST = ["unanswered", "breached", "urgent", "near", "normal", "paused", "ended"];

export class Place {
  #map;
  #base = null;
  #cluster;
  #crews = L.layerGroup();
  #markers = new Map();
  #onOpen;
  #isLocked = false;

  constructor(element, onOpen) {
    this.#onOpen = onOpen;
    this.#map = makeMap(element, { onMoved: () => this.#lock(true), onPick: (lonlat) => this.#onPick?.(lonlat) });
    for (const kind of ["wheel", "dblclick"]) element.addEventListener(kind, () => this.#lock(true), { passive: true });
    element.addEventListener("keydown", ({ key }) => /^Arrow|^[+=-]$/.test(key) && this.#lock(true));
    this.#map.zoomControl.getContainer().addEventListener("click", () => this.#lock(true));
    this.#map.setMaxZoom(18); // clusters ask for it, and without tiles nobody else sets it
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#cluster = L.markerClusterGroup({
      iconCreateFunction: clusterIcon, showCoverageOnHover: false, animate: !isCalm, maxClusterRadius: 50, spiderfyOnMaxZoom: true,
    }).addTo(this.#map);
    this.#crews.addTo(this.#map);
    $("#follow").addEventListener("click", () => this.#lock(false));
    drawBase(this.#map).then((base) => {
      this.#base = base;
      if (this.#target) this.follow(this.#target);
    }, () => {});
  }

  #target = null;
  #onPick = null;
  #pin = null;

  /** Tell where the map is clicked from now on; return what shows a place there (null: none), and what ends it. */
  pick(onPick) {
    this.#onPick = onPick;
    this.#map.getContainer().classList.add("is-picking");
    const show = (lonlat) => {
      this.#pin?.remove();
      this.#pin = lonlat && pinAt(this.#map, lonlat, t("board.pin"));
    };
    const end = () => {
      show(null);
      this.#onPick = null;
      this.#map.getContainer().classList.remove("is-picking");
    };
    return { show, end };
  }

  #lock(isLocked) {
    this.#isLocked = isLocked;
    $("#map-lock").hidden = !isLocked;
    if (!isLocked && this.#target) this.follow(this.#target);
  }

  /** Show a ticket, unless somebody holds the map where it is. */
  follow(ticket) {
    this.#target = ticket;
    if (this.#base) highlight(this.#base, ticket.zone_id);
    if (this.#isLocked || ticket.lon === null) return;
    this.#map.setView(toMap([ticket.lon, ticket.lat]), Math.max(this.#map.getZoom(), 13), { animate: false });
  }

  /** Draw the tickets that have a place. */
  draw(tickets, at_ms) {
    const placed = new Map(tickets.filter(({ lon }) => lon !== null).map((ticket) => [ticket.number, ticket]));
    for (const [number, { marker }] of this.#markers) {
      if (!placed.has(number)) {
        this.#cluster.removeLayer(marker);
        this.#markers.delete(number);
      }
    }
    for (const ticket of placed.values()) this.#put(ticket, at_ms);
  }

  #put(ticket, at_ms) {
    const { key, shape, word } = standing(ticket, at_ms);
    const look = `${key} ${ticket.lon} ${ticket.lat}`;
    const known = this.#markers.get(ticket.number);
    if (known?.look === look) return;
    if (known) this.#cluster.removeLayer(known.marker);
    const title = `${word} · ${tOr(`category.${ticket.category}`, ticket.category_label)} · ${ticket.number}`;
    const icon = L.divIcon({ className: "map-ticket", iconSize: null, html: h("span.sla", { dataset: { sla: key } }, `${shape} ${word}`) });
    const marker = L.marker(toMap([ticket.lon, ticket.lat]), { icon, title, alt: title, sla: key, shape });
    marker.on("click", () => this.#onOpen(ticket.number));
    this.#markers.set(ticket.number, { marker, look });
    this.#cluster.addLayer(marker);
  }

  /** Draw the areas of what is off. */
  drawOutages(outages) {
    drawAreas(this.#map, outages);
  }

  /** Draw where crews on shift were last. */
  drawCrews(positions) {
    this.#crews.clearLayers();
    for (const { name, lon, lat, at } of positions) {
      const icon = L.divIcon({ className: "map-crew", iconSize: null, html: h("span", {}, name) });
      const title = `${t("common.steward")} ${name} ${clockTime(at)}`;
      L.marker(toMap([lon, lat]), { icon, title, alt: title, keyboard: false }).addTo(this.#crews);
    }
  }
}

function clusterIcon(cluster) {
  const inside = cluster.getAllChildMarkers().map(({ options }) => options);
  const worst = inside.reduce((a, b) => (WORST.indexOf(b.sla) < WORST.indexOf(a.sla) ? b : a));
  const html = h("span.sla", { dataset: { sla: worst.sla } }, `${worst.shape} ${t(`sla.${worst.sla}`)} · ${inside.length}`);
  return L.divIcon({ className: "map-ticket", iconSize: null, html });
}
