// Where the phone is and how far that is from the work; how to get there.
import { post } from "/static/common/api.js";
import { now } from "/static/common/page.js";

const PATIENCE_MS = 8_000;
const EARTH_M = 6_371_008.8;

/** Return {lon, lat, accuracy_m} in WGS-84, or null where the phone cannot tell in time. `giveUp` is a promise. */
export function whereAmI(giveUp) {
  if (!navigator.geolocation) return Promise.resolve(null);
  const found = new Promise((resolve) => {
    const options = { enableHighAccuracy: true, timeout: PATIENCE_MS, maximumAge: 10_000 };
    navigator.geolocation.getCurrentPosition(({ coords }) => resolve({ lon: coords.longitude, lat: coords.latitude, accuracy_m: Math.min(coords.accuracy, 100_000) }), () => resolve(null), options);
  });
  const tooLate = new Promise((resolve) => setTimeout(() => resolve(null), PATIENCE_MS + 500));
  return Promise.race([found, tooLate, giveUp.then(() => null)]);
}

/** Metres between two WGS-84 places on a sphere; the server measures on the ellipsoid, 0.5 % apart at most. */
export function distance_m(a, b) {
  const rad = Math.PI / 180;
  const [dLat, dLon] = [(b.lat - a.lat) * rad, (b.lon - a.lon) * rad];
  const s = Math.sin(dLat / 2) ** 2 + Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.sqrt(s));
}

/** A link that opens AMap with the way; the pair is GCJ-02 already. */
export function wayTo(job) {
  const to = `${job.gcj02.lon},${job.gcj02.lat},${job.address || job.number}`;
  return `https://uri.amap.com/navigation?${new URLSearchParams({ to, mode: "car", coordinate: "gaode", callnative: "1", src: "96533" })}`;
}

/** Copy text, also outside of HTTPS; false where the browser will not. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    const isDone = document.execCommand("copy");
    field.remove();
    return isDone;
  }
}

/** Tell the desk where this phone is; what cannot be told now is not worth telling later. */
export function tell(place) {
  post("/positions", { lon: place.lon, lat: place.lat, datum: "wgs84", accuracy_m: place.accuracy_m, at: new Date(now()).toISOString() }).catch(() => {});
}
