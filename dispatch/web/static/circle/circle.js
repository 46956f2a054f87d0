// The service circle: what each depot reaches, where the holes are, and what one more depot would change.
import { get } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { drawBase, makeMap, pinAt, toMap } from "../common/map.js";
import { t } from "../common/page.js";
import { pairOf } from "../common/pair.js";

const L = window.L;
const percent = (share) => `${(share * 100).toFixed(1)} %`;
/** A share, or the range of a guess: "34.0 %–61.2 %". */
const shareText = ({ low, high }) => (low === null ? "–" : low === high ? percent(low) : `${percent(low)}–${percent(high)}`);

const map = makeMap($("#map"), { onPick: (lonlat) => { $("#pair").value = lonlat.map((degrees) => degrees.toFixed(5)).join(","); compute(); } });
const depotLayer = L.layerGroup().addTo(map);
let areas = null;
let pin = null;
let turn = 0;
drawBase(map).then(({ layer }) => { if (layer.getLayers().length) map.fitBounds(layer.getBounds()); }, () => {});

async function load(lonlat) {
  const mine = ++turn;
  $("#map").setAttribute("aria-busy", "true");
  try {
    const found = await get("/circle", lonlat ? { lon: lonlat[0], lat: lonlat[1] } : {});
    if (mine === turn) show(found, lonlat);
  } catch (problem) {
    if (mine === turn) toast(problem.message, { kind: "error" });
  } finally {
    if (mine === turn) $("#map").removeAttribute("aria-busy");
  }
}

function show(found, lonlat) {
  const { is_drawn, tickets, minutes, depots, total, with_extra, holes } = found;
  $("#told").textContent = [t(is_drawn ? "circle.by_road" : "circle.no_roads", { minutes }), t("circle.of_tickets", { count: tickets }), depots.some(({ is_sample }) => is_sample) && t("circle.sample")].filter(Boolean).join(" ");
  fill($("#depots"), depots.length ? depotTable(depots, total) : h("p.soft", {}, t("circle.no_depots")));
  fill($("#holes"), holes.length ? holeTable(holes) : h("p.soft", {}, t("circle.no_holes")));
  $("#gain").textContent = with_extra ? t("circle.gain", { area: shareText(total.area), area_new: shareText(with_extra.area), tickets: shareText(total.tickets), tickets_new: shareText(with_extra.tickets) }) : "";
  $("#clear").hidden = !with_extra;
  draw(found, lonlat);
}

function draw({ depots, reached, missed }, lonlat) {
  $("#legend").hidden = !reached;
  areas?.remove();
  areas = L.layerGroup([[missed, "area-missed"], [reached, "area-reached"]].filter(([area]) => area).map(([area, className]) =>
    L.geoJSON(area, { interactive: false, coordsToLatLng: ([lon, lat]) => L.latLng(...toMap([lon, lat])), style: { className } }))).addTo(map);
  depotLayer.clearLayers();
  for (const { id, name, lon, lat } of depots.filter(({ is_extra }) => !is_extra)) {
    L.marker(toMap([lon, lat]), { icon: L.divIcon({ className: "map-depot", iconSize: null, html: h("span", {}, id) }), title: name, alt: name, keyboard: false }).addTo(depotLayer);
  }
  pin?.remove();
  pin = lonlat && pinAt(map, lonlat, t("circle.extra"));
}

function depotTable(depots, total) {
  const row = ({ id, name, is_extra, area, tickets }) => h("tr", {}, h("th", { scope: "row" }, is_extra ? t("circle.extra") : `${id} ${name}`), h("td", {}, shareText(area)), h("td", {}, shareText(tickets)));
  const heads = [t("circle.depot"), t("circle.area"), t("circle.tickets")];
  return h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, depots.map(row)),
    h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, t("circle.together")), h("td", {}, shareText(total.area)), h("td", {}, shareText(total.tickets)))));
}

function holeTable(holes) {
  const row = ({ name, zone_id, branch, missed }) => h("tr", {}, h("th", { scope: "row" }, name.includes(zone_id) ? name : `${zone_id} ${name}`), h("td", {}, branch ?? "–"), h("td", {}, shareText(missed)));
  const heads = [t("common.zone"), t("common.branch"), t("circle.missed_share")];
  return h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, holes.map(row)));
}

function compute() {
  const found = pairOf($("#pair").value);
  $("#fault").hidden = found !== null;
  $("#fault").textContent = found ? "" : t("circle.bad_pair");
  if (found) load(found);
}

$("#try").addEventListener("submit", (event) => { event.preventDefault(); compute(); });
$("#clear").addEventListener("click", () => { $("#pair").value = ""; load(null); $("#pair").focus(); });
window.addEventListener("signed-out", () => { location.href = "/signin?next=/circle"; });
load(null);
