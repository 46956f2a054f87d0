// What can be done to a ticket from here: each is one call of the API, under a key that makes a repetition harmless.
import { Problem, get, post } from "../common/api.js";
import { fill, h, toast } from "../common/dom.js";
import { page, t, tOr } from "../common/page.js";
import { uuid } from "../common/uuid.js";
import { reassignForm } from "./reassign.js";

const may = new Set(page.data.may);
const NEEDS = { acknowledge: "acknowledge", grant: "decide", refuse: "decide" };
// Whoever may say that two are the same may say that they are not.
const NOT_SAME = "not_same";

/** Whether the role may do it and the ticket allows it. */
export function mayDo(name, ticket, requests) {
  if (ticket.ended_at) return false;
  if (name in NEEDS) {
    const waits = name === "acknowledge" ? ticket.escalations.some((step) => !step.acknowledged_at) : requests.length > 0;
    return may.has(NEEDS[name]) && waits;
  }
  if (name === NOT_SAME) return may.has("merge");
  if (name === "reassign") return verbOf(ticket) !== null;
  return may.has(name) && ticket.verbs.includes(name);
}

/** Somebody must have it first, or have it instead. */
function verbOf(ticket) {
  return ["reassign", "dispatch"].find((verb) => may.has(verb) && ticket.verbs.includes(verb)) ?? null;
}

const toTeam = (ticket) => t(verbOf(ticket) === "dispatch" ? "board.first_team" : "board.to_team");

/**
 * The actions of one board.
 * @param {{form: Element, pickPlace: Function, onDone: (number: string) => void, onStale: (ticket: object|null, number: string) => void}} told
 *   pickPlace(onPick): {show, end} as of Place.pick
 */
export function makeActions({ form, pickPlace, onDone, onStale }) {
  // What somebody has been told, or has done, since it was shown: only then may they act on it.
  const versions = new Map();
  const seen = (ticket) => Math.max(ticket.version, versions.get(ticket.number) ?? 0);

  async function send(ticket, path, body, done, key) {
    try {
      const answer = await post(path, body, { key });
      if (answer.version) versions.set(ticket.number, answer.version); // what one has done oneself is known
    } catch (problem) {
      failed(ticket, problem);
      return false;
    }
    close();
    toast(done);
    onDone(ticket.number);
    return true;
  }

  function failed(ticket, problem) {
    if (problem instanceof Problem && problem.status === 409) {
      versions.set(ticket.number, problem.ticket?.version ?? problem.current_version ?? 0);
      const status = problem.ticket?.status ?? problem.current_status;
      const words = status ? t("board.stale", { number: ticket.number, status: t(`status.${status}`) }) : problem.message;
      toast(problem.code === "illegal-transition" ? `${words} (${problem.message})` : words, { kind: "error" });
      onStale(problem.ticket ?? null, ticket.number);
    } else {
      toast(problem.message, { kind: "error" });
    }
  }

  const act = (ticket, verb, body, key) => send(ticket, `/tickets/${ticket.number}/${verb}`, { version: seen(ticket), ...body },
    t("board.done", { number: ticket.number, verb: t(`verb.${verb}`) }), key);

  let picking = null;

  function close() {
    picking?.end();
    picking = null;
    fill(form);
  }

  const open = (title, fields, submit) => openForm(form, title, fields, submit, close);

  const runs = {
    urge: (ticket) => act(ticket, "urge", {}, uuid()),
    supervise: (ticket) => open(t("verb.supervise"), [note(true)], (told, key) => act(ticket, "supervise", told, key)),
    async extend(ticket) {
      const codes = (await reasonsOf(ticket)).extend;
      const why = Object.keys(codes).length ? [reason(codes), until(), note(false)] : [until(), note(true)];
      open(t("verb.extend"), why, (told, key) => act(ticket, "extend", told, key));
    },
    merge: (ticket, _requests, other) => open(t("similar.merge_into", { number: other.number }), [note(false)],
      (told, key) => act(ticket, "merge", { into: other.number, ...told }, key)),
    not_same: (ticket, _requests, other) => send(ticket, `/tickets/${ticket.number}/not-same`, { other: other.number },
      t("similar.told_apart", { number: ticket.number, other: other.number })),
    async hold(ticket) {
      const { hold } = await reasonsOf(ticket);
      open(t("verb.hold"), [reason(hold), until(), note(false)], (told, key) => act(ticket, "hold", told, key));
    },
    async relevel(ticket) {
      const { levels } = await get("/categories", { policy_version: ticket.policy_version });
      open(t("verb.relevel"), [level(levels.filter(({ id }) => id !== ticket.level)), note(true)], (told, key) => act(ticket, "relevel", told, key));
    },
    acknowledge(ticket, _requests, step = ticket.escalations.find((one) => !one.acknowledged_at && one.ratio >= 1) ?? ticket.escalations.find((one) => !one.acknowledged_at)) {
      return send(ticket, `/escalations/${step.id}/acknowledge`, {}, t("board.answered", { number: ticket.number }));
    },
    grant: (ticket, requests, request = requests[0]) => decide(ticket, request, true),
    refuse: (ticket, requests, request = requests[0]) => decide(ticket, request, false),
    reassign: (ticket, _requests, teamId = null) => reassignForm(ticket, teamId, pick, (fields, submit) => open(toTeam(ticket), fields, submit), (told, key) => act(ticket, verbOf(ticket), told, key)),
  };

  function pick(onPick) {
    picking?.end();
    picking = pickPlace(onPick);
    return picking;
  }

  function decide(ticket, request, isGranted) {
    const title = t(isGranted ? "board.grant" : "board.refuse");
    const done = t(isGranted ? "board.granted" : "board.refused", { number: ticket.number });
    const answer = { name: "answer", label: t("board.answer"), input: h("input", { type: "text", maxlength: 500 }) };
    open(title, [answer], ({ answer: told }) => send(ticket, `/requests/${request.id}/decide`, { is_granted: isGranted, answer: told ?? "" }, done));
  }

  /** Do `name` to a ticket as it was shown. */
  function run(name, ticket, requests, subject) {
    if (!mayDo(name, ticket, requests)) return;
    Promise.resolve(runs[name](ticket, requests, subject)).catch((problem) => failed(ticket, problem));
  }

  return { run, close };
}

