// Known outages on the map, and the names of the districts.
import { asText, coordsToLatLng } from "/static/common/map.js";

const L = window.L;

/** Mark the grids of the notices; those that are without water already look different from those that will be. */
export function mark(base, outages) {
  const off = new Set(outages.filter(({ phase }) => phase !== "coming").flatMap(({ zone_ids }) => zone_ids));
  const coming = new Set(outages.flatMap(({ zone_ids }) => zone_ids));
  for (const [id, polygon] of base.byId) {
    polygon.getElement()?.classList.toggle("is-off", off.has(id));
    polygon.getElement()?.classList.toggle("is-coming", coming.has(id) && !off.has(id));
  }
}

/** Move the map to the grids of some notices. */
export function show(map, base, outages, maxZoom = 15) {
  const grids = outages.flatMap(({ zone_ids }) => zone_ids).map((id) => base.byId.get(id)).filter(Boolean);
  const areas = outages.filter(({ area }) => area).map(({ area }) => L.geoJSON(area, { coordsToLatLng }));
  if (grids.length + areas.length) map.fitBounds(L.featureGroup([...grids, ...areas]).getBounds(), { maxZoom });
}

/** Write the names of the districts on the map: without tiles nothing else says where one is. */
export async function nameDistricts(map) {
  const districts = await (await fetch("/map/districts.geojson")).json();
  L.geoJSON(districts, {
    coordsToLatLng, interactive: false, style: { stroke: false, fill: false },
    onEachFeature: ({ properties }, shape) => shape.bindTooltip(asText(properties.name), { permanent: true, direction: "center", className: "map-district-name" }),
  }).addTo(map);
}
