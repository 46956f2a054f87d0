// Rosters: workbooks in and out, what is wrong or odd with them, the hours without anybody, and publishing.
import { get, post, postBytes, remove } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { now, t } from "../common/page.js";
import { dateTime } from "../common/time.js";
import { fromField, toField } from "./days.js";

// The four weeks that are looked at begin now, so that a hole to their end grows while somebody reads.
const SLACK_MS = 10 * 60_000;
let changed = () => {};

/** Set the list and the form up; `onChange` is run once another roster holds. */
export function rosters(onChange) {
  changed = onChange;
  $("#import").addEventListener("submit", send);
  reload();
}

const say = (problem) => toast(problem.message, { kind: "error" });
const reload = () => list().catch(say);

async function list() {
  const { items } = await get("/rosters");
  const heads = ["name", "state", "open_h", "made_by", "act"].map((head) => h("th", { scope: "col" }, t(`roster.head_${head}`)));
  fill($("#rosters"), items.length ? h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, items.map(line))) : h("p", {}, t("roster.none_yet")));
}

function line(one) {
  const act = (word, run, name = t("roster.act_one", { act: t(word), name: one.name })) => h("button", { type: "button", "aria-label": name, onclick: run }, t(word));
  return h("tr", {}, h("th", { scope: "row" }, one.name, " ", one.is_sample && h("span.chip", {}, t("roster.sample"))), h("td", {}, state(one)),
    h("td", {}, one.uncovered_h ?? "–"), h("td", {}, `${one.published_by ?? one.made_by} ${dateTime(one.published_at ?? one.made_at)}`, one.note && h("div.small.soft", {}, one.note)),
    h("td", {}, h("div.row", {}, act(one.valid_from ? "roster.show" : "roster.show_draft", () => open(one.id).catch(say)),
      h("a.button", { href: `/api/v1/rosters/${one.id}/roster.xlsx`, download: "", "aria-label": t("roster.act_one", { act: t("roster.download"), name: one.name }) }, t("roster.download")),
      !one.valid_from && act("roster.drop", () => drop(one)))));
}

function state(one) {
  if (!one.valid_from) return t("roster.draft");
  const word = one.is_live ? "roster.live" : Date.parse(one.valid_from) > now() ? "roster.coming" : "roster.past";
  return t(word, { from: dateTime(one.valid_from) });
}

async function send(event) {
  event.preventDefault();
  const [file] = $("#file").files;
  const missing = !$("#name").value.trim() ? "name" : !file ? "file" : null;
  mistakes(missing ? t(`roster.need_${missing}`) : "", []);
  if (missing) {
    $(`#${missing}`).focus();
    return;
  }
  fill($("#draft"), t("common.loading"));
  try {
    const told = await postBytes(`/roster-import?${new URLSearchParams({ name: $("#name").value.trim() })}`, await file.arrayBuffer());
    $("#import").reset();
    draw(told);
    reload();
  } catch (problem) {
    fill($("#draft"));
    mistakes(problem.message, problem.findings ?? []);
  }
}

function mistakes(words, findings) {
  $("#import-fault").textContent = words;
  $("#import-fault").hidden = !words;
  $("#mistakes").hidden = !findings.length;
  fill($("#mistakes"), findings.map((one) => h("li", {}, one.text)));
}

async function open(id) {
  draw(await get(`/rosters/${id}`));
}

async function drop(one) {
  try {
    await remove(`/rosters/${one.id}`);
    fill($("#draft"));
    toast(t("roster.dropped", { name: one.name }));
  } catch (problem) {
    say(problem);
  }
  reload();
}

/** A roster: what is odd about it, the hours of four weeks without anybody, and, for a draft, how it comes to hold. */
function draw(told) {
  const open = h("div", { role: "status" });
  const names = new Map(told.body.units.map((unit) => [unit.id, unit.name]));
  fill(open, uncovered(told, names));
  fill($("#draft"), h("h3", {}, told.name, " ", told.is_sample && h("span.chip", {}, t("roster.sample")), h("span.soft.small", {}, ` ${state(told)}`)),
    told.findings.length > 0 && [h("p", {}, t("roster.odd")), h("ul.mistakes", {}, told.findings.map((one) => h("li", {}, one.text)))],
    h("p.soft", {}, t("roster.looked_at", { from: dateTime(told.checked_from), to: dateTime(told.checked_to) })), open,
    !told.valid_from && form(told, (problem) => fill(open, uncovered({ ...problem, hole_count: problem.holes.length }, names))));
  $("#draft").focus();
}

function uncovered(told, names) {
  if (!told.holes.length) return h("p.whole", {}, t("roster.no_open"));
  const heads = ["unit", "from", "to", "zones", "zone_hours"].map((head) => h("th", { scope: "col" }, t(`roster.head_${head}`)));
  const row = (one) => h("tr", {}, h("th", { scope: "row" }, names.get(one.unit_id) ?? one.unit_id), h("td", {}, dateTime(one.start_at)), h("td", {}, dateTime(one.end_at)), h("td", {}, one.zone_ids.join(", ")), h("td", {}, one.zone_hours));
  return [h("p.hole", {}, t("roster.zone_hours", { hours: told.zone_hours, count: told.hole_count })),
    h("div.scroll", { tabindex: 0, role: "group", "aria-label": t("roster.open_list") }, h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, told.holes.map(row)))),
    told.hole_count > told.holes.length && h("p", {}, t("roster.not_all", { count: told.holes.length }))];
}

function form(told, show) {
  let seen = told.holes;
  const since = h("input", { id: "since", type: "datetime-local", value: toField(now()) });
  const note = h("input", { id: "publish-note", maxlength: 200, autocomplete: "off" });
  const accept = h("input", { id: "accept", type: "checkbox" });
  const accepting = h("label.check", {}, accept, t("roster.accept"));
  const fault = h("p.fault", { id: "publish-fault", role: "alert", hidden: true });
  const complain = (words) => { fault.textContent = words; fault.hidden = !words; };
  accepting.hidden = !told.holes.length;

  /** What was not shown is not accepted: another beginning may have other holes. */
  function isSeen(hole) {
    const at = Date.parse;
    return seen.some((one) => one.unit_id === hole.unit_id && at(one.start_at) <= at(hole.start_at) && at(hole.end_at) <= at(one.end_at) + SLACK_MS);
  }

  async function publish(event) {
    event.preventDefault();
    complain("");
    const body = { valid_from: since.value ? fromField(since.value) : new Date(now()).toISOString(), note: note.value.trim() };
    try {
      await post(`/rosters/${told.id}/publish`, { ...body, accepts_holes: false }).catch((problem) => {
        if (problem.code !== "roster-holes" || !accept.checked || !problem.holes.every(isSeen)) throw problem;
        return post(`/rosters/${told.id}/publish`, { ...body, accepts_holes: true });
      });
      fill($("#draft"));
      toast(t("roster.published", { name: told.name, from: dateTime(body.valid_from) }));
      reload();
      changed();
    } catch (problem) {
      complain(problem.message);
      if (problem.code !== "roster-holes") return;
      seen = problem.holes;
      show(problem);
      accepting.hidden = accept.checked = false;
    }
  }

  return h("form.line", { id: "publish", novalidate: true, onsubmit: publish },
    h("div", {}, h("label", { for: "since" }, t("roster.since")), since), h("div.wide", {}, h("label", { for: "publish-note" }, t("roster.note")), note),
    h("div", {}, h("button.primary", {}, t("roster.publish"))), accepting, fault);
}
