// Alt+G: the geocoders on the network are asked where the address is; what they give is taken like any other meaning.
import { get } from "/static/common/api.js";
import { $ } from "/static/common/dom.js";
import { page, t } from "/static/common/page.js";
import { offer } from "./candidates.js";
import { draft } from "./draft.js";

let turn = 0;

/** Whether there are any. */
export const isOn = page.data.is_online;

/** Ask about the address as it is typed. */
export async function ask() {
  const q = $("#address").value.trim().slice(0, 200);
  if (draft.is_sending) return;
  if (!q) return say(t("agent.online_no_address"));
  const mine = ++turn;
  say(t("agent.online_asking"));
  try {
    const { items, said } = await get("/places/online", { q });
    if (mine !== turn || draft.is_sending || $("#address").value.trim().slice(0, 200) !== q) return;
    offer(items.map((one) => ({ ...one, is_online: true })), said.map(({ label, words }) => `${label}: ${words}`).join("; "));
  } catch (error) {
    if (mine === turn) say(error.message);
  }
}

function say(text) {
  $("#address-note").textContent = text;
}
