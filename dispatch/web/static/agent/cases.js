// What is known of this caller and this house: open cases with their story, customer flags, the how-manieth call it is.
import { post } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { now, t } from "/static/common/page.js";
import { shortTime } from "/static/common/time.js";
import { uuid } from "/static/common/uuid.js";
import { body, callerKey, draft } from "./draft.js";
import { fault } from "./form.js";
import { isMissed } from "./missed.js";
import { say } from "./save.js";

// A look at a case is in the audit: it is asked once the typing rests, and only for what is new.
const PAUSE_MS = 400;
let timer;
let asked = 0;
let last = "";
let known = null;

/** Ask again soon, if who, where or what has changed. */
export function refresh() {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE_MS);
}

/** Whom and what the call is about; the place only where it is the caller's door. */
function told() {
  const { address, location, is_approximate } = body(false);
  return {
    ...(callerKey() && { key: callerKey() }), ...(draft.category && { category: draft.category }),
    ...(address.trim() && { address }), ...(location && !is_approximate && { location }),
  };
}

async function ask(isForced = false) {
  const wanted = told();
  const mark = JSON.stringify(wanted);
  if (mark === last && !isForced) return;
  last = mark;
  const turn = ++asked;
  if (!wanted.key && !wanted.address && !wanted.location) return show(null);
  const answer = await post("/known-cases", wanted).catch((error) => {
    last = "";
    return isMissed("cases", error, refresh) ? undefined : null;
  });
  if (turn === asked) show(answer);
}

/** Something about a case has changed: what is shown may be old. */
export function heard(id) {
  if (known?.cases.some((one) => one.id === Number(id))) ask(true);
}

/** Alt+C: open a case, of the caller where the number is known, else of the house. */
export function openCase(kind = callerKey() ? "person" : "address") {
  if (draft.is_sending) return undefined;
  if (!draft.category) return void fault("category", t("cases.need_category"));
  return post("/cases", { kind, ...told() }, { key: uuid() }).then(
    (one) => {
      say(t("cases.opened_case", { number: one.number, owner: one.owner }));
      ask(true);
    },
    (error) => { if (!fault(error.field === "key" ? "caller_phone" : error.field, error.message)) say(error.message, "fault"); },
  );
}

// ---------------------------------------------------------------- drawing

function show(answer) {
  known = answer ?? null;
  if (!answer) return fill($("#known"), h("p.soft", {}, t(answer === undefined ? "agent.not_fetched" : "cases.known_none")));
  const { flags, cases, is_frequent, nth_of_caller, nth_of_spot } = answer;
  const nth = is_frequent && [[nth_of_caller, "nth_caller"], [nth_of_spot, "nth_spot"]].filter(([count]) => count > 2);
  const has = (kind) => cases.some((one) => one.kind === kind);
  const offered = [callerKey() && !has("person") && "person", nth_of_spot > 0 && !has("address") && "address"].filter(Boolean);
  return fill($("#known"),
    nth && h("p", {}, nth.map(([count, name]) => h("span.chip.strong", {}, t(`cases.${name}`, { count })))),
    flags.length > 0 && h("p", {}, flags.map((flag) => h("span.chip.strong", {}, `${flag.label} · ${t(`cases.group_${flag.group}`)}`))),
    cases.map(story),
    !cases.length && !flags.length && !nth && h("p.soft", {}, t("cases.known_none")),
    h("div.row", {}, offered.map((kind, at) => h("button", { type: "button", onclick: () => openCase(kind) }, t(`cases.open_${kind}`), " ", at === 0 && h("kbd", {}, "Alt+C")))));
}

function story(one) {
  const values = { status: t(`cases.status_${one.status}`), owner: one.owner, tickets: one.tickets, visits: one.visits };
  return h("section.case", {},
    h("p", {}, h("a", { href: `/cases?case=${one.id}`, target: "_blank", rel: "noopener" }, h("b", {}, one.number)), ` ${one.title}`),
    h("p.small", {}, t("cases.story", values)),
    h("ul", {}, one.last.map((entry) => h("li.small", {}, h("b", {}, shortTime(entry.at, now())), ` ${entry.label} `,
      [entry.whom, entry.text, entry.next_step].filter(Boolean).join(" · ")))));
}
