// The switch of Web Push, where the installation and the phone can do it.
import { $, toast } from "/static/common/dom.js";
import { t } from "/static/common/page.js";
import { state, subscribe, unsubscribe } from "/static/common/push.js";

const button = $("#bell");

state().then(show, () => show("none")); // without signal there is nothing to switch
button.addEventListener("click", async () => {
  button.disabled = true;
  try {
    show(await (button.dataset.state === "on" ? unsubscribe() : subscribe()));
  } catch (error) {
    toast(error.message, { kind: "error" });
  } finally {
    button.disabled = false;
  }
});

function show(now) {
  button.dataset.state = now;
  button.hidden = now === "none";
  button.textContent = t(now === "on" ? "crew.push_off" : now === "denied" ? "crew.push_denied" : "crew.push_on");
}
