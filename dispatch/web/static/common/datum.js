// GCJ-02 and BD-09 for the map alone: the server converts what it is told. The same formulas as domain/place.py,
// held to it by a test.
const { PI, sin, cos, sqrt, abs, atan2, hypot } = Math;
const AXIS_M = 6378245;
const E2 = 0.00669342162296594323;
const BD_TURN = (PI * 3000) / 180;
// As in place.py: the error shrinks fiftyfold or more a step.
const STEPS = 10;
const CHINA = { west: 72.004, east: 137.8347, south: 0.8293, north: 55.8271 };

function shift(lon, lat) {
  if (lon < CHINA.west || lon > CHINA.east || lat < CHINA.south || lat > CHINA.north) return [0, 0];
  const [x, y] = [lon - 105, lat - 35];
  const ripple = 20 * sin(6 * PI * x) + 20 * sin(2 * PI * x);
  const east = ripple + 20 * sin(PI * x) + 40 * sin((PI / 3) * x) + 150 * sin((PI / 12) * x) + 300 * sin((PI / 30) * x);
  const north = ripple + 20 * sin(PI * y) + 40 * sin((PI / 3) * y) + 160 * sin((PI / 12) * y) + 320 * sin((PI / 30) * y);
  const root = sqrt(abs(x));
  const east_m = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + (east * 2) / 3;
  const north_m = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + (north * 2) / 3;
  const phi = (lat * PI) / 180;
  const k = sqrt(1 - E2 * sin(phi) ** 2);
  const degree_m = (AXIS_M * PI) / 180;
  return [east_m / ((degree_m * cos(phi)) / k), north_m / ((degree_m * (1 - E2)) / k ** 3)];
}

const toGcj = ([lon, lat]) => {
  const [east, north] = shift(lon, lat);
  return [lon + east, lat + north];
};

const gcjToBd = ([lon, lat]) => {
  const radius = hypot(lon, lat) + 0.00002 * sin(lat * BD_TURN);
  const angle = atan2(lat, lon) + 0.000003 * cos(lon * BD_TURN);
  return [radius * cos(angle) + 0.0065, radius * sin(angle) + 0.006];
};

const FROM_WGS84 = { wgs84: (pair) => pair, gcj02: toGcj, bd09: (pair) => gcjToBd(toGcj(pair)) };

/** Return [lon, lat] of a WGS-84 place in a datum. */
export function fromWgs84(pair, datum) {
  return FROM_WGS84[datum](pair);
}

/** Return [lon, lat] in WGS-84 of a place in a datum, by fixed-point steps. */
export function toWgs84([lon, lat], datum) {
  let found = [lon, lat];
  for (let step = 0; step < STEPS; step += 1) {
    const [east, north] = fromWgs84(found, datum);
    found = [found[0] + lon - east, found[1] + lat - north];
  }
  return found;
}