/** The coded reasons of the policy that a ticket keeps. */
const reasonsOf = async ({ policy_version }) => (await get("/categories", { policy_version })).reasons;

const note = (isNeeded) => ({ name: "note", label: t("board.note"), input: h("input", { type: "text", maxlength: 1000, required: isNeeded }) });
const until = () => ({ name: "until", label: t("board.until"), input: h("input", { type: "datetime-local", required: true }), read: (value) => `${value}:00+08:00` });
const level = (levels) => ({
  name: "level", label: t("board.new_level"), hint: t("board.relevel_hint"),
  input: h("select", { required: true }, levels.map(({ id, label }) => h("option", { value: id }, `${id} ${tOr(`level.${id}`, label)}`))),
});
const reason = (codes) => ({
  name: "reason", label: t("board.why"),
  input: h("select", { required: true }, Object.entries(codes).map(([code, label]) => h("option", { value: code }, tOr(`reason.${code}`, label)))),
});

/** Put a form under the buttons; Enter sends it, Escape closes it. One key for all attempts with what it says. */
function openForm(place, title, fields, submit, close) {
  const keys = new Map();
  const fault = h("p.fault", { role: "alert", hidden: true });
  const read = () => Object.fromEntries(fields.map(({ name, input, read: convert = (value) => value }) => [name, convert(input.value)]).filter(([, value]) => value));
  const send = (event) => {
    event.preventDefault();
    const empty = fields.find(({ input }) => input.required && !input.value);
    fault.hidden = !empty;
    if (empty) {
      fault.textContent = empty.fault ?? t("board.fill_in", { field: empty.label });
      empty.input.focus();
      return;
    }
    const told = read();
    const said = JSON.stringify(told);
    if (!keys.has(said)) keys.set(said, uuid());
    submit(told, keys.get(said));
  };
  const line = ({ label, input, element, hint }, n) => {
    if (element) return element;
    input.id = `action-field-${n}`;
    return h("div", {}, h("label", { for: input.id }, label), input, hint && h("p.soft.small", {}, hint));
  };
  fill(place, h("form.stack.action-form", { novalidate: true, "aria-label": title, onsubmit: send }, h("h3", {}, title), fields.map(line), fault,
    h("div.row", {}, h("button.primary", {}, t("common.confirm")), h("button", { type: "button", onclick: close }, t("common.cancel")))));
  place.querySelector("input:checked, input, select")?.focus();
}
