// What waits to be sent, and what the server refused: nothing of it goes without the crew knowing.
import { h } from "/static/common/dom.js";
import { now, t, tOr } from "/static/common/page.js";
import { shortTime } from "/static/common/time.js";
import { settle } from "./queue.js";

/** What an item is, in words. */
export function nameOf(item) {
  if (item.kind === "photo") return t(`crew.photo_${item.stage}`);
  return item.kind === "request" ? t(`crew.ask_${item.verb}`) : t(`verb.${item.verb}`);
}

const when = (item) => shortTime(item.device_at, now());

/** The number that waits, always in sight; unfolded, what it is. */
export function waitingList(items, leftByOthers) {
  const waiting = items.filter((item) => item.state === "waiting");
  const left = leftByOthers ? h("p.small", {}, t("crew.left", { count: leftByOthers })) : null;
  if (!waiting.length) return [h("p.soft", {}, t("crew.all_sent")), left];
  const rows = waiting.map((item) => h("li", {}, `${when(item)} ${nameOf(item)} `, h("span.soft", {}, item.number)));
  return [h("details", {}, h("summary", {}, t("crew.waiting", { count: waiting.length })), h("ol", {}, rows)), left];
}

/** What was refused, why, how the ticket stands now, and what can be done about it. */
export function refusedList(items, jobs) {
  const refused = items.filter((item) => item.state === "refused");
  if (!refused.length) return null;
  return h("section.card.stack", { "aria-labelledby": "refused-title" },
    h("h2", { id: "refused-title" }, t("crew.refused", { count: refused.length })),
    h("ul.stack", {}, refused.map((item) => row(item, items, jobs))));
}

function row(item, items, jobs) {
  const behind = items.filter((other) => other.number === item.number && other.seq > item.seq && other.state === "waiting").length;
  const status = item.problem.current ?? jobs.find((job) => job.number === item.number)?.status;
  const isGone = item.problem.status === 404;
  return h("li.refused", {},
    h("p", {}, h("strong", {}, `${when(item)} ${nameOf(item)}`), ` ${item.number}`),
    isGone ? h("p.fault", {}, t("crew.gone")) : h("p.fault", { lang: "zh-CN" }, item.problem.message),
    status && !isGone ? h("p", {}, t("crew.now_is", { status: tOr(`status.${status}`, status) })) : null,
    behind ? h("p.soft", {}, t("crew.behind", { count: behind })) : null,
    h("div.row", {},
      h("button", { type: "button", onclick: () => settle(item, { isRetry: true }) }, t("common.try_again")),
      h("button", { type: "button", onclick: () => settle(item, { isRetry: false }) }, t("crew.dismiss"))));
}
