// When the water of an incident was stopped, is expected back and came back, as far as anybody said.
import { now, t } from "./page.js";
import { shortTime } from "./time.js";

/** In one line; empty where nobody said anything. */
export function waterText({ isolated_at, restore_expected_at, restored_at }) {
  const at = (time) => shortTime(time, now());
  if (restored_at) return t("common.water_back", { time: at(restored_at) });
  return [isolated_at && t("common.water_stopped", { time: at(isolated_at) }), restore_expected_at && t("common.water_expected", { time: at(restore_expected_at) })].filter(Boolean).join(" · ");
}
