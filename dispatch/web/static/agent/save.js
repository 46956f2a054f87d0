// Saving a call once, whatever happens in between: the key of the draft is the key of the request.
import { Offline, post } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { now, t, tOr } from "/static/common/page.js";
import { shortTime } from "/static/common/time.js";
import { body, change, draft, release } from "./draft.js";
import { fault, isInquiry, lock } from "./form.js";

const AGAIN_MS = 2_000;
// A gateway, or a server that starts or is full: what became of the call is not known, or may become better soon.
const PASSING = [502, 503, 504];
let isBusy = false;
let timer;

/** Send the draft; repeated until the server has answered. `done(receipt)` is told once, `refused()` where it says no. */
export async function save(done, refused) {
  if (isBusy) return;
  if (!draft.category && !draft.attach_to) return void fault("category", t("agent.no_category"));
  clearTimeout(timer);
  isBusy = true;
  // Kept before it is sent: what the server may have got must not change any more.
  change({ is_sending: true });
  lock(true);
  say(t("agent.saving"));
  try {
    const receipt = await post("/calls", body(isInquiry()), { key: draft.key });
    isBusy = false;
    lock(false);
    done(receipt);
  } catch (error) {
    isBusy = false;
    failed(error, done, refused);
  }
}

function failed(error, done, refused) {
  if (error instanceof Offline || PASSING.includes(error.status)) {
    say(t("agent.saving_offline"));
    timer = setTimeout(() => save(done, refused), (error.retryAfter_s ?? 0) * 1000 || AGAIN_MS);
    return;
  }
  release(error.field === "attach_to" ? { attach_to: null } : {}); // that ticket takes no more calls: a new one may
  refused();
  lock(false);
  fill($("#said"));
  if (!error.status) throw error;
  if (error.status === 401) return; // the banner says so
  if (!fault(error.field, error.message)) say(error.message, "fault");
}

export function say(text, kind = "note") {
  fill($("#said"), h(`p.${kind}`, {}, text));
}

/** Say what became of the call. */
export function confirm({ outcome, ticket, outage }) {
  const values = { number: ticket?.number, team: ticket?.steward ?? ticket?.zone_id ?? "" };
  const kind = outcome === "ticket" && !ticket.team_id ? "pending" : outcome;
  const due = outcome === "ticket" ? ticket.clocks.filter((clock) => ["ack", "arrive", "fix"].includes(clock.kind)) : [];
  fill($("#said"), h("p.saved", { dataset: { number: ticket?.number ?? "" } },
    h("b", {}, t(`agent.saved_${kind}`, values)),
    outage && h("span", {}, ` ${outage.text} `),
    due.map((clock) => h("span.nowrap", {}, `${tOr(`clock.${clock.kind}`, clock.label)} ${t("agent.due_by", { time: shortTime(clock.due_at, now()) })} · `)),
    h("span.nowrap", {}, `${t("agent.next_hint")} `, h("kbd", {}, "F2"))));
}
