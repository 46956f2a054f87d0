// Who should go, how long it takes, and what speaks against somebody: in words, always with the kind of estimate.
import { h } from "./dom.js";
import { t } from "./page.js";
import { lateWarning } from "./said.js";

const minutes = (seconds) => Math.max(1, Math.round(seconds / 60));

/** How long it takes: "约 15–25 分, 直线估算". */
export function wayText({ low_s, high_s, kind, samples }) {
  const [low, high] = [minutes(low_s), minutes(high_s)];
  const span = low === high ? String(low) : `${low}–${high}`;
  return t("advice.way", { span, kind: t(`advice_kind.${kind}`) }) + (samples ? t("advice.samples", { count: samples }) : "");
}

/** What speaks against somebody, in one line; empty where nothing does. */
export function doubts(exclusions) {
  return exclusions.map(({ code, values }) => t(`advice_not.${code}`, values)).join("; ");
}

/** How long somebody has been on duty of late; empty where no roster tells. */
export function workedText(worked_h) {
  return worked_h ? t("advice.worked", { hours: worked_h }) : "";
}

/** Those who should go, and those who were left out with the reasons. */
export function adviceList({ warning, items, excluded }) {
  const who = ({ name, team_name, part, travel, worked_h, in_hand }) => [h("b", {}, name ?? team_name), ` (${[name && team_name, t(`advice_part.${part}`)].filter(Boolean).join(", ")})`, travel && ` ${wayText(travel)}`,
    h("span.soft", {}, [workedText(worked_h), in_hand > 0 && t("advice.in_hand", { count: in_hand })].filter(Boolean).map((words) => ` · ${words}`))];
  const list = (title, choices, row) => choices.length > 0 && [h("p.small.soft", {}, title), h("ul.lines", {}, choices.map(row))];
  return h("div.advice", {}, warning && h("p.fault", {}, lateWarning(warning)),
    items.length === 0 && h("p.small.soft", {}, t("advice.nobody")),
    list(t("advice.recommended"), items, (choice) => h("li", {}, who(choice))),
    list(t("advice.excluded"), excluded, (choice) => h("li", {}, who(choice), " – ", doubts(choice.exclusions))));
}

/** Why a ticket will be late although its time is not up yet: "预计 38 分到, 只剩 21 分". Empty where it will not. */
export function riskText(ticket, at_ms) {
  const clock = ticket.clocks.find(({ kind, round, state }) => kind === "arrive" && round === ticket.round && state === "running");
  if (!clock || clock.travel_s === null || clock.travel_s === undefined) return "";
  const left_ms = Date.parse(clock.due_at) - at_ms;
  if (left_ms <= 0 || clock.travel_s * 1000 <= left_ms) return "";
  return t("advice.risk", { eta: minutes(clock.travel_s), left: Math.max(0, Math.round(left_ms / 60_000)), kind: t(`advice_kind.${clock.travel_kind}`) });
}
