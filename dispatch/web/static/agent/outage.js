// A known outage that explains the call: it is answered with its text, unless the agent sends somebody all the same.
import { $, fill, h } from "/static/common/dom.js";
import { now, t } from "/static/common/page.js";
import { shortTime } from "/static/common/time.js";
import { change, draft } from "./draft.js";

let told = { outages: [], answered_by: null };
let onChanged = () => {};

/** `changed()` is told when it turns between answering and sending. */
export function wire(changed) {
  onChanged = changed;
}

/** Whether saving answers the call. */
export const isAnswering = () => told.answered_by !== null && !draft.override_outage && !draft.attach_to;

/** Show what the server knows of the place; nothing where it was not asked. */
export function show(answer = { outages: [], answered_by: null }) {
  told = answer;
  if (!told.answered_by && draft.override_outage) change({ override_outage: false });
  draw();
  onChanged();
}

/** Alt+O: send somebody all the same, or not after all. */
export function toggle() {
  if (!told.answered_by || draft.is_sending) return;
  change({ override_outage: !draft.override_outage });
  draw();
  onChanged();
}

function draw() {
  const known = told.answered_by;
  const others = told.outages.filter(({ id }) => id !== known?.id);
  fill($("#outages"), known && answer(known), others.map((notice) => h("p.outage", {}, h("b", {}, t("agent.outage", { title: notice.title })), " ",
    t("agent.outage_until", { place: notice.place, time: shortTime(notice.ends_at, now()) }))));
}

const answer = ({ text }) => h("div.outage.known", {},
  h("p", {}, h("b", {}, t(draft.override_outage ? "known.overridden" : "known.answers"))),
  h("p", { class: "told" }, text),
  h("button", { type: "button", onclick: toggle }, t(draft.override_outage ? "known.take_back" : "known.override"), " ", h("kbd", {}, "Alt+O")));
