// Where it is: coordinates that are pasted, a grid by its name, or a click on the map.
import { get } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { drawBase, highlight, makeMap, pinAt, toMap } from "/static/common/map.js";
import { t } from "/static/common/page.js";
import { numbersOf } from "/static/common/pair.js";
import { isExact } from "./candidates.js";
import { change, draft } from "./draft.js";
import { unfault } from "./form.js";
import { isMissed } from "./missed.js";

const CLOSE = 14;
const L = window.L;
let map;
let base;
let pin;
let marks;
let asked = 0;
let reading = Promise.resolve();
let isNear = false;
let whole;
let onPlaced = () => {};

/** Wire field, datum and map; `placed()` is told when the place changes. */
export function wire(placed) {
  onPlaced = placed;
  const field = $("#place");
  field.addEventListener("input", () => { reading = read(field.value); });
  $("#datum").addEventListener("change", (event) => {
    change({ datum: event.target.value });
    reading = read(field.value);
  });
  map = makeMap($("#map"), { onPick: ([lon, lat]) => pick({ lon: round(lon), lat: round(lat), datum: "wgs84", source: "map" }) });
  whole = { center: map.getCenter(), zoom: map.getZoom() };
  marks = L.layerGroup().addTo(map);
  drawBase(map).then((drawn) => { base = drawn; }, () => { $("#place-said").textContent = t("agent.map_failed"); });
}

/** Resolves once the name that was typed last has been looked up: who saves faster than that still means it. */
export const settled = () => reading;

const round = (degrees) => Number(degrees.toFixed(6));

async function read(text) {
  const turn = ++asked;
  unfault("place");
  change({ place_text: text });
  const pair = numbersOf(text);
  $("#datum-box").hidden = !pair;
  if (pair) return set({ lon: pair[0], lat: pair[1], datum: draft.datum, source: "pair" });
  if (!text.trim()) return set(null);
  const { items, isMissing } = await get("/grids", { q: text.trim() }).catch((error) => (isMissed("place", error, readAgain) ? { items: [], isMissing: true } : { items: [] }));
  if (turn !== asked) return undefined;
  fill($("#grids"), items.map((grid) => h("option", { value: grid.zone_id }, grid.name)));
  const grid = items.find((one) => one.zone_id === text.trim()) ?? (items.length === 1 ? items[0] : null);
  if (grid) return set({ lon: grid.lon, lat: grid.lat, datum: "wgs84", source: "grid", grid: grid.zone_id });
  set(null);
  if (!items.length) $("#place-said").textContent = isMissing ? t("agent.not_fetched") : t("agent.place_unknown", { text: text.trim() });
  return undefined;
}

function readAgain() {
  if (draft.place_text && !draft.place) reading = read(draft.place_text);
}

/** Take a candidate of the address: its point, or the grid that it is in. */
export function takeCandidate(one) {
  if (one.lon !== null) return pick({ lon: one.lon, lat: one.lat, datum: "wgs84", source: "address", label: one.label, is_rough: !isExact(one) });
  $("#place").value = one.zone_id;
  reading = read(one.zone_id);
}

function pick(place) {
  if (draft.is_sending) return;
  asked += 1;
  change({ place_text: `${place.lon}, ${place.lat}` });
  $("#place").value = draft.place_text;
  $("#datum-box").hidden = true;
  unfault("place");
  set(place);
}

function set(place) {
  change({ place });
  say();
  onPlaced();
}

function say() {
  const { place } = draft;
  $("#place-said").textContent = place ? t(`agent.place_${place.source}`, { grid: place.grid, label: place.label }) : t("agent.place_none");
}

/** Show the draft's place. */
export function show() {
  $("#place").value = draft.place_text;
  $("#datum").value = draft.datum;
  $("#datum-box").hidden = draft.place?.source !== "pair";
  say();
  onPlaced();
}

/** Draw where the server has it, and its grid. */
export function draw({ lon, lat, zone_id }) {
  pin?.remove();
  pin = null;
  if (base) highlight(base, zone_id);
  if (lon === null) {
    if (isNear) map.setView(whole.center, whole.zoom, { animate: false });
    isNear = false;
    return;
  }
  isNear = true;
  pin = pinAt(map, [lon, lat], t("agent.place"));
  const grid = base?.byId.get(zone_id);
  if (draft.place?.source === "grid" && grid) map.fitBounds(grid.getBounds(), { animate: false });
  else map.setView(toMap([lon, lat]), Math.max(map.getZoom(), CLOSE), { animate: false });
}

/** Mark tickets by the numbers that they have in the list. */
export function mark(tickets) {
  marks.clearLayers();
  for (const { ticket, n } of tickets.filter((one) => one.ticket.lon !== null)) {
    const icon = L.divIcon({ className: "near-mark", html: String(n), iconSize: [26, 26] });
    L.marker(toMap([ticket.lon, ticket.lat]), { icon, keyboard: false, alt: ticket.number, title: ticket.number }).addTo(marks);
  }
}
