// Below the map: what crews ask for, and how loaded each team is.
import { $, fill, h } from "../common/dom.js";
import { t } from "../common/page.js";
import { requestText } from "./detail.js";
import { takesTickets } from "./drag.js";

export function drawRequests(requests, onOpen) {
  const line = (request) => h("li.row", {}, h("button.quiet", { type: "button", onclick: () => onOpen(request.number) }, request.number), h("span", {}, requestText(request)));
  fill($("#requests"), requests.length ? requests.map(line) : h("li.soft", {}, t("board.no_requests")));
}

/** Teams with work or people first, the most loaded on top; each bar is a share of the greatest load. `onDrop(team, ticket)`. */
export function drawTeams(teams, onDrop) {
  const most = Math.max(1, ...teams.map(({ open }) => open));
  const sorted = [...teams].sort((a, b) => b.breached - a.breached || b.open - a.open || b.on_shift - a.on_shift || (a.team_id < b.team_id ? -1 : 1));
  const row = (team) => {
    const line = teamRow(team, most);
    takesTickets(line, (number) => onDrop(team.team_id, number));
    return line;
  };
  const heads = [t("board.team"), t("common.branch"), t("board.zones"), t("board.open"), t("board.breached"), t("board.on_shift")];
  fill($("#teams"), h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, sorted.map(row))));
}

const teamRow = ({ team_id, name, branch, zone_ids, open, breached, on_shift }, most) => h("tr", { dataset: { team: team_id } },
  h("th", { scope: "row" }, name), h("td", {}, branch ?? "–"), h("td", {}, zone_ids.join(", ") || "–"),
  h("td.load", {}, h("span.load-bar", { "aria-hidden": "true", style: { width: `${(open / most) * 60}%` } }), " ", String(open)),
  h("td", {}, breached ? h("span.sla", { dataset: { sla: "breached" } }, `■ ${breached}`) : "0"), h("td", {}, String(on_shift)));
