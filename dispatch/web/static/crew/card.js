// The job card: how it stands, where it is, and one large button for the next step.
import { post } from "/static/common/api.js";
import { fill, h, toast } from "/static/common/dom.js";
import { outageLine } from "/static/common/outages.js";
import { now, page, t, tOr } from "/static/common/page.js";
import { chip } from "/static/common/sla.js";
import { shortTime } from "/static/common/time.js";
import { waterText } from "/static/common/water.js";
import { askHold, askExtend, askReason, askTemporary, askWhy } from "./forms.js";
import { gallery } from "./gallery.js";
import { fits } from "./jobs.js";
import { shrunk } from "./picture.js";
import { distance_m, tell, wayTo, whereAmI } from "./place.js";

// The server's word is final and measured a little differently: ask a little earlier.
const NEARLY = 0.98;
const KEPT_NUMBER_MS = 60_000;
// A second tap was meant for the step before, and the next one has come to the same place: it does nothing.
const SETTLE_MS = 800;
let shown = null;
let shownAt_ms = -SETTLE_MS;

/** What stands above the form: how the job stands, where it is, what else can be done. */
export function top(job, context, form) {
  return [
    h("div.row", {}, chip(job), h("span.chip", {}, `${job.level} ${tOr(`level.${job.level}`, job.level_label)}`),
      h("span.chip", {}, tOr(`category.${job.category}`, job.category_label)),
      job.is_own ? null : h("span.chip", {}, t("crew.assisting")),
      job.incident ? h("span.chip", {}, t("common.incident", job.incident)) : null,
      (job.flags ?? []).map((flag) => h("span.chip", {}, `⚑ ${flag}`)), // a kept copy may be older than this field
      job.nth_call ? h("span.chip", {}, t("crew.nth_call", { count: job.nth_call })) : null,
      job.is_supervised ? h("span.chip", {}, t("verb.supervise")) : null,
      job.urge_count ? h("span.chip", {}, `${t("verb.urge")} ${job.urge_count}`) : null),
    h("h1.address", {}, job.address || t("crew.no_address")),
    job.description ? h("p.description", {}, job.description) : null,
    job.incident && waterText(job.incident) ? h("p", {}, waterText(job.incident)) : null,
    job.outages.map((outage) => h("p", {}, `${t("known.in_grid")}: `, outageLine(outage))),
    job.follow_up_of ? h("p", {}, t("temporary.follows", { number: job.follow_up_of })) : null,
    h("p.soft", {}, `${job.number} · ${t("crew.now_is", { status: t(`status.${job.status}`) })} `,
      job.pending ? h("strong.pending", {}, t("crew.pending")) : null),
    job.asked.map((verb) => h("p", {}, t("crew.asked", { what: t(`crew.ask_${verb}`) }))),
    story(job), ways(job, context.act), photos(job, context.act), gallery(job), second(job, context, form),
  ];
}

/** What stands below it: the next step. */
export function bottom(job, context, form) {
  return [ring(job, context), big(job, context, form)];
}

/** What happened to it, folded away; the server's own words. */
function story(job) {
  const line = ({ at, text }) => h("li", {}, `${shortTime(at, now())} `, h("span", { lang: "zh-CN" }, text));
  return h("details", {}, h("summary", { id: "story" }, t("crew.story")), h("ol.small", {}, job.history.map(line)));
}

function ways(job, act) {
  return h("div.row", {},
    job.gcj02 ? h("a.button", { id: "way", href: wayTo(job), target: "_blank", rel: "noopener noreferrer" }, t("crew.navigate")) : null,
    job.address ? h("button", { type: "button", id: "copy", onclick: () => act.copy(job.address) }, t("crew.copy_address")) : null,
    job.caller_phone ? h("button", { type: "button", id: "call", onclick: ({ currentTarget }) => call(job, currentTarget) }, t("crew.call", { phone: job.caller_phone })) : null);
}

/** The number is fetched when it is wanted, which is audited, and kept nowhere. */
async function call(job, button) {
  button.disabled = true;
  try {
    const { items } = await post(`/tickets/${job.number}/reveal`, { reason: t("crew.reveal_reason") });
    const phone = items.find((one) => one.caller_phone)?.caller_phone;
    const link = h("a.button", { id: "call", href: `tel:${phone}` }, phone);
    button.replaceWith(link);
    link.click();
    setTimeout(() => { button.disabled = false; link.replaceWith(button); }, KEPT_NUMBER_MS);
  } catch (error) {
    button.disabled = false;
    toast(error.message, { kind: "error" });
  }
}

function photos(job, act) {
  return h("div.photos", {}, ["before", "after"].map((stage) => {
    const input = h("input.sr", { type: "file", accept: "image/*", capture: "environment", id: `photo-${stage}`, onchange: () => take(job, stage, input, act) });
    const count = job.photos[stage] + job.ownPhotos.filter((item) => item.stage === stage).length;
    const waiting = job.ownPhotos.filter((item) => item.stage === stage).map((item) => thumbnail(item));
    return h("div.row", {}, input, h("label.button", { for: `photo-${stage}` }, t(`crew.photo_${stage}`), count ? ` (${count})` : null), waiting);
  }));
}

/** What waits is drawn from the phone's own copy. */
function thumbnail(item) {
  const canvas = h("canvas.thumbnail", { width: 96, height: 96, role: "img", "aria-label": t(`crew.photo_${item.stage}`) });
  createImageBitmap(item.photo, { resizeWidth: 96, resizeHeight: 96 }).then((image) => canvas.getContext("2d").drawImage(image, 0, 0), () => canvas.remove());
  return canvas;
}

