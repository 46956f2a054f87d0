// Where the problem is: a pin set on the map, or the browser's own position.
import { $ } from "/static/common/dom.js";
import { pinAt, toMap } from "/static/common/map.js";
import { t } from "/static/common/page.js";

const WAIT_MS = 15_000;
const STREET_ZOOM = 16;

/** Let people set a pin; returns `location` (null or what the API takes), `set`, `clear`; `onClear` hears of the last. */
export function makePlace(map, onClear) {
  const chosen = { location: null, set, clear };
  let pin = null;

  function set([lon, lat], name = null) {
    pin?.remove();
    pin = pinAt(map, [lon, lat], t("public.pin"));
    chosen.location = { lon: round(lon), lat: round(lat), datum: "wgs84" };
    say(name ? t("public.pinned_in", { name }) : t("public.pinned"));
  }

  function clear() {
    pin?.remove();
    pin = chosen.location = null;
    say(t("public.not_pinned"));
    warn(null);
    onClear();
  }

  function say(text) {
    $("#pinned").textContent = text;
    $("#unpin").hidden = chosen.location === null;
  }

  $("#unpin").addEventListener("click", () => {
    clear();
    $("#locate").focus();
  });
  $("#locate").addEventListener("click", () => {
    $("#pinned").textContent = t("public.locating");
    const failed = () => say(t("public.locate_failed"));
    if (!navigator.geolocation) return failed();
    return navigator.geolocation.getCurrentPosition(({ coords }) => {
      set([coords.longitude, coords.latitude]);
      map.setView(toMap([coords.longitude, coords.latitude]), STREET_ZOOM);
    }, failed, { enableHighAccuracy: true, timeout: WAIT_MS });
  });
  return chosen;
}

/** Say that something is known at the place already, or nothing. */
export function warn(outage) {
  const box = $("#off-here");
  box.hidden = !outage;
  box.textContent = outage ? t("public.off_here", { title: outage.title }) : "";
}

// Six decimals of a degree are 0.1 m.
const round = (degrees) => Math.round(degrees * 1e6) / 1e6;
