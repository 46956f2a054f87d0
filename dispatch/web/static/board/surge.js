// Surge mode on the board: how it stands in a line, and below it what a supervisor can do about it.
import { post } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { page, t, tOr } from "../common/page.js";
import { surgeAsker, surgeLine } from "../common/surge.js";
import { uuid } from "../common/uuid.js";

const may = page.data.may.includes("surge");
const word = (name, values) => t(`surge_panel.${name}`, values);
let shown = "";
let pending = null;

export const askSurge = surgeAsker(draw);

function draw(state) {
  const place = $("#surge");
  place.dataset.open = String(Boolean(state.surge));
  const line = state.surge
    ? [h("strong", {}, t("surge.open")), " ", surgeLine(state), state.waiting > 0 && ` · ${word("waiting", { count: state.waiting })}`]
    : [word("closed"), " · ", t("surge.rate", { rate: state.calls_per_minute })];
  fill($("#surge-line"), ...line, state.is_held && ` · ${word("held")}`);
  const mark = JSON.stringify([state.surge?.version, state.surge?.digests, state.surge?.widenings, state.is_held, state.is_automatic]);
  if (mark === shown) return;
  // Somebody is writing: what they write stays, and the news comes when they are done.
  if ($("#surge-panel").contains(document.activeElement)) pending = state;
  else build(state, mark);
}

function build(state, mark) {
  shown = mark;
  pending = null;
  const { surge } = state;
  fill($("#surge-panel"), about(state), may && (surge ? [leaveForm(surge), textsForm(surge), widenings(state)] : enterForm()),
    may && state.is_held && h("div.row", {}, button("release", "/surge/release", () => ({}))));
}

function about({ surge, is_automatic, enter_calls, leave_calls, calm_s, window_s }) {
  const rule = is_automatic && word("rule", { minutes: window_s / 60, enter: enter_calls, leave: leave_calls, calm: calm_s / 60 });
  const facts = surge && word("since", { who: surge.entered_by, why: surge.reason, calls: surge.figures.calls, minutes: surge.figures.window_s / 60 });
  const digest = surge && (surge.digest_to.length ? word("digests", { minutes: surge.digest_every_s / 60, count: surge.digests, at_once: surge.at_once.join(", ") || "–" }) : word("no_digests"));
  return h("div.small", {}, [facts, digest, rule, surge && !may && surge.broadcast].filter(Boolean).map((text) => h("p", {}, text)));
}

async function send(path, body, key) {
  try {
    await post(path, body, { key });
    toast(word("done"));
  } catch (problem) {
    toast(problem.message, { kind: "error" });
  }
  document.activeElement?.blur();
  shown = "";
  askSurge();
}

const button = (name, path, body) => h("button", { type: "button", onclick: () => send(path, body()) }, word(name));

/** A form of its own; one key for all attempts with what it says. */
function form(title, fields, path, read, submit, isPrimary = false) {
  const keys = new Map();
  const onsubmit = (event) => {
    event.preventDefault();
    const told = read();
    const said = JSON.stringify(told);
    if (!keys.has(said)) keys.set(said, uuid());
    send(path, told, keys.get(said));
  };
  return h("form.stack", { "aria-label": title, onsubmit }, h("h2", {}, title), fields, h("div.row", {}, h(isPrimary ? "button.primary" : "button", {}, submit)));
}

function labelled(id, label, input) {
  input.id = id;
  return h("div", {}, h("label", { for: id }, label), input);
}

function enterForm() {
  const reason = h("input", { required: true, maxlength: 300 });
  return form(word("enter"), labelled("surge-reason", word("reason"), reason), "/surge/enter", () => ({ reason: reason.value }), word("enter"), true);
}

function leaveForm({ version }) {
  const reason = h("input", { required: true, maxlength: 300 });
  return form(word("leave"), labelled("surge-reason", word("reason"), reason), "/surge/leave", () => ({ reason: reason.value, version }), word("leave"));
}

function textsForm({ version, broadcast, public_text }) {
  const inside = h("textarea", { rows: 3, maxlength: 500, value: broadcast });
  const outside = h("textarea", { rows: 3, maxlength: 500, value: public_text });
  return form(word("texts"), [labelled("surge-broadcast", word("broadcast"), inside), labelled("surge-public", word("public_text"), outside)],
    "/surge/texts", () => ({ broadcast: inside.value, public_text: outside.value, version }), t("common.save"));
}

function widenings({ surge, widenable }) {
  const line = (one) => h("li", {}, word("widening", { levels: one.levels.join(", "), clocks: one.clocks.map((kind) => t(`clock.${kind}`)).join(", "), factor: one.factor, why: one.word }),
    one.is_for_running && ` · ${word("and_running")}${one.state === "approved" ? `: ${one.widened}${one.is_under_way ? "…" : ""}` : ""}`, " · ", tOr(`surge_panel.state_${one.state}`, one.state),
    ` (${one.proposed_by}${one.decided_by ? ` → ${one.decided_by}` : ""})`,
    one.state === "proposed" && h("span.row", {},
      one.proposed_by_id !== page.user.id && h("button", { type: "button", onclick: () => send(`/surge/widenings/${one.id}/decide`, { is_approved: true }) }, word("approve")),
      h("button", { type: "button", onclick: () => send(`/surge/widenings/${one.id}/decide`, { is_approved: false }) }, word("refuse"))));
  return h("div.stack", {}, surge.widenings.length > 0 && h("ul.lines", {}, surge.widenings.map(line)), widenable.levels.length > 0 && proposeForm(widenable));
}

function proposeForm({ levels, clocks, most }) {
  const boxes = (title, names, label) => {
    const inputs = names.map((value) => h("input", { type: "checkbox", value }));
    const box = h("fieldset.row", {}, h("legend", {}, title), inputs.map((input, n) => h("label", {}, input, " ", label(names[n]))));
    return { box, read: () => inputs.filter((input) => input.checked).map((input) => input.value) };
  };
  const [level, clock] = [boxes(t("common.level"), levels, (id) => id), boxes(word("clocks"), clocks, (kind) => t(`clock.${kind}`))];
  const factor = h("input", { type: "number", min: 1.1, max: most, step: 0.1, value: Math.min(2, most), required: true });
  const why = h("input", { required: true, maxlength: 40 });
  const running = h("input", { type: "checkbox" });
  const read = () => ({ levels: level.read(), clocks: clock.read(), factor: Number(factor.value), word: why.value, is_for_running: running.checked });
  return form(word("propose"), [h("p.small.soft", {}, word("propose_hint")), level.box, clock.box, labelled("surge-factor", word("factor"), factor), labelled("surge-word", word("word"), why), h("label", {}, running, " ", word("and_running"))],
    "/surge/widenings", read, word("propose"));
}

$("#surge-panel").addEventListener("focusout", () => setTimeout(() => {
  if (pending && !$("#surge-panel").contains(document.activeElement)) draw(pending);
}));
