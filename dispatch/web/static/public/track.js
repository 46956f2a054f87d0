// The page of one's own report: where it stands, what was promised, and a rating when it is done.
import { get } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { now, page, setNow, t, tOr } from "/static/common/page.js";
import { shortTime } from "/static/common/time.js";
import { waterText } from "/static/common/water.js";
import { inWords } from "./faults.js";
import { card } from "./outages.js";
import { showRating } from "./rating.js";

const EVERY_MS = 10_000;
const LAST = 4;
const { number, token } = page.data;
const path = `/public/tickets/${encodeURIComponent(number)}/${encodeURIComponent(token)}`;
let told = null;

look();
setInterval(look, EVERY_MS);
for (const change of ["offline", "online"]) window.addEventListener(change, look); // told at once, not at the next look

async function look() {
  try {
    told = await get(path);
    setNow(told.server_time);
    draw();
  } catch (error) {
    if (told) $("#age").textContent = t("public.stale", { time: time(told.server_time) });
    else fill($("#progress"), h("p.card", { role: "alert" }, inWords(error)));
  }
}

function draw() {
  const sentence = t(`public.now_${told.status}`, { team: told.team ?? "" });
  fill($("#progress"),
    h("section.card.stack", {},
      h("p.number", {}, told.number),
      h("p.soft", {}, t("public.reported", { category: tOr(`category.${told.category}`, told.category_label), time: time(told.received_at) })),
      told.step === null ? null : bar(),
      h("p.sentence", {}, sentence),
      told.is_merged && h("p", {}, t("public.merged")),
      told.follow_up_of && h("p", {}, t("temporary.public_first", { number: told.follow_up_of })),
      told.follow_ups.map((one) => h("p.follow-up", {}, `${t("temporary.public_rest")} `, h("a", { href: `/track/${one.number}/${one.token}` }, one.number),
        one.appointment_at && ` · ${t("temporary.due", { time: time(one.appointment_at) })}`)),
      facts(),
      h("p.soft.small", {}, h("span", { id: "age" }, t("public.updated", { time: time(told.server_time) })), " · ", t("public.urge"))),
    told.outages.length ? h("section.stack", {}, h("h2", {}, t("public.off_there")), told.outages.map((outage) => card(outage))) : null);
  if ($("#now").textContent !== sentence) $("#now").textContent = sentence; // read out when it changes, not at every look
  showRating(told, path, look);
}

function bar() {
  const steps = told.steps.map(({ status, at }, n) => {
    const key = n === LAST && told.status === "closed" ? "closed" : status;
    const state = n < told.step ? "past" : n === told.step ? "current" : "ahead";
    return h(`li.${state}`, n === told.step ? { "aria-current": "step" } : {},
      h("span.dot", { "aria-hidden": "true" }, state === "ahead" ? String(n + 1) : "✓"),
      h("span.step", {}, t(`public.step_${key}`)), h("span.soft.small", {}, at && n <= told.step ? time(at) : ""));
  });
  return h("ol.steps", { "aria-label": t("public.bar") }, steps);
}

function facts() {
  const { arrive, fix } = told.promises;
  const rows = [
    [t("public.arrival"), promise("arrive", arrive)],
    [t("public.repair"), promise("fix", fix)],
    [t("public.water"), told.water && waterText(told.water)],
    [t("public.crew"), told.step === null ? null : told.team ?? t("public.no_crew")],
    [t("public.address"), told.address],
  ];
  return h("dl.facts", {}, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

// What was kept late is told with its time, like all that was kept.
function promise(kind, clock) {
  if (!clock) return null;
  if (clock.met_at) return t(`public.${kind}_met`, { time: time(clock.met_at) });
  if (clock.state === "paused") return clock.resume_at && t("public.fix_paused", { time: time(clock.resume_at) });
  return t(`public.${kind}_${clock.state}`, { time: time(clock.due_at) });
}

function time(iso) {
  return shortTime(iso, now());
}
