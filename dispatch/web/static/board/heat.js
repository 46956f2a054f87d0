// The map of grids in one ink: the darker, the more tickets, or the fewer promises kept. The table says the same.
import { $ } from "../common/dom.js";
import { asText, drawBase, makeMap } from "../common/map.js";
import { t } from "../common/page.js";

let base = null;
const SHADES = 6;

async function drawn() {
  if (!base) {
    const map = makeMap($("#heat"));
    base = drawBase(map).then((found) => {
      if (found.layer.getLayers().length) map.fitBounds(found.layer.getBounds());
      return found;
    });
  }
  return base;
}

/** Colour each grid by its figure. @param {Map<string, number>} values by grid @param {boolean} isShare darker where less */
export async function paint(values, metric, isShare, say) {
  const { byId } = await drawn();
  const numbers = [...values.values()];
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  for (const [id, polygon] of byId) {
    const value = values.get(id);
    const part = value === undefined ? 0 : high === low ? 0.5 : (value - low) / (high - low);
    const shade = value === undefined ? -1 : Math.min(SHADES - 1, Math.floor((isShare ? 1 - part : part) * SHADES));
    for (let n = 0; n < SHADES; n += 1) polygon.getElement()?.classList.toggle(`heat-${n}`, n === shade);
    polygon.unbindTooltip();
    polygon.bindTooltip(asText(`${id} ${value === undefined ? "–" : say(value)}`), { direction: "center", className: "map-name" });
  }
  const [least, most] = isShare ? [high, low] : [low, high];
  $("#heat-key").textContent = numbers.length ? t("figures.heat_key", { metric, way: t(isShare ? "figures.way_less" : "figures.way_more"), least: say(least), most: say(most) }) : "";
}
