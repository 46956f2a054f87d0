// The tickets behind a figure, under the table.
import { get } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { t } from "../common/page.js";
import { dateTime } from "../common/time.js";

let more = null;

/** List what is behind a figure; `label` says whose it is. */
export async function list(query, label, clock = null) {
  const rows = [];
  const load = async (after) => {
    const { items, total, next } = await get("/figures/tickets", { ...query, ...(clock && { clock, which: "late" }), after, limit: 50 });
    rows.push(...items.map(row));
    $("#behind-title").textContent = clock ? t("figures.behind_late", { label, clock: t(`clock.${clock}`), total }) : t("figures.behind_all", { label, total });
    const heads = ["figures.number", "board.received", "board.by_level", "board.by_category", "board.by_zone", "figures.place"];
    fill($("#behind-list"), h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, t(head))))), h("tbody", {}, rows)));
    more = next && (() => load(next));
    $("#behind-more").hidden = !next;
    $("#behind").hidden = false;
  };
  try {
    await load(0);
    $("#behind-title").focus();
  } catch (problem) {
    toast(problem.message, { kind: "error" });
  }
}

const row = (ticket) => h("tr", {}, h("th", { scope: "row" }, ticket.number),
  [dateTime(ticket.received_at), ticket.level, ticket.category_label, ticket.zone_id ?? t("board.no_group"), ticket.address].map((text) => h("td", {}, text)));

$("#behind-more").addEventListener("click", () => more?.());
