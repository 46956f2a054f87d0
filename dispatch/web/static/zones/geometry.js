// Polygons and MultiPolygons of a draft, as GeoJSON has them: [lon, lat] in WGS-84, rings that end where they begin.

/** Return every ring of a geometry, outer ones and holes. */
export function ringsOf({ type, coordinates }) {
  return type === "Polygon" ? coordinates : coordinates.flat();
}

/** Return every vertex once, each with its ring and its place in it. */
export function verticesOf(geometry) {
  return ringsOf(geometry).flatMap((ring, n) => ring.slice(0, -1).map((lonlat, index) => ({ lonlat, ring: n, index })));
}

export const isSame = (a, b) => a[0] === b[0] && a[1] === b[1];

/** Return [west, south, east, north] of places. */
export function boundsOf(lonlats) {
  const bounds = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of lonlats) {
    bounds[0] = Math.min(bounds[0], lon);
    bounds[1] = Math.min(bounds[1], lat);
    bounds[2] = Math.max(bounds[2], lon);
    bounds[3] = Math.max(bounds[3], lat);
  }
  return bounds;
}

/** Return the ids of the zones that have a vertex there. */
export function zonesAt(features, lonlat) {
  return features
    .filter(({ geometry }) => ringsOf(geometry).some((ring) => ring.some((one) => isSame(one, lonlat))))
    .map(({ properties }) => properties.zone_id);
}

/** Return, for every vertex there, the places before and after it in its ring: what moves along with it. */
export function besides(features, lonlat) {
  const found = [];
  for (const { geometry } of features) {
    for (const ring of ringsOf(geometry)) {
      const open = ring.slice(0, -1);
      open.forEach((one, n) => {
        if (isSame(one, lonlat)) found.push([open.at(n - 1), open[(n + 1) % open.length]]);
      });
    }
  }
  return found;
}

/** Return the area in square metres, by local scaling: for people, not for the rules. */
export function areaOf({ type, coordinates }) {
  const parts = type === "Polygon" ? [coordinates] : coordinates;
  return parts.reduce((sum, [outer, ...holes]) => sum + holes.reduce((left, hole) => left - ringArea(hole), ringArea(outer)), 0);
}

function ringArea(ring) {
  const phi = (ring[0][1] * Math.PI) / 180;
  let twice = 0;
  for (let n = 1; n < ring.length; n += 1) twice += (ring[n - 1][0] - ring[0][0]) * (ring[n][1] - ring[0][1]) - (ring[n][0] - ring[0][0]) * (ring[n - 1][1] - ring[0][1]);
  return Math.abs(twice / 2) * (111_320 * Math.cos(phi)) * 110_800;
}

/** Return an area as people read it. */
export function areaText(area_m2) {
  if (area_m2 >= 1e6) return `${(area_m2 / 1e6).toFixed(2)} km²`;
  return `${area_m2.toLocaleString("en", { maximumFractionDigits: area_m2 < 100 ? 1 : 0 })} m²`;
}
