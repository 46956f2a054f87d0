// Where it would go and what would be due when: the server is asked while the agent types, and nothing is saved.
import { post } from "/static/common/api.js";
import { adviceList } from "/static/common/advice.js";
import { $, fill, h } from "/static/common/dom.js";
import { now, t, tOr } from "/static/common/page.js";
import { routeReason } from "/static/common/said.js";
import { shortTime } from "/static/common/time.js";
import { body, draft, number } from "./draft.js";
import { askAppointment, isInquiry } from "./form.js";
import { isMissed } from "./missed.js";
import * as outage from "./outage.js";

const PAUSE_MS = 120;
const WORDS_MS = 500;
let timer;
let asked = 0;

/** Ask again soon, and while words are typed after a pause; `told` gets what the server says, or null where it refuses. */
export function refresh(told, isWords = false) {
  clearTimeout(timer);
  timer = setTimeout(() => ask(told), isWords ? WORDS_MS : PAUSE_MS);
}

async function ask(told) {
  const turn = ++asked;
  const { called_at, location, is_approximate, address, appointment_at, description, caller_phone } = body(false);
  const pipe_dn = draft.pipe_dn ? number(draft.pipe_dn) : null;
  const place = { location, is_approximate, address };
  const sketch = { called_at, category: draft.category, answers: draft.answers, ...place, appointment_at, description, caller_phone };
  try {
    const answer = await post("/preview", { ...sketch, ...(typeof pipe_dn === "number" && { pipe_dn }) });
    if (turn !== asked) return;
    show(answer);
    told(answer);
  } catch (error) {
    const isMissing = isMissed("route", error, () => ask(told));
    if (turn !== asked) return;
    showNone(isMissing ? t("agent.not_fetched") : error.message);
    told(null);
  }
}

/** What was shown was for another place or problem. */
function showNone(why) {
  outage.show();
  fill($("#level"));
  fill($("#route"), h("p", {}, why));
}

function show(answer) {
  outage.show(answer);
  const level = answer.level && `${answer.level} ${tOr(`level.${answer.level}`, answer.level_label)}`;
  fill($("#level"), level ? h("span.chip", {}, level) : t(isInquiry() ? "agent.level_inquiry" : "agent.level_none"));
  askAppointment(answer.needs_appointment);
  if (isInquiry()) return fill($("#route"), h("p.soft", {}, t("agent.level_inquiry")));
  const rows = [
    [t("common.zone"), answer.zone_name && zoneText(answer)],
    [t("common.team"), answer.team_name ?? t("agent.route_pending")],
    [t("common.steward"), answer.steward],
    [t("common.level"), [level, answer.care].filter(Boolean).join(" · ")],
    ...answer.clocks.map((clock) => [tOr(`clock.${clock.kind}`, clock.label), dueText(clock), clock.basis]),
  ];
  return fill($("#route"),
    h("dl.facts", {}, rows.filter((row) => row[1]).map(([name, value, basis]) => [h("dt", {}, name), h("dd", { title: basis }, value)])),
    answer.doubt && h("p.fault", {}, t("agent.datum_doubt", answer.doubt.values)),
    h("p.small.soft.reason", {}, routeReason({ ...answer, reason: answer.reason.replace(`; ${answer.doubt?.text}`, "") })),
    answer.advice && h("section", {}, h("h3", {}, t("advice.title")), adviceList(answer.advice)));
}

const zoneText = ({ zone_id, zone_name }) => (zone_name.includes(zone_id) ? zone_name : `${zone_id} ${zone_name}`);
const dueText = ({ due_at }) => (due_at ? t("agent.due_by", { time: shortTime(due_at, now()) }) : t("agent.no_appointment"));
