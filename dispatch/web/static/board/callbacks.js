// What the callers of a ticket said of the work, and the tickets that came of it.
import { h } from "../common/dom.js";
import { now, t, tOr } from "../common/page.js";
import { shortTime } from "../common/time.js";

// More callers than this are counted, and shown when asked for.
const SHOWN = 4;
const time = (iso) => shortTime(iso, now());

/** @param {(number: string) => void} open shows another ticket */
export function callbackSections({ number, callbacks, rework_of, reworked_by }, open) {
  const link = (other) => h("button", { type: "button", onclick: () => open(other) }, other);
  const linked = (title, numbers) => numbers.length > 0 && h("section", {}, h("h3", {}, title), h("ul.lines", {}, numbers.map((one) => h("li", {}, link(one)))));
  const lines = h("ul.lines", {}, callbacks.map((one) => line(one, one.rework && one.rework !== number && link(one.rework))));
  const isLong = callbacks.length > SHOWN;
  return [
    linked(t("callbacks.rework_of"), rework_of ? [rework_of] : []),
    linked(t("callbacks.reworked_by"), reworked_by),
    callbacks.length > 0 && h("section", {}, h("h3", {}, t("verb.callback")), isLong ? h("details", {}, h("summary", {}, counted(callbacks)), lines) : lines),
  ];
}

function counted(callbacks) {
  const states = [...new Set(callbacks.map(({ state }) => state))];
  return states.map((state) => `${t(`callbacks.state_${state}`)} ${callbacks.filter((one) => one.state === state).length}`).join(" · ");
}

function line(one, rework) {
  const said = [
    one.round > 1 && t("callbacks.round", { n: one.round }),
    t(`callbacks.state_${one.state}`),
    one.is_solved !== null && t(one.is_solved ? "callbacks.solved" : "callbacks.unsolved"),
    one.is_satisfied !== null && t(one.is_satisfied ? "callbacks.content" : "callbacks.discontent"),
    one.reason && tOr(`callback_reason.${one.reason}`, one.reason_label),
    one.note,
    one.rework && !rework && t("verb.rework"),
  ].filter(Boolean).join(", ");
  const waits = one.state === "waiting" && [t("callbacks.due", { time: time(one.due_at) }), one.next_try_at && t("callbacks.not_before", { time: time(one.next_try_at) })];
  const tries = one.history.map(({ at, by, state }) => `${time(at)} ${by} ${t(`callbacks.state_${state}`)}`);
  const more = [...(waits || []), ...tries].filter(Boolean).join("; ");
  return h("li", {}, [one.caller_phone, said].filter(Boolean).join(" "), rework && [" ", t("callbacks.own"), " ", rework], more && h("p.small.soft", {}, more));
}
