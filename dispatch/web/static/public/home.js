// The public page: known outages first, then a report, then how one goes.
import { get, post } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { drawAreas, drawBase, highlight, makeMap } from "/static/common/map.js";
import { setNow, t } from "/static/common/page.js";
import { clearFault, inWords, showFault } from "./faults.js";
import { mark, nameDistricts, show } from "./onmap.js";
import { card } from "./outages.js";
import { makePlace, warn } from "./place.js";
import { startReport } from "./report.js";

const EVERY_MS = 60_000;
const WHOLE_CITY_ZOOM = 12;
let outages = [];
let base = { byId: new Map() };
let grid = null;
let isShown = false;

const map = makeMap($("#map"), {
  onPick: (lonlat) => {
    place.set(lonlat, grid?.name);
    highlight(base, grid?.id);
    warn(grid && outages.find(({ phase, zone_ids }) => phase !== "coming" && zone_ids.includes(grid.id)));
    grid = null;
  },
});
const place = makePlace(map, () => highlight(base, null));
startReport(place);
startTracking();
look();
setInterval(look, EVERY_MS);
// A click on a grid is told to the grid first, then to the map.
drawBase(map, { onGrid: (told) => { grid = told; } }).then((drawn) => {
  base = drawn;
  drawKnown();
  return nameDistricts(map);
}).catch(() => {}); // without the map there is still the list and the address

async function lookAtSurge() {
  const told = await get("/public/surge").catch(() => null);
  if (!told) return;
  $("#surge").hidden = told.text === null;
  $("#surge").textContent = told.text || (told.text === null ? "" : t("public.surge"));
}

async function look() {
  lookAtSurge();
  try {
    const told = await get("/public/outages");
    setNow(told.server_time);
    outages = told.items.filter(({ status }) => status === "published"); // what was cancelled is told, and off nowhere
    const items = told.items.map((outage) => h("li", {}, card(outage, { onShow: (one) => show(map, base, [one]) })));
    fill($("#outages"), items.length ? items : h("li.card", {}, t("public.known_none")));
    drawKnown();
  } catch {
    if (!outages.length) fill($("#outages"), h("li.card", {}, t("public.known_failed")));
  }
}

// At first the map shows what is known; from then on it is left where people moved it.
function drawKnown() {
  mark(base, outages);
  drawAreas(map, outages);
  if (isShown || !base.byId.size || !outages.length) return;
  isShown = true;
  show(map, base, outages, WHOLE_CITY_ZOOM);
}

function startTracking() {
  const [form, fault] = [$("#track-form"), $("#track-fault")];
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [number, phone_end] = [$("#number").value.trim(), $("#phone-end").value.trim()];
    if (!number) return showFault(fault, t("public.fault_number"), $("#number"));
    if (!/^[0-9]{4}$/.test(phone_end)) return showFault(fault, t("public.fault_phone_end"), $("#phone-end"));
    clearFault(fault);
    try {
      const opened = await post("/public/track", { number, phone_end });
      location.assign(`/track/${opened.number}/${opened.token}`);
    } catch (error) {
      showFault(fault, inWords(error), error.code === "not-found" ? $("#number") : null);
    }
  });
}
