// A place that is typed or pasted: "112.944440, 28.115325".
import { h } from "../common/dom.js";
import { t } from "../common/page.js";
import { pairOf } from "../common/pair.js";

/** Return a field for a place with a button; `take` gets what is typed. */
export function pairField(id, label, take, value = "") {
  const input = h("input", { id, value, autocomplete: "off", "aria-describedby": `${id}-fault` });
  const fault = h("p.fault.small", { id: `${id}-fault`, hidden: true }, t("zones.pair_bad"));
  const go = () => {
    const pair = pairOf(input.value);
    input.setAttribute("aria-invalid", String(pair === null));
    fault.hidden = pair !== null;
    if (pair) take(pair);
    else input.focus();
  };
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !input.value.trim()) return;
    event.preventDefault();
    event.stopPropagation();
    go();
  });
  return h("div.pair", {}, h("label", { for: id }, t("zones.pair")), h("div.row", {}, input, h("button", { type: "button", onclick: go }, label)), fault);
}
