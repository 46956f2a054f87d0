// Snapping: what is drawn or dragged near a vertex or an edge of a zone lies exactly on it, or neighbours would not join.
import { boundsOf, isSame, ringsOf } from "./geometry.js";

export const REACH_PX = 12;

/** The rings of all zones with their bounds, made once for each state of a draft. */
export function targetsOf(features) {
  return features.flatMap(({ geometry }) => ringsOf(geometry).map((ring) => ({ ring, bounds: boundsOf(ring) })));
}

/**
 * Find the vertex, else the edge, within reach of a place.
 * @param {number[]} lonlat the place
 * @param {Array} targets of `targetsOf`
 * @param {{toPixel: (lonlat) => {x, y}, toLonLat: ({x, y}) => number[]}} screen
 * @param {number[]} [moving] a vertex that is dragged: neither it nor its edges count
 * @returns {{lonlat: number[], kind: "vertex"|"edge"} | null}
 */
export function snap(lonlat, targets, screen, moving = null) {
  const at = screen.toPixel(lonlat);
  const box = boundsOf([[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([x, y]) => screen.toLonLat({ x: at.x + x * REACH_PX, y: at.y + y * REACH_PX })));
  let vertex = { away: REACH_PX, lonlat: null };
  let edge = { away: REACH_PX, lonlat: null };
  for (const [a, b] of near(targets, box)) {
    if (moving && (isSame(a, moving) || isSame(b, moving))) {
      for (const end of [a, b]) if (!isSame(end, moving)) vertex = nearer(vertex, at, end, screen);
      continue;
    }
    vertex = nearer(nearer(vertex, at, a, screen), at, b, screen);
    const [p, q] = [screen.toPixel(a), screen.toPixel(b)];
    const share = along(at, p, q);
    const away = Math.hypot(p.x + share * (q.x - p.x) - at.x, p.y + share * (q.y - p.y) - at.y);
    if (away < edge.away) edge = { away, lonlat: [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])] };
  }
  if (vertex.lonlat) return { lonlat: vertex.lonlat, kind: "vertex" };
  return edge.lonlat && { lonlat: edge.lonlat, kind: "edge" };
}

function nearer(best, at, lonlat, screen) {
  const { x, y } = screen.toPixel(lonlat);
  const away = Math.hypot(x - at.x, y - at.y);
  return away < best.away ? { away, lonlat } : best;
}

/** The edges that come near the box. */
function* near(targets, [west, south, east, north]) {
  const meets = ([w, s, e, n]) => w <= east && e >= west && s <= north && n >= south;
  for (const { ring, bounds } of targets) {
    if (!meets(bounds)) continue;
    for (let n = 1; n < ring.length; n += 1) if (meets(boundsOf([ring[n - 1], ring[n]]))) yield [ring[n - 1], ring[n]];
  }
}

/** How far along p–q the point nearest to `at` lies, 0 to 1. */
function along(at, p, q) {
  const length2 = (q.x - p.x) ** 2 + (q.y - p.y) ** 2;
  if (!length2) return 0;
  return Math.min(1, Math.max(0, ((at.x - p.x) * (q.x - p.x) + (at.y - p.y) * (q.y - p.y)) / length2));
}
