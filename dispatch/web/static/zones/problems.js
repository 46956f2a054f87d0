// What is wrong with a draft: a list with areas beside the map; each opens to what mends it.
import { $, fill, h } from "../common/dom.js";
import { t, tOr } from "../common/page.js";
import { zoneReason } from "../common/said.js";
import { areaText } from "./geometry.js";

const MOST = 200;

export class Problems {
  current = null;
  #element;
  #told;
  #problems = [];

  /** @param {{onOpen(problem), onFix(op), onZone(id)}} told */
  constructor(element, told) {
    this.#element = element;
    this.#told = told;
  }

  draw(problems) {
    const before = this.#problems.indexOf(this.current);
    const isOpen = before >= 0;
    this.#problems = problems;
    // After a fix the one that takes its place is next; it is not opened, since the map would jump.
    const same = isOpen && problems.find((one) => keyOf(one) === keyOf(this.current));
    this.current = same || null;
    const grave = graveOf(problems).length;
    $("#problem-count").textContent = grave || `✓ ${t("zones.no_problems")}`;
    const hadFocus = this.#element.contains(document.activeElement);
    this.#show();
    if (hadFocus && !same) (this.#element.querySelectorAll(".problem")[Math.min(before, problems.length - 1)] ?? $("#problems-title")).focus();
  }

  #show() {
    const rest = this.#problems.length - MOST;
    fill(this.#element, this.#problems.slice(0, MOST).map((problem) => this.#row(problem)),
      rest > 0 && h("li.soft", {}, t("zones.more_problems", { count: rest })));
  }

  #row(problem) {
    const isOpen = problem === this.current;
    const name = [tOr(`zone_problem.${problem.kind}`, problem.label), problem.area_m2 > 0 && areaText(problem.area_m2)].filter(Boolean).join(" · ");
    return h("li", {},
      h("button.problem", { type: "button", "aria-expanded": String(isOpen), onclick: () => this.open(isOpen ? null : problem) },
        h("b", {}, name), !problem.is_grave && h("span.chip", {}, t("zones.not_grave")), h("span.small", {}, problem.zone_ids.join(" / "))),
      isOpen && h("div.fixes", {}, h("p.small", {}, zoneReason(problem, areaText(problem.area_m2))), h("div.row", {}, this.#fixes(problem))));
  }

  open(problem) {
    this.current = problem;
    const n = this.#problems.indexOf(problem);
    this.#show();
    if (n >= 0) this.#element.querySelectorAll(".problem")[n]?.focus();
    this.#told.onOpen(problem);
  }

  /** Open the next one. */
  next() {
    if (!this.#problems.length) return;
    this.open(this.#problems[(this.#problems.indexOf(this.current) + 1) % Math.min(this.#problems.length, MOST)]);
  }

  #fixes(problem) {
    const ids = problem.zone_ids;
    const button = (label, run) => h("button", { type: "button", onclick: run }, label);
    if (problem.kind === "overlap") {
      return ids.map((id) => button(t("zones.give_to", { zone: id }), () => this.#told.onFix({ op: "give_overlap", zone_ids: ids, to: id })));
    }
    if (problem.kind === "gap") {
      return ids.map((id) => button(t("zones.fill_into", { zone: id }), () => this.#told.onFix({ op: "fill_gap", geometry: problem.geometry, to: id })));
    }
    return ids.slice(0, 4).map((id) => button(t("zones.open_zone", { zone: id }), () => this.#told.onZone(id)));
  }
}

/** Those that stand in the way of publishing. */
export const graveOf = (problems) => problems.filter((problem) => problem.is_grave);

const keyOf = ({ kind, zone_ids, area_m2 }) => `${kind} ${zone_ids} ${Math.round(area_m2)}`;
