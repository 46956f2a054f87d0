// Customers with flags: a table comes in, each line can be looked at for a reason, or taken out.
import { get, post, postBytes } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { t } from "../common/page.js";
import { say } from "./detail.js";

const PAGE = 50;
const body = h("tbody");
let next = 0;

const told = (problem) => toast(problem.message, { kind: "error" });

async function more() {
  const page = await get("/customers", { after: next, limit: PAGE });
  next = page.next ?? 0;
  body.append(...page.items.map(line));
  const heads = ["flag", "name", "phone", "address", "until", "act"].map((head) => h("th", { scope: "col" }, t(`customers.head_${head}`)));
  const table = h("table", {}, h("thead", {}, h("tr", {}, heads)), body);
  fill($("#customers"), body.children.length ? table : h("p.soft", {}, t("customers.none")));
  $("#customers-more").hidden = page.next === null;
}

function reload() {
  next = 0;
  fill(body);
  more().catch(told);
}

const place = (one) => [one.address, one.lon !== null && `${one.lon.toFixed(5)}, ${one.lat.toFixed(5)}`, one.radius_m && t("customers.within", { radius: one.radius_m })].filter(Boolean).join(" ");

function line(one) {
  const shown = h("td", {}, one.phone ?? "–");
  const where = h("td", {}, place(one));
  return h("tr", {}, h("td", {}, h("span.chip", {}, one.flag_label)), h("th", { scope: "row" }, one.name), shown, where, h("td", {}, one.valid_until ?? "–"),
    h("td", {}, h("div.row", {},
      h("button", { type: "button", "aria-label": t("customers.reveal_one", { name: one.name }), onclick: (event) => ask(event.target, one, shown, where) }, t("customers.reveal")),
      h("button", { type: "button", "aria-label": t("customers.remove_one", { name: one.name }), onclick: () => drop(one) }, t("customers.remove")))));
}

/** Ask for the reason in the line itself, then show what is personal. */
function ask(button, one, shown, where) {
  const reason = h("input", { maxlength: 200, autocomplete: "off" });
  const form = h("form", { novalidate: true }, h("label", {}, t("customers.reason"), " ", reason), h("p.fault", { role: "alert", hidden: true }), h("button", {}, t("customers.reveal")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const { phone, address, contact } = await post(`/customers/${one.id}/reveal`, { reason: reason.value });
      fill(shown, [phone, contact].filter(Boolean).join(" · ") || "–");
      fill(where, address || place(one));
      form.remove();
    } catch (problem) {
      say(form, problem.message);
    }
  });
  button.closest("td").append(form);
  button.remove();
  reason.focus();
}

async function drop(one) {
  try {
    await post(`/customers/${one.id}/remove`);
    toast(t("customers.removed", { name: one.name }));
    reload();
  } catch (problem) {
    told(problem);
  }
}

$("#customers-more").addEventListener("click", () => more().catch(told));
$("#import").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = $("#file").files;
  if (!file) return say(event.target, t("customers.need_file"));
  try {
    const query = new URLSearchParams({ datum: $("#datum").value, source: file.name.slice(0, 200) });
    const { taken, replaced, refused } = await postBytes(`/customers/import?${query}`, await file.arrayBuffer());
    say(event.target, "");
    fill($("#report"), h("p", {}, t("customers.taken", { count: taken, replaced, refused: refused.length })),
      refused.length > 0 && h("ul", {}, refused.map(({ row, reason }) => h("li", {}, t("customers.row", { row }), reason))));
    return reload();
  } catch (problem) {
    return say(event.target, problem.message);
  }
});
reload();
