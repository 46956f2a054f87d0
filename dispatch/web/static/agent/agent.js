// The console: a call rings, is taken, written down and saved, by keyboard alone.
import { get } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { bind } from "/static/common/keys.js";
import { freshness } from "/static/common/age.js";
import { watchAttention } from "/static/common/attention.js";
import { connect } from "/static/common/live.js";
import { t } from "/static/common/page.js";
import { everySecond } from "/static/common/sla.js";
import { drawBroadcast, surgeAsker } from "/static/common/surge.js";
import * as articles from "./articles.js";
import * as candidates from "./candidates.js";
import * as command from "./command.js";
import * as cases from "./cases.js";
import { callerKey, change, clear, draft, isBlank } from "./draft.js";
import * as form from "./form.js";
import { askAgain, isMissed } from "./missed.js";
import * as online from "./online.js";
import * as outage from "./outage.js";
import * as place from "./place.js";
import * as route from "./route.js";
import { confirm, save, say } from "./save.js";
import * as tickets from "./tickets.js";
import * as waiting from "./waiting.js";

const ROUTED = ["address", "category", "answers", "pipe_dn", "appointment_at"];
const COMPARED = ["description", "caller_phone"];
let isWarned = false;
let looks = 0;

function changed(name) {
  isWarned = false;
  articles.changed(name);
  if (ROUTED.includes(name) || COMPARED.includes(name)) route.refresh(routed, COMPARED.includes(name));
  cases.refresh();
  showButton();
}

function routed(answer) {
  if (answer) place.draw(answer);
  tickets.suggest(answer?.suggestions ?? []);
}

function showButton() {
  const other = form.isInquiry() ? "agent.save_answer" : outage.isAnswering() ? "known.save" : "agent.save_ticket";
  const word = draft.attach_to ? t("agent.save_attach", { number: draft.attach_to }) : t(other);
  fill($("#save"), word, " ", h("kbd", {}, "Ctrl+Enter"));
}

function show() {
  form.show();
  articles.show();
  place.show();
  route.refresh(routed);
  showButton();
  lookUp();
  cases.refresh();
}

// Each look is in the audit, so it is not asked at every key.
async function lookUp() {
  const turn = ++looks;
  const key = callerKey();
  if (!key) return tickets.setHousehold(null);
  const known = await get(`/callers/${encodeURIComponent(key)}`).catch((error) => (isMissed("caller", error, lookUp) ? undefined : null));
  return turn === looks && tickets.setHousehold(known);
}

// ---------------------------------------------------------------- one call after the other

/** F2: the ringing call, else an empty form; what is not saved is thrown away only at the second press. */
async function nextCall() {
  if (!draft.is_sending && !isBlank() && !isWarned) {
    isWarned = true;
    return say(t("agent.unsaved"));
  }
  return startCall(waiting.next());
}

async function startCall(call) {
  if (draft.is_sending) return say(t("agent.saving_offline"));
  if (!isBlank() && !isWarned) return nextCall();
  const mine = call && (await waiting.claim(call));
  if ((call && !mine) || draft.is_sending) return undefined;
  isWarned = false;
  const phone = mine?.caller_phone ?? "";
  articles.reset();
  clear(mine ? { cti_call_id: mine.call_id, cti_phone: phone, caller_phone: phone, called_at: mine.rung_at ?? mine.heard_at } : {});
  tickets.forget();
  fill($("#said"));
  show();
  form.begin();
  return undefined;
}

async function saveCall() {
  isWarned = false;
  await place.settled();
  return save(saved, showButton);
}

function saved(receipt) {
  articles.reset();
  clear();
  tickets.forget();
  show();
  confirm(receipt);
  form.begin();
  waiting.refresh();
}

function attach(ticket) {
  if (draft.is_sending) return undefined;
  if (!ticket) return say(t("agent.nothing_to_attach"));
  const not_same = draft.not_same.filter((number) => number !== ticket.number);
  change({ attach_to: ticket.number, category: draft.category ?? ticket.category, not_same });
  showButton();
  return saveCall();
}

function drop() {
  if (draft.is_sending) return;
  articles.reset();
  clear();
  tickets.forget();
  fill($("#said"));
  show();
  form.begin();
  waiting.refresh(); // the call is on the line all the same
}

// ---------------------------------------------------------------- wires

function wireKeys() {
  const picks = Object.fromEntries([..."0123456789"].map((digit) => [digit, () => form.pressCategory(digit)]));
  const chosen = Object.fromEntries([..."123456789"].map((digit) => [`Alt+${digit}`, () => tickets.choose(Number(digit))]));
  bind({
    ...picks, ...chosen,
    F2: nextCall,
    "Ctrl+Enter": saveCall,
    "Alt+M": tickets.attachChosen,
    "Alt+C": () => cases.openCase(),
    ...(online.isOn && { "Alt+G": online.ask }),
    "Alt+O": outage.toggle,
    "Alt+N": () => { if (!draft.is_sending && !tickets.dismissChosen()) say(t("similar.nothing")); },
    "Alt+K": articles.open,
    "Alt+T": articles.toTicket,
    "/": command.open,
  });
}

function signedOut() {
  fill($("#banner"), h("p", {}, t("common.signed_out"), " ", h("a.button", { href: "/signin?next=/agent" }, t("common.sign_in_again"))));
}

function start() {
  form.wire(changed);
  articles.wire();
  candidates.wire(place.takeCandidate);
  place.wire(() => {
    route.refresh(routed);
    tickets.lookAround(draft.place);
    cases.refresh();
  });
  tickets.wire(attach);
  outage.wire(showButton);
  waiting.wire(startCall);
  command.wire({ newCall: nextCall });
  wireKeys();
  $("#caller_phone").addEventListener("change", lookUp);
  $("#call").addEventListener("submit", (event) => event.preventDefault()); // Enter in a field saves nothing
  $("#save").addEventListener("click", saveCall);
  $("#drop").addEventListener("click", drop);
  window.addEventListener("signed-out", signedOut);
  window.addEventListener("online", () => { if (draft.is_sending) save(saved, showButton); });
  const showState = (state) => {
    $("#state").textContent = freshness(live);
    if (state === "live" || state === "polling") askAgain();
  };
  const askSurge = surgeAsker((state) => drawBroadcast($("#surge"), state));
  const live = connect({
    onReload: () => { waiting.refresh(); askSurge(); },
    onSignal: ({ topic, key }) => {
      if (topic === "cti") waiting.refresh();
      if (topic === "surge") askSurge();
      if (topic === "case") cases.heard(key);
    },
    onTicket: tickets.update,
    onState: showState,
  });
  watchAttention();
  everySecond(() => {
    showState();
    waiting.tick();
    tickets.tick();
  });
  show();
  if (draft.is_sending) save(saved, showButton);
  else if (!isBlank()) say(t("agent.restored"));
  form.begin();
}

start();
