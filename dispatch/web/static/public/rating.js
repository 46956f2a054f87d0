// One to five stars and a few words, once for each round of work.
import { post } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { t } from "/static/common/page.js";
import { clearFault, inWords, showFault } from "./faults.js";

const box = $("#rating");
let shown = "";

/** Show the form, or what was said; what somebody is writing is left alone. */
export function showRating(told, path, look) {
  const wanted = told.can_rate ? "form" : told.rating ? `${told.rating.round} ${told.rating.stars}` : "";
  if (wanted === shown) return;
  shown = wanted;
  box.hidden = !wanted;
  const title = h("h2", { id: "rate-title", tabindex: "-1" }, told.can_rate ? t("public.rate") : t("public.rated", { n: told.rating?.stars ?? "" }));
  if (told.can_rate) fill(box, title, form(path, look));
  else if (told.rating) fill(box, title, h("p.stars-said", { "aria-hidden": "true" }, "★".repeat(told.rating.stars) + "☆".repeat(5 - told.rating.stars)), told.rating.words && h("p", {}, told.rating.words));
}

function form(path, look) {
  const fault = h("p.fault", { role: "alert", hidden: true });
  const words = h("textarea", { id: "words", rows: "2", maxlength: "500" });
  const stars = [1, 2, 3, 4, 5].map((n) => h("label.star", {},
    h("input.sr", { type: "radio", name: "stars", value: String(n), onchange: () => paint(stars, n) }),
    h("span", { "aria-hidden": "true" }, "★"), h("span.sr", {}, t("public.star", { n }))));
  return h("form.stack", { novalidate: true, onsubmit: (event) => submit(event, fault, words, path, look) },
    h("fieldset", {}, h("legend", {}, t("public.stars")), h("div.star-row", {}, stars)),
    h("div", {}, h("label", { for: "words" }, t("public.words")), words),
    fault, h("button.primary", {}, t("public.rate_send")));
}

function paint(stars, chosen) {
  for (const [n, star] of stars.entries()) star.classList.toggle("is-given", n < chosen);
}

async function submit(event, fault, words, path, look) {
  event.preventDefault();
  const chosen = $("input[name=stars]:checked", event.target);
  if (!chosen) return showFault(fault, t("public.fault_stars"), $("input[name=stars]", event.target));
  clearFault(fault);
  try {
    await post(`${path}/rating`, { stars: Number(chosen.value), words: words.value.trim() });
    await look();
    $("#rate-title").focus();
  } catch (error) {
    showFault(fault, inWords(error));
  }
}