async function take(job, stage, input, act) {
  const [file] = input.files;
  if (!file) return;
  try {
    const small = await shrunk(file);
    // A copy: the camera's own file may be gone when there is signal again.
    const photo = new Blob([await small.arrayBuffer()], { type: small.type || "image/jpeg" });
    await act.enqueue({ number: job.number, kind: "photo", stage, photo });
  } catch (error) {
    toast(t("crew.photo_unread", { why: error.name }), { kind: "error" });
  } finally {
    input.value = ""; // the same one may be chosen again
  }
}

function second(job, { reasons, act }, form) {
  const verb = (name, body = {}) => act.enqueue({ number: job.number, kind: "verb", verb: name, body });
  const request = (name, body) => act.enqueue({ number: job.number, kind: "request", verb: name, body: { verb: name, ...body } });
  const open = (build, done) => fill(form, build((body) => { fill(form); done(body); }, () => fill(form)));
  const isIsolating = fits(job, "isolate") && job.clocks.some((clock) => clock.kind === "isolate" && clock.round === job.round && !clock.met_at && clock.state !== "void");
  const choices = [
    ["return", job.is_own && fits(job, "return"), () => open((ok, no) => askReason("return", reasons.return ?? {}, ok, no), (body) => verb("return", body))],
    ["isolate", isIsolating, () => verb("isolate")],
    ["ask_hold", job.is_own && fits(job, "hold") && !job.asked.includes("hold"), () => open((ok, no) => askHold(reasons.hold ?? {}, ok, no), (body) => request("hold", body))],
    ["ask_extend", job.is_own && fits(job, "extend") && !job.asked.includes("extend"), () => open((ok, no) => askExtend(reasons.extend ?? {}, ok, no), (body) => request("extend", body))],
  ];
  const label = (name) => (name.startsWith("ask_") ? t(`crew.${name}`) : t(`verb.${name}`));
  return h("div.row", {}, choices.filter(([, isThere]) => isThere).map(([name, , run]) => h("button", { type: "button", id: `do-${name}`, onclick: run }, label(name))));
}

function ring(job, { silenced, act }) {
  if (job.next !== "accept" || silenced.includes(`${job.number}:${job.round}`)) return null;
  return h("button", { type: "button", id: "silence", onclick: () => act.silence(job) }, t("crew.silence"));
}

/** Done for now: above the large button, which stays where it is and means that all is mended. */
function forNow(job, run, kinds, form) {
  if (job.next !== "done" || !Object.keys(kinds).length) return null;
  const ok = (body) => { fill(form); run(body); };
  return h("button.for-now", { type: "button", id: "for-now", onclick: () => fill(form, askTemporary(kinds, ok, () => fill(form))) }, t("temporary.title"));
}

function big(job, { act, temporary }, form) {
  if (!job.next) return job.is_own ? h("p.finished", {}, t("crew.finished")) : null;
  const run = (body) => act.enqueue({ number: job.number, kind: "verb", verb: job.next, body });
  const press = ({ currentTarget: button }) => {
    if (button.ariaDisabled === "true") return;
    rest(button, SETTLE_MS);
    if (job.next === "arrive") arrive(job, run, button, form);
    else run({});
  };
  const button = h("button.primary.big", { type: "button", id: "big", dataset: { verb: job.next }, onclick: press }, job.next === "done" ? t("temporary.fixed") : t(`verb.${job.next}`));
  const step = `${job.number}:${job.round}:${job.next}`;
  if (shown !== null && step !== shown) shownAt_ms = performance.now();
  shown = step;
  rest(button, shownAt_ms + SETTLE_MS - performance.now());
  return h("div.big-place", {}, forNow(job, run, temporary, form), button);
}

/** Let a button do nothing for a while; it keeps the focus. */
function rest(button, ms) {
  if (ms <= 0) return;
  button.ariaDisabled = "true";
  setTimeout(() => { button.ariaDisabled = null; }, ms);
}

/** Say where the phone is; far from the place, or where the phone does not know, somebody has to say why. */
async function arrive(job, run, button, form) {
  let giveUp;
  const given = new Promise((resolve) => { giveUp = resolve; });
  button.disabled = true;
  fill(form, h("div.row", { role: "status" }, h("span", {}, t("crew.locating")), h("button", { type: "button", id: "no-place", onclick: () => giveUp() }, t("crew.without_place"))));
  const here = await whereAmI(given);
  button.disabled = false;
  fill(form);
  const ask = (words, body) => fill(form, askWhy(words, (told) => { fill(form); run({ ...body, ...told }); }, () => fill(form)));
  if (!here) return job.lon === null ? run({}) : ask(t("crew.no_fix"), {});
  tell(here);
  const body = { location: { lon: here.lon, lat: here.lat, datum: "wgs84" }, accuracy_m: here.accuracy_m };
  const away_m = job.lon === null ? 0 : distance_m(here, job);
  if (away_m <= page.data.far_m * NEARLY) return run(body);
  return ask(t("crew.far", { metres: Math.round(away_m), accuracy: Math.round(here.accuracy_m) }), body);
}

/** The list below: the other jobs in working order. */
export function others(list, chosen, choose) {
  const rest = list.filter((job) => job.number !== chosen);
  if (!rest.length) return null;
  return h("section", { "aria-labelledby": "others-title" }, h("h2", { id: "others-title" }, t("crew.others", { count: rest.length })),
    h("ul.stack", {}, rest.map((job) => h("li", {}, h("button.other", { type: "button", id: `job-${job.number}`, onclick: () => choose(job.number) },
      h("span.row", {}, chip(job), h("span.chip", {}, tOr(`category.${job.category}`, job.category_label)), h("span.soft", {}, t(`status.${job.status}`)),
        job.pending ? h("strong.pending", {}, t("crew.pending")) : null),
      h("span.other-address", {}, job.address || t("crew.no_address")))))));
}
