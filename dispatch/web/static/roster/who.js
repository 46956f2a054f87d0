// Who is responsible for a place at a time, who is next, who stands above, and why.
import { get } from "../common/api.js";
import { $, fill, h } from "../common/dom.js";
import { t } from "../common/page.js";
import { pairOf } from "../common/pair.js";
import { fromField } from "./days.js";

let asking = 0;

export function who() {
  $("#who").addEventListener("submit", ask);
}

async function ask(event) {
  event.preventDefault();
  const place = $("#place").value.trim();
  const pair = pairOf(place);
  const at = $("#at").value;
  const where = pair ? { lon: pair[0], lat: pair[1], datum: $("#datum").value } : { address: place };
  fault(place ? "" : t("roster.need_place"));
  if (!place) return;
  const turn = ++asking;
  fill($("#answer"), t("common.loading"));
  try {
    const told = await get("/duty", { ...where, at: at && fromField(at) });
    if (turn === asking) fill($("#answer"), answer(told));
  } catch (problem) {
    if (turn !== asking) return;
    fill($("#answer"));
    fault(problem.message);
  }
}

function fault(words) {
  $("#who-fault").textContent = words;
  $("#who-fault").hidden = !words;
  if (!words) {
    $("#place").removeAttribute("aria-invalid");
    return;
  }
  $("#place").setAttribute("aria-invalid", "true");
  $("#place").focus();
}

function answer(told) {
  const from = told.roster ? [told.roster.name, " ", told.roster.is_sample && h("span.chip", {}, t("roster.sample"))] : t("roster.by_team");
  return [h("p", {}, h("b", {}, told.at_text), ` ${told.place_reason} · `, from),
    told.responsible ? h("ol.chain", {}, one("responsible", told.responsible), told.backup && one("backup", told.backup), told.above.map((step) => one("above", step))) : h("p.hole", {}, t("roster.no_team"))];
}

function one(place, { name, unit, reason, passed_over }) {
  return h("li", {}, h("span.soft", {}, t(`roster.${place}`)), name ? h("b", {}, name) : h("b.hole", {}, t("roster.nobody")), h("span", {}, unit),
    h("span", {}, reason), passed_over.length > 0 && h("ul.small", {}, passed_over.map((passed) => h("li", {}, t("roster.passed", passed)))));
}
