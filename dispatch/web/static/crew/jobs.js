// The work of the crew: what the server last told, kept on the phone, with what waits to be sent laid over it.
import { get } from "/static/common/api.js";
import { inForce } from "/static/common/outages.js";
import { now, page, setNow, t } from "/static/common/page.js";
import * as db from "./db.js";

const { rules, next } = page.data;
let known = null;

/** Bring back what was kept, and the server's clock with it: a page from the cache knows only an old one. */
export async function restore() {
  const stored = await db.kept("jobs");
  if (stored?.user !== page.user.id) return;
  known = stored;
  setNow(new Date(Date.now() + stored.ahead_ms).toISOString());
}

/** Ask the server; throws where it cannot be asked. `isStill()` says whether the answer is to be believed. */
export async function load(isStill) {
  const [{ items, server_time }, { items: outages }] = await Promise.all([get("/crew/jobs"), get("/public/outages")]);
  setNow(server_time);
  if (!isStill()) return;
  const seen = new Map((known?.items ?? []).map((job) => [job.number, job]));
  const newest = items.map((job) => (seen.get(job.number)?.version > job.version ? { ...job, ...seen.get(job.number) } : job));
  await keep(newest, inForce(outages));
}

async function keep(items, outages) {
  known = { user: page.user.id, items, outages, at: now(), ahead_ms: now() - Date.now() };
  await db.keep("jobs", known);
}

/** Take over what the server answered to a step. */
export async function update(ticket) {
  if (!known) return;
  const items = known.items.map((job) => (job.number === ticket.number ? { ...job, ...ticket, next: job.is_own ? next[ticket.status] : null } : job));
  known = { ...known, items };
  await db.keep("jobs", known);
}

/** Drop what was kept: somebody signs out. */
export function forget() {
  return db.write(({ kept }) => { kept.delete("jobs"); });
}

/** When the server last told the whole list, in its own time; null where it never did. */
export const toldAt = () => known?.at ?? null;

/** Return the jobs as they are once everything that waits has arrived. */
export function current(queue) {
  const outages = known?.outages ?? []; // a kept copy may be older than these
  const within = (job) => outages.filter(({ zone_ids }) => zone_ids.includes(job.zone_id));
  return (known?.items ?? []).map((job) => queue.filter((item) => item.number === job.number && item.state === "waiting").reduce(after, { ...job, outages: within(job), pending: 0, ownPhotos: [] }));
}

function after(job, item) {
  const pending = job.pending + 1;
  if (item.kind === "photo") return { ...job, pending, ownPhotos: [...job.ownPhotos, item] };
  if (item.kind === "request") return { ...job, pending, asked: [...job.asked, item.verb] };
  const rule = rules[item.verb];
  if (!rule.sources.includes(job.status)) return { ...job, pending };
  const status = rule.target ?? job.status;
  const met = (clock) => clock.kind === rule.meets && clock.round === job.round && !clock.met_at && clock.state !== "void";
  const clocks = job.clocks.map((clock) => (met(clock) ? { ...clock, met_at: item.device_at, state: "met" } : clock));
  return { ...job, pending, status, status_label: t(`status.${status}`), clocks, next: job.is_own ? next[status] : null };
}

/** Whether a verb fits the job as it stands. */
export const fits = (job, verb) => rules[verb].sources.includes(job.status);
