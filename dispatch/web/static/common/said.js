// What the server says in Chinese about places and grids, in another language: from the code and the numbers beside it.
import { h } from "./dom.js";
import { inWords } from "./page.js";

/** Why a place is in its grid. What a sentence of ours leaves out is in the original, which follows it. */
export function routeReason({ status, reason, zone_id, zone_name, neighbour_zone_id, neighbour_m }) {
  const own = inWords(`said.route_${status}`, reason, { zone: zone_name ?? zone_id });
  if (own === reason) return reason;
  const near = neighbour_zone_id ? inWords("said.route_near", "", { zone: neighbour_zone_id, metres: Math.round(neighbour_m) }) : "";
  return [own + near, " ", h("span.small.soft", { lang: "zh-CN" }, reason)];
}

/** What is wrong between grids. */
export const zoneReason = ({ kind, reason, zone_ids }, area) => inWords(`said.zone_${kind}`, reason, { zones: zone_ids.join(" / "), area });

/** Why nobody can be there in time. */
export const lateWarning = (warning) => inWords("said.nobody_in_time", warning, {});
