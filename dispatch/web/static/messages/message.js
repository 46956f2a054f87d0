// The page behind the link of a message: what it is about, and one large button. Looking at it answers nothing.
import { get, post } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { page, t } from "/static/common/page.js";
import { facts } from "./facts.js";

const box = $("#message");
const path = `/public/alerts/${encodeURIComponent(page.data.token)}`;
get(path).then(show, (problem) => fill(box, h("p.fault", { role: "alert" }, problem.message)));

function show(one) {
  const fault = h("p.fault", { role: "alert", hidden: true });
  const answer = async () => {
    try {
      show(await post(`${path}/acknowledge`, {}));
    } catch (problem) {
      fault.hidden = false;
      fault.textContent = problem.message;
    }
  };
  fill(box, h("p.what", { lang: "zh-CN" }, one.text), h("p", {}, t("messages.to", { name: one.name })), facts(one), fault,
    one.acknowledged_at ? h("p", { role: "status" }, t("messages.done")) : h("button.primary", { type: "button", onclick: answer }, t("messages.answer")),
    h("p.small", {}, h("a", { href: "/messages" }, t("messages.all"))));
}
