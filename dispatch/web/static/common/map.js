// The map: own grids and districts as base, tiles of any datum under them where the installation has some.
// Leaflet is the global `L`; everything that goes in and comes out here is [lon, lat] in WGS-84.
import { fromWgs84, toWgs84 } from "./datum.js";
import { h } from "./dom.js";
import { page, t } from "./page.js";

const L = window.L;
const datum = page.tiles?.datum ?? "wgs84";
const CHANGSHA = [112.97, 28.2];

/** Return Leaflet's [lat, lng] of a WGS-84 place, moved to where the tiles have it. */
export function toMap(lonlat) {
  const [lon, lat] = fromWgs84(lonlat, datum);
  return [lat, lon];
}

/** Return the WGS-84 place of a Leaflet position. */
export function fromMap({ lat, lng }) {
  return toWgs84([lng, lat], datum);
}

/**
 * Make a map in `element`.
 * @param {{onPick?: (lonlat: number[]) => void, onMoved?: () => void}} told `onPick`: a click; `onMoved`: moved by hand
 */
export function makeMap(element, { onPick, onMoved } = {}) {
  const map = L.map(element, { center: toMap(CHANGSHA), zoom: 11, zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches, preferCanvas: false });
  map.attributionControl.setPrefix(false);
  map.zoomControl.remove();
  L.control.zoom({ zoomInTitle: t("common.zoom_in"), zoomOutTitle: t("common.zoom_out") }).addTo(map);
  if (page.tiles) L.tileLayer(page.tiles.url, { attribution: page.tiles.credit, maxZoom: 19 }).addTo(map);
  if (onPick) map.on("click", ({ latlng }) => onPick(fromMap(latlng)));
  if (onMoved) map.on("dragstart", onMoved);
  new ResizeObserver(() => map.invalidateSize({ animate: false })).observe(element);
  return map;
}

/** Return a pin in the shape of a drop, labelled for people who do not see it. */
export function pinAt(map, lonlat, label) {
  const icon = L.divIcon({ className: "map-pin", iconSize: [28, 36], iconAnchor: [14, 36] });
  return L.marker(toMap(lonlat), { icon, alt: label, title: label, keyboard: false }).addTo(map);
}

/** Draw grids and districts; return the layer of grids, its polygons by id. Without the network the map stays empty. */
export async function drawBase(map, { onGrid } = {}) {
  const [grids] = await Promise.all([load("/map/grids.geojson"), drawDistricts(map)]);
  const byId = new Map();
  const layer = L.geoJSON(grids, {
    coordsToLatLng,
    style: { className: "map-grid" },
    onEachFeature: (feature, polygon) => {
      byId.set(feature.properties.id, polygon);
      polygon.bindTooltip(asText(feature.properties.name), { direction: "center", className: "map-name" });
      if (onGrid) polygon.on("click", (event) => onGrid(feature.properties, fromMap(event.latlng)));
    },
  }).addTo(map);
  return { layer, byId };
}

/** Return a name as Leaflet may show it: of a string it makes HTML, and names come from files. */
export const asText = (name) => h("span", {}, name);

/** Draw the outlines of the districts alone. */
export async function drawDistricts(map) {
  const districts = await load("/map/districts.geojson");
  L.geoJSON(districts, { coordsToLatLng, interactive: false, style: { className: "map-district", fill: false } }).addTo(map);
}

/** Return Leaflet's position of a place as GeoJSON has it. */
export const coordsToLatLng = ([lon, lat]) => L.latLng(...toMap([lon, lat]));

async function load(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${t("common.map")}: ${response.status}`);
  return response.json();
}

/** Mark one grid as the one in question, and no other. */
export function highlight(base, zoneId) {
  for (const [id, polygon] of base.byId) polygon.getElement()?.classList.toggle("is-chosen", id === zoneId);
}

let drawn = null;

/** Draw what is off by an area of its own; each says which notice it is. */
export function drawAreas(map, outages) {
  drawn?.remove();
  drawn = L.layerGroup().addTo(map);
  for (const { area, title, phase } of outages.filter((one) => one.area)) {
    const shape = L.geoJSON(area, { coordsToLatLng, interactive: false, style: { className: `map-area ${phase === "coming" ? "is-coming" : "is-off"}` } });
    shape.bindTooltip(asText(title), { className: "map-name" }).addTo(drawn);
  }
}
