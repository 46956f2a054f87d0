// A known outage in words.
import { h } from "/static/common/dom.js";
import { now, t } from "/static/common/page.js";
import { shortTime } from "/static/common/time.js";

/** Return the card of a notice; `onShow` leads to it on the map. */
export function card(outage, { onShow = null } = {}) {
  const [from, to] = [shortTime(outage.starts_at, now()), shortTime(outage.ends_at, now())];
  if (outage.status === "cancelled") return cancelled(outage, { from, to });
  return h("article.card.outage", { dataset: { phase: outage.phase } },
    h("p.row", {}, h("strong.phase", {}, t(`public.phase_${outage.phase}`)), h("span.chip", {}, t(outage.is_planned ? "public.planned" : "public.emergency"))),
    h("h3", {}, outage.title),
    h("p", {}, outage.place),
    outage.estates.length ? h("p", {}, t("known.estates", { names: outage.estates.join("、") })) : null,
    h("p", {}, outage.phase === "late" ? t("public.was_due", { to }) : t("public.from_to", { from, to })),
    outage.late_note ? h("p", {}, outage.late_note) : null,
    outage.extensions.map(({ text }) => h("p.soft.small", {}, `${t("known.extended")}: ${text}`)),
    h("p.row", {}, outage.zones.length ? h("span.soft.small", {}, t("public.grids", { names: outage.zones.join(", ") })) : null,
      onShow && h("button.quiet", { type: "button", onclick: () => onShow(outage), "aria-label": `${t("public.see_on_map")}: ${outage.title}` }, t("public.see_on_map"))));
}

function cancelled({ title, place }, times) {
  return h("article.card.outage", { dataset: { phase: "over" } },
    h("p.row", {}, h("strong.phase", {}, t("public.cancelled"))), h("h3", {}, title), h("p", {}, place), h("p", {}, t("public.not_off", times)));
}
