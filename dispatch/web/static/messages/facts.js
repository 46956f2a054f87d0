// What is known of a message: when, why me, of what, and who answered.
import { h } from "../common/dom.js";
import { now, t } from "../common/page.js";
import { shortTime } from "../common/time.js";

/** Return the facts of a message as a list of terms. */
export function facts(one) {
  const rows = [
    [t("messages.at"), shortTime(one.at, now())],
    [t("messages.why"), one.why && h("span", { lang: "zh-CN" }, one.why)],
    [t("messages.ticket"), one.number && [one.number, one.level, one.category && t(`category.${one.category}`), one.zone_id, t(`status.${one.status}`)].filter(Boolean).join(" · ")],
    [t("messages.gathered"), one.gathered && (one.gathered.at ? t("messages.gathered_at", { at: shortTime(one.gathered.at, now()) }) : t("messages.gathers"))],
    [t("messages.answered"), answered(one)],
  ];
  return h("dl.facts", {}, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

function answered(one) {
  if (one.escalation_id === null) return null;
  if (!one.acknowledged_at) return h("b", {}, t("messages.waits"));
  return `${one.acknowledged_by} · ${shortTime(one.acknowledged_at, now())}`;
}
