// What is off at this moment, in a line above the counters; the notices behind it, and their areas on the map.
import { get, mayFail } from "../common/api.js";
import { $, fill, h } from "../common/dom.js";
import { inForce, outageLine } from "../common/outages.js";
import { t } from "../common/page.js";

/** Ask for the notices and show them; what was told last stays on the screen where the server is out of reach. */
export async function askOutages(place) {
  try {
    const outages = inForce((await get("/public/outages")).items);
    const late = outages.filter(({ phase }) => phase === "late").length;
    $("#outages").hidden = outages.length === 0;
    fill($("#outages-line"), t("known.count", { count: outages.length }), late > 0 && h("strong", {}, ` · ⚠ ${t("known.count_late", { count: late })}`));
    fill($("#outages-list"), outages.map((outage) => h("li", {}, outageLine(outage))));
    place.drawOutages(outages);
  } catch (problem) {
    mayFail(problem);
  }
}
