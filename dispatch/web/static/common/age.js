// How fresh the data of a page are, in words; every screen with live data shows it, all the time.
import { t } from "./page.js";

const WORDS = { live: "common.live", polling: "common.polling", lost: "common.lost", "signed-out": "common.lost", connecting: "common.loading" };

/** @param {{state: string, age(): number}} live what `connect` of live.js returned */
export function freshness(live) {
  return `${t(WORDS[live.state])}, ${t("common.data_age", { seconds: Math.floor(live.age()) })}`;
}
