// The policy: versions, the editor, what it says in words, what it would have done to the last 90 days, publishing.
import { get, post } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { page, t } from "../common/page.js";
import { dateTime } from "../common/time.js";
import { uuid } from "../common/uuid.js";
import { editor } from "./editor.js";
import { listen } from "./fields.js";

const PAUSE_MS = 400;
const language = page.lang === "zh" ? "zh" : "en";
let draft = null;
let said = new Set();
let timer = null;
let trying = 0;
let key = uuid();

async function showVersions() {
  const told = await get("/policies");
  const line = (one) => h("tr", {}, h("th", { scope: "row" }, one.version, one.is_current && h("span.chip", {}, t("policies.current"))),
    h("td", {}, dateTime(one.valid_from)), h("td", {}, one.author || t("policies.from_file")), h("td", {}, one.reason || "–"),
    h("td", {}, h("button", { type: "button", "aria-label": t("policies.open_one", { name: one.version }), onclick: () => open(one.version).catch(say) }, t("policies.open"))));
  const heads = ["version", "valid_from", "author", "why", "act"].map((name) => h("th", { scope: "col" }, t(`policies.head_${name}`)));
  fill($("#versions"), h("table", {}, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, told.items.map(line))));
  return told.current ?? told.items[0]?.version;
}

async function open(version) {
  const told = await get(`/policies/${encodeURIComponent(version)}`);
  said = new Set(told.preview.map((one) => one[language]));
  await edit(told.policy, version);
}

async function edit(policy, version) {
  draft = policy;
  key = uuid();
  const take = async (whole) => {
    const { problems: [first], preview } = await post("/policy-check", { policy: whole });
    if (!preview.length) throw new Error(`${first.field}: ${first.detail}`);
    await edit(whole, version);
    toast(t("policies.whole_taken"));
  };
  fill($("#editor"), h("p", {}, t("policies.based_on", { version })), editor(draft, take));
  fill($("#past"));
  await check();
}

async function check() {
  const asked = draft;
  const { problems, preview } = await post("/policy-check", { policy: draft });
  if (asked !== draft) return;
  fill($("#problems"), problems.length ? h("ul", {}, problems.map((one) => h("li", {}, h("button", { type: "button", onclick: () => lead(one.field) }, `${one.field}: ${one.detail}`)))) : h("p", {}, t("policies.sound")));
  // What is new comes first: there are more sentences than fit.
  const told = preview.map((one) => one[language]).sort((one, other) => said.has(one) - said.has(other));
  if (told.length) fill($("#preview"), told.map((one) => h("li", { class: said.has(one) ? "" : "is-new" }, one)));
}

/** Lead to the field that is meant, or to the nearest one around it. */
function lead(place) {
  const fields = [...document.querySelectorAll("[data-place]")];
  const found = fields.find((one) => one.dataset.place === place) ?? fields.find((one) => one.dataset.place.startsWith(place));
  if (!found) return;
  for (let around = found.closest("details"); around; around = around.parentElement.closest("details")) around.open = true;
  found.scrollIntoView({ block: "center" });
  found.focus();
}

function say(problem) {
  toast(problem.message, { kind: "error" });
}

async function tryOnThePast() {
  const run = ++trying;
  const sum = { tickets: 0, before: 0, after: 0, total: 0, rows: new Map() };
  const bar = $("#progress");
  bar.hidden = false;
  bar.value = 0;
  try {
    for (let after = 0; after !== null && run === trying;) {
      const told = await post("/policy-dry-run", { policy: draft, after });
      sum.total = told.total ?? sum.total;
      for (const name of ["tickets", "before", "after"]) sum[name] += told[name];
      for (const row of told.rows) {
        const known = sum.rows.get(`${row.level} ${row.clock}`) ?? { before: 0, after: 0 };
        sum.rows.set(`${row.level} ${row.clock}`, { ...row, before: known.before + row.before, after: known.after + row.after });
      }
      bar.value = sum.total ? sum.tickets / sum.total : 1;
      after = told.next;
    }
    if (run === trying) fill($("#past"), result(sum));
  } finally {
    if (run === trying) bar.hidden = true;
  }
}

function result(sum) {
  const rows = [...sum.rows.values()].filter((row) => row.before || row.after);
  return [
    h("p.result", {}, t("policies.result", { after: sum.after, before: sum.before, tickets: sum.tickets })),
    rows.length > 0 && h("table", {}, h("thead", {}, h("tr", {}, ["clock", "before", "after"].map((name) => h("th", { scope: "col" }, t(`policies.head_${name}`))))),
      h("tbody", {}, rows.map((row) => h("tr", {}, h("th", { scope: "row" }, `${row.level} ${t(`clock.${row.clock}`)}`), h("td", {}, row.before), h("td", {}, row.after))))),
  ];
}

async function publish(event) {
  event.preventDefault();
  const reason = $("#reason").value.trim();
  fault(reason ? "" : t("policies.need_reason"));
  if (!reason) {
    $("#reason").focus();
    return;
  }
  const since = $("#since").value;
  try {
    const head = await post("/policies", { policy: draft, reason, valid_from: since ? `${since}:00+08:00` : null }, { key });
    key = uuid();
    $("#reason").value = "";
    toast(t("policies.published", { version: head.version }));
    await showVersions();
    await open(head.version);
  } catch (problem) {
    fault(problem.message);
  }
}

function fault(words) {
  $("#fault").textContent = words;
  $("#fault").hidden = !words;
}

listen(() => {
  clearTimeout(timer);
  key = uuid();
  timer = setTimeout(() => check().catch(say), PAUSE_MS);
});
$("#try").addEventListener("click", () => tryOnThePast().catch(say));
$("#publish").addEventListener("submit", publish);
showVersions().then(open).catch(say);
