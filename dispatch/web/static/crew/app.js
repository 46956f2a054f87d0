// A crew's phone: one job with its next step, the others below; all of it works without signal.
import { get } from "/static/common/api.js";
import { $, fill, h, toast } from "/static/common/dom.js";
import { now, page, t } from "/static/common/page.js";
import { unsubscribe } from "/static/common/push.js";
import { draw, everySecond } from "/static/common/sla.js";
import { drawBroadcast, surgeAsker } from "/static/common/surge.js";
import { ringFor } from "./alarm.js";
import { bottom, others, top } from "./card.js";
import * as db from "./db.js";
import * as jobs from "./jobs.js";
import * as queue from "./queue.js";
import { follow } from "./news.js";
import { refusedList, waitingList } from "./outbox.js";
import { copy, tell, whereAmI } from "./place.js";

const MINUTES_FROM_S = 100;
const HOURS_FROM = 120;
const AGAIN_MS = 300;
const LATER_MS = 10_000;
const POSITION_EVERY_MS = 120_000;
const state = { chosen: null, silenced: new Set(), reasons: {}, temporary: {}, isReached: false, live: null, timer: null, changes: 0, shown: [] };

/** Draw a part again where what it shows has changed; what has the focus keeps it. */
function renew(id, shows, build) {
  const place = document.getElementById(id);
  const mark = JSON.stringify(shows, (_, value) => (value instanceof Blob ? value.size : value));
  if (place.dataset.mark === mark.length + ":" + hash(mark)) return;
  place.dataset.mark = mark.length + ":" + hash(mark);
  const focused = place.contains(document.activeElement) ? document.activeElement.id : null;
  fill(place, build());
  if (focused) document.getElementById(focused)?.focus();
}

function hash(text) {
  let sum = 0;
  for (let i = 0; i < text.length; i += 1) sum = (Math.imul(sum, 31) + text.charCodeAt(i)) | 0;
  return sum;
}

const finished = (job) => !job.next && job.is_own;
const ringName = (job) => `${job.number}:${job.round}`;

async function show() {
  const items = await queue.items();
  const list = jobs.current(items);
  const open = [...list.filter((job) => !finished(job)), ...list.filter(finished)];
  if (!open.some((job) => job.number === state.chosen && !finished(job))) state.chosen = open[0]?.number ?? null;
  state.shown = open;
  const job = open.find((one) => one.number === state.chosen) ?? null;
  const context = { job, silenced: [...state.silenced], reasons: state.reasons[job?.policy_version] ?? {}, temporary: state.temporary, isKnown: jobs.toldAt() !== null };
  renew("refused", items.filter((item) => item.state === "refused"), () => refusedList(items, open));
  const left = await queue.leftByOthers();
  renew("waiting", [left, items.filter((item) => item.state === "waiting")], () => waitingList(items, left));
  showJob(job, context);
  renew("others", open.map((one) => [one.number === state.chosen, one]), () => others(open, state.chosen, choose));
  $("#signed-out").hidden = !queue.signedOut();
  ringFor(open.filter((one) => one.next === "accept" && !state.silenced.has(ringName(one))).map(ringName));
  tick(now());
}

/** The form between the two parts stays as it is while news comes in: somebody may be writing. */
function showJob(job, context) {
  const [article, form] = [$("#job"), $("#form")];
  if (article.dataset.number !== (job?.number ?? "")) fill(form);
  article.dataset.number = job?.number ?? "";
  article.setAttribute("aria-label", job?.number ?? t("role.crew"));
  const empty = () => h("h1.nothing", {}, t(context.isKnown ? "crew.no_jobs" : "crew.never_loaded"));
  renew("job-top", context, () => (job ? top(job, { ...context, act }, form) : empty()));
  renew("job-end", context, () => (job ? bottom(job, { ...context, act }, form) : null));
}

function choose(number) {
  state.chosen = number;
  show();
  $("#job").scrollIntoView({ block: "start" });
}

const act = {
  enqueue: async (item) => {
    try {
      await queue.enqueue(item);
    } catch (error) {
      // A full phone: it must not look as if it were done.
      toast(t("crew.not_kept", { why: error.name }), { kind: "error" });
    }
  },
  copy: async (text) => toast(t((await copy(text)) ? "crew.copied" : "crew.not_copied")),
  silence: async (job) => {
    state.silenced.add(ringName(job));
    await db.keep("silenced", [...state.silenced].slice(-200));
    show();
  },
};

