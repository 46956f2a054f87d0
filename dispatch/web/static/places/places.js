// Addresses: tables that staff import, what confirmed tickets have taught, and what contradicts itself; all can be taken out.
import { get, post, postBytes } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { now, t } from "../common/page.js";
import { shortTime } from "../common/time.js";

const PAGE = 50;
const at = ({ lon, lat }) => (lon === null ? "–" : `${lon.toFixed(5)}, ${lat.toFixed(5)}`);
const LEARNED = {
  heads: ["address", "where", "confirmed", "last"],
  cells: (one) => [one.key, `${one.district} ${at(one)}`, t("places.tickets", { count: one.count }), `${one.last_ticket} ${shortTime(one.last_at, now())}`],
};
const IMPORTED = {
  heads: ["address", "where", "leads_to", "source"],
  cells: (one) => [one.name, [one.district, one.street, one.community, at(one)].filter(Boolean).join(" "), one.zone_id || one.target || "–", one.source],
};

/** A list that is read page by page, each line of which can be taken out. */
function list(name, { heads, cells }, query) {
  let next = 0;
  const body = h("tbody");
  const table = h("table", {}, h("thead", {}, h("tr", {}, [...heads, "act"].map((head) => h("th", { scope: "col" }, t(`places.head_${head}`))))), body);

  async function more() {
    const told = await get(`/places/${name}`, { ...query(), after: next, limit: PAGE });
    next = told.next ?? 0;
    body.append(...told.items.map(line));
    fill($(`#${name}`), body.children.length ? table : h("p.soft", {}, t("places.none")));
    $(`#${name}-more`).hidden = told.next === null;
  }

  function line(one) {
    const [first, ...others] = cells(one);
    return h("tr", {}, h("th", { scope: "row" }, first), others.map((cell) => h("td", {}, cell)),
      h("td", {}, h("button", { type: "button", "aria-label": t("places.remove_one", { name: first }), onclick: () => drop(one, first) }, t("places.remove"))));
  }

  async function drop(one, label) {
    try {
      await post(`/places/${name}/${one.id}/remove`);
      reload(); // what it contradicted may be in use again
      toast(t("places.removed", { name: label }));
    } catch (problem) {
      toast(problem.message, { kind: "error" });
    }
  }

  function reload() {
    next = 0;
    fill(body);
    more().catch((problem) => toast(problem.message, { kind: "error" }));
  }

  $(`#${name}-more`).addEventListener("click", () => more().catch((problem) => toast(problem.message, { kind: "error" })));
  return reload;
}

const reloadLearned = list("learned", LEARNED, () => ($("#disputed").checked ? { is_disputed: true } : {}));
const reloadImported = list("imported", IMPORTED, () => ({}));

$("#disputed").addEventListener("change", reloadLearned);
$("#import").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = $("#file").files;
  const missing = !file ? "file" : !$("#datum").value ? "datum" : null;
  if (missing) {
    say(t(`places.need_${missing}`));
    $(`#${missing}`).focus();
    return;
  }
  fill($("#report"), t("common.loading"));
  try {
    const query = new URLSearchParams({ datum: $("#datum").value, source: file.name.slice(0, 200) });
    const { taken, refused } = await postBytes(`/places/import?${query}`, await file.arrayBuffer());
    say("");
    fill($("#report"), h("p", {}, t("places.taken", { count: taken, refused: refused.length })),
      refused.length > 0 && h("ul", {}, refused.map(({ row, reason }) => h("li", {}, t("places.row", { row }), reason))));
    reloadImported();
  } catch (problem) {
    fill($("#report"));
    say(problem.message);
  }
});

function say(text) {
  $("#fault").hidden = !text;
  $("#fault").textContent = text;
}

reloadLearned();
reloadImported();
