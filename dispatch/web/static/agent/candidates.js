// Meanings of the address while it is typed: ↑ and ↓ choose among those with a place, Enter takes one, Escape closes.
import { get } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { isComposing } from "/static/common/keys.js";
import { t } from "/static/common/page.js";
import { draft } from "./draft.js";
import { isMissed } from "./missed.js";

const PAUSE_MS = 200;
const SHOWN = 5;
const EXACT = ["room", "number"];
// Of an online answer that somebody takes the crew's arrival says whether it was the place: it may be the whole estate.
const CONFIRMED = [...EXACT, "estate"];
let timer;
let asked = 0;
let items = [];
let active = -1;
let onPick = () => {};

/** Wire the address field; `picked(candidate)` gets the one that is taken. */
export function wire(picked) {
  onPick = picked;
  const field = $("#address");
  field.addEventListener("input", (event) => { if (!event.isComposing) askSoon(); });
  field.addEventListener("compositionend", askSoon);
  field.addEventListener("keydown", press);
  field.addEventListener("blur", close);
}

/** Whether a candidate is the house itself, and not the middle of something larger. */
export const isExact = ({ level, is_online }) => (is_online ? CONFIRMED : EXACT).includes(level);

/** Show other meanings than those of our own names, the first one chosen: Enter takes it. */
export function offer(found, note) {
  const field = $("#address");
  field.focus();
  clearTimeout(timer);
  asked += 1;
  items = found;
  active = found.length ? 0 : -1;
  $("#address-note").textContent = note;
  show();
}

function askSoon() {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE_MS);
}

async function ask() {
  const turn = ++asked;
  const q = $("#address").value.trim();
  const found = q ? await get("/places", { q }).catch((error) => { isMissed("candidates", error, ask); return { items: [], note: "" }; }) : { items: [], note: "" };
  if (turn !== asked || draft.is_sending || document.activeElement !== $("#address")) return;
  items = found.items.filter(({ lon, zone_id }) => lon !== null || zone_id).slice(0, SHOWN);
  active = -1;
  $("#address-note").textContent = found.note;
  show();
}

function show() {
  const field = $("#address");
  fill($("#candidates"), items.map(option));
  $("#candidates").hidden = items.length === 0;
  field.setAttribute("aria-expanded", String(items.length > 0));
  if (active < 0) field.removeAttribute("aria-activedescendant");
  else field.setAttribute("aria-activedescendant", `candidate-${active}`);
}

function option(one, n) {
  const above = [one.district, one.street, one.community].filter((part) => part && part !== one.label).join(" ");
  return h("li", { id: `candidate-${n}`, role: "option", "aria-selected": String(n === active), onpointerdown: (event) => { event.preventDefault(); take(n); } },
    h("b", {}, one.label), " ", h("span.soft.small", {}, [above, t(`agent.level_${one.level}`), t("agent.confidence", { percent: Math.round(one.confidence * 100) }), one.reason].filter(Boolean).join(" · ")));
}

function press(event) {
  if (isComposing(event) || !items.length) return;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps) {
    active = (active + steps[event.key] + items.length + (active < 0 && steps[event.key] < 0 ? 1 : 0)) % items.length;
    show();
  } else if (event.key === "Enter" && active >= 0 && !event.ctrlKey) take(active);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function take(n) {
  const one = items[n];
  close();
  if (!draft.is_sending) onPick(one);
}

function close() {
  asked += 1;
  clearTimeout(timer);
  items = [];
  active = -1;
  show();
}