function tick(at_ms) {
  for (const chip of document.querySelectorAll("#main .sla")) {
    const job = state.shown.find((one) => one.number === chip.dataset.number);
    if (job) draw(chip, job, at_ms);
  }
  // While the stream speaks, what it has not told has not changed.
  const heard_s = hasSignal() ? state.live?.age() ?? Infinity : Infinity;
  const age = jobs.toldAt() === null ? "" : ageText(Math.min((at_ms - jobs.toldAt()) / 1000, heard_s));
  $("#age").textContent = [hasSignal() ? "" : t("crew.no_signal"), age].filter(Boolean).join(" · ");
}

const hasSignal = () => state.isReached && navigator.onLine;

function ageText(age_s) {
  if (age_s < MINUTES_FROM_S) return t("common.data_age", { seconds: Math.max(0, Math.floor(age_s)) });
  const minutes = Math.floor(age_s / 60);
  return minutes < HOURS_FROM ? t("crew.age_minutes", { minutes }) : t("crew.age_hours", { hours: Math.floor(minutes / 60) });
}

async function load() {
  const before = state.changes;
  try {
    await queue.within(LATER_MS, jobs.load(() => state.changes === before));
    await queue.within(LATER_MS, loadReasons());
    state.isReached = true;
    if (state.changes !== before) loadIn(AGAIN_MS);
  } catch {
    state.isReached = false;
    loadIn(LATER_MS);
  }
  show();
}

function loadIn(ms) {
  clearTimeout(state.timer);
  state.timer = setTimeout(load, ms);
}

/** The coded reasons of each version of the policy that a job keeps: those of a version never change. */
async function loadReasons() {
  const versions = [...new Set(jobs.current([]).map((job) => job.policy_version))];
  const missing = versions.filter((version) => !(version in state.reasons));
  if (!missing.length) return;
  for (const version of missing) state.reasons[version] = (await get("/categories", { policy_version: version })).reasons;
  await db.keep("reasons", Object.fromEntries(versions.map((version) => [version, state.reasons[version]])));
}

/** What can be done for now goes by the policy of the day. */
async function loadTemporary() {
  try {
    state.temporary = (await get("/categories")).temporary;
    await db.keep("temporary", state.temporary);
  } catch { /* those of the last time serve */ }
  show();
}

async function tellPosition() {
  const isOut = state.shown.some((job) => ["en_route", "on_site", "working"].includes(job.status));
  if (!isOut || document.hidden || !hasSignal()) return;
  const place = await whereAmI(new Promise(() => {}));
  if (place) tell(place);
}

/** Waited for, so that nobody who signs in next opens this person's page. */
async function forgetPage() {
  const kept = await globalThis.caches?.keys() ?? [];
  await Promise.all(kept.filter((name) => name.startsWith("crew-")).map(async (name) => (await caches.open(name)).delete("/crew")));
}

/** Take along what others must not see. Not without signal: the page would be gone, and nobody signed out. */
async function signOut(event) {
  event.preventDefault();
  const form = event.target;
  const count = (await queue.items()).length;
  const leave = async () => {
    try {
      await unsubscribe(); // the next person on this phone hears nothing of these jobs
    } catch (problem) {
      toast(problem.message, { kind: "error" });
      return;
    }
    await jobs.forget();
    await forgetPage();
    form.submit();
  };
  if (!hasSignal()) toast(t("crew.stay"));
  else if (count) toast(t("crew.leave", { count }), { action: { label: t("common.sign_out"), run: leave } });
  else leave();
}

async function start() {
  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/crew/sw.js", { scope: "/crew" }).catch(console.warn);
  navigator.storage?.persist?.();
  await jobs.restore();
  state.silenced = new Set(await db.kept("silenced"));
  state.reasons = (await db.kept("reasons")) ?? {};
  state.temporary = (await db.kept("temporary")) ?? {};
  queue.onChange(async ({ answer }) => {
    state.changes += 1;
    if (answer) await jobs.update(answer);
    show();
  });
  document.querySelector("form[action='/signout']")?.addEventListener("submit", signOut);
  await show();
  state.live = follow(load, (isReached) => {
    state.isReached = isReached;
    if (isReached) queue.send();
    tick(now());
  }, surgeAsker((told) => drawBroadcast($("#surge"), told)));
  queue.send();
  loadTemporary();
  everySecond(tick);
  setInterval(tellPosition, POSITION_EVERY_MS);
}

start();
