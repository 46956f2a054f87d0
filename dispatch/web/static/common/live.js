// Live data, one connection for a browser: the tab that holds a Web Lock has the stream and tells the other tabs.
//
// Messages are states: one that comes twice does no harm. Where no stream is to be had, the leader asks every 2 seconds.
import { page, setNow } from "./page.js";

const STREAM = "/api/v1/stream";
const CHANGES = "/api/v1/changes";
const POLL_MS = 2_000;
// The server sends a pulse every 2 s; after so long without a message the data count as old. With the pause of the
// watch it is on the screen within 5 s.
const LOST_MS = 4_000;
const WATCH_MS = 500;
// A stream that says nothing at all for so long is a dead one; at its start sooner, since it begins with a pulse.
const SILENT_MS = 8_000;
const SILENT_FIRST_MS = 4_000;
// A proxy that keeps streams back is asked again after so long, a server that has no place when it says.
const KEPT_BACK_MS = 60_000;
const FULL_MS = 15_000;
// A leader from whom nothing is heard, not even that it has nothing, has a dialog open or is frozen.
const FROZEN_MS = 12_000;
const SIGNED_OUT_MS = 15_000;

/**
 * Follow what changes. Functions that are not given are not called.
 *
 * @param {{onTicket?, onSignal?, onGone?, onReload?, onPulse?, onState?}} told
 *   onReload() - load all that is shown: once at the start, and when too much was missed to be told piece by piece;
 *   onTicket(ticket) - a ticket as GET /tickets shows it; onGone({number}) - it is no longer for this team;
 *   onSignal({topic, key}); onPulse({server_time, scheduler});
 *   onState(state) - "connecting", "live", "polling", "lost" or "signed-out".
 * @returns {{age(): number, state: string, close(): void}} age: seconds since the server was last heard
 */
export function connect(told = {}) {
  return new Tab(told);
}

class Tab {
  state = "connecting";
  #told;
  #mark = null;
  #isStarted = false;
  #isClosed = false;
  #heardAt = Date.now();
  #leaderAt = Date.now();
  #leader = null;
  #asking = null;
  #channel = null;
  #timer;

  constructor(told) {
    this.#told = told;
    this.#timer = setInterval(() => this.#watch(), WATCH_MS);
    // Without a secure context there are no locks: each tab for itself.
    if (!navigator.locks || !window.BroadcastChannel) {
      this.#lead();
      return;
    }
    const { id, role, team_id } = page.user ?? {};
    this.name = `live-${id}-${role}-${team_id}`;
    this.#channel = new BroadcastChannel(this.name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#say({ type: "hello" });
    this.#queue();
  }

  age() {
    return Math.max(0, (Date.now() - this.#heardAt) / 1000);
  }

  close() {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#asking?.abort();
    this.#leader?.stop();
    this.#channel?.close();
  }

  // ---------------------------------------------------------------- who leads

  async #queue(steal = false) {
    const asking = new AbortController();
    this.#asking = asking;
    try {
      await navigator.locks.request(this.name, steal ? { steal } : { signal: asking.signal }, () => this.#lead());
    } catch (error) {
      if (error.name !== "AbortError") throw error;
      if (asking.signal.aborted) return;
      this.#leader.stop(); // another tab took this one for frozen
      this.#leader = null;
    }
    if (!this.#isClosed) this.#queue();
  }

  #lead() {
    this.#leader = new Leader(this.#mark, (message) => {
      this.#take(message);
      this.#say(message);
    });
    return this.#leader.run();
  }

  #say(message) {
    if (!this.#isClosed) this.#channel?.postMessage(message);
  }

  #hear(message) {
    if (message.type === "hello" || message.type === "nudge") {
      if (!this.#leader) return;
      this.#say({ type: "state", state: this.state, mark: this.#mark });
      this.#leader.nudge();
    } else {
      this.#leaderAt = Date.now();
      this.#take(message);
    }
  }

  // ---------------------------------------------------------------- what is told

  #take({ type, state, messages = [], mark }) {
    if (this.#isClosed) return;
    messages.forEach((message) => this.#deliver(message));
    this.#mark = mark ?? this.#mark;
    if (type === "told") this.#heardAt = Date.now();
    if (state) this.#setState(state);
  }

  #deliver(message) {
    if (message.kind === "reload") this.#reload();
    else if (message.kind === "ticket") this.#told.onTicket?.(message);
    else if (message.kind === "gone") this.#told.onGone?.(message);
    else if (message.kind === "signal") this.#told.onSignal?.(message);
    else if (message.kind === "pulse") {
      setNow(message.server_time);
      this.#told.onPulse?.(message);
    }
  }

  #reload() {
    this.#isStarted = true;
    this.#told.onReload?.();
  }

  #setState(state) {
    // What is told from here on reaches this tab: what it loads now, it will not miss a change of.
    if (!this.#isStarted && (state === "live" || state === "polling")) this.#reload();
    if (state === this.state) return;
    this.state = state;
    this.#told.onState?.(state);
    if (state === "signed-out") window.dispatchEvent(new CustomEvent("signed-out"));
  }

  #watch() {
    const isOld = Date.now() - this.#heardAt > LOST_MS;
    if (!isOld || this.state === "signed-out") return;
    this.#setState("lost");
    this.#leader ? this.#leader.nudge() : this.#say({ type: "nudge" });
    if (!this.#leader && !document.hidden && Date.now() - this.#leaderAt > FROZEN_MS) {
      this.#leaderAt = Date.now();
      this.#asking.abort();
      this.#queue(true);
    }
  }
}

/** Has the stream, or asks again and again, and tells what it hears. */
class Leader {
  #tell;
  #mark;
  #stopping = new AbortController();
  #failures = 0;
  #wake = () => {};
  #nudgedAt = 0;

  constructor(mark, tell) {
    this.#mark = mark;
    this.#tell = tell;
  }

  async run() {
    while (!this.#isStopped) {
      const pause_ms = await this.#stream();
      const until = Date.now() + pause_ms;
      while (!this.#isStopped && Date.now() < until) {
        const isSignedOut = !(await this.#poll());
        await this.#sleep(Math.min(isSignedOut ? SIGNED_OUT_MS : POLL_MS, until - Date.now()));
      }
    }
  }

  stop() {
    this.#stopping.abort();
    this.#wake();
  }

  /** Ask now: a tab in the background sleeps longer than it meant to. */
  nudge() {
    if (Date.now() - this.#nudgedAt < POLL_MS) return;
    this.#nudgedAt = Date.now();
    this.#wake();
  }

  get #isStopped() {
    return this.#stopping.signal.aborted;
  }

  /** Read one stream to its end and return after how many milliseconds to try the next. */
  async #stream() {
    const silence = new Silence(this.#stopping.signal);
    let isBegun = false;
    try {
      const response = await this.#fetch(STREAM, silence.signal, "text/event-stream");
      if (response.status === 401) return this.#signOut();
      if (!response.ok) return (Number(response.headers.get("Retry-After")) || 0) * 1000 || FULL_MS;
      for await (const { messages, mark } of events(response.body, () => silence.broken())) {
        isBegun ||= messages.length > 0;
        this.#told(messages, mark, "live");
        this.#failures = 0;
      }
      return Math.random() * 1000; // the server stops, and all its clients will come back
    } catch {
      if (silence.isOver && !isBegun) return KEPT_BACK_MS;
      return Math.min(500 * 2 ** this.#failures++, 5_000) * (0.5 + Math.random() / 2);
    } finally {
      silence.end();
    }
  }

  /** Ask once; false where nobody is signed in. */
  async #poll() {
    const silence = new Silence(this.#stopping.signal);
    try {
      const response = await this.#fetch(CHANGES, silence.signal, "application/json");
      if (response.status === 401) return !this.#signOut();
      if (!response.ok) throw new Error(`${CHANGES}: ${response.status}`); // it answers, and tells nothing
      const { messages, next } = await response.json();
      this.#told(messages, next, "polling");
    } catch {
      this.#tell({ type: "here" }); // nothing to tell, but not frozen
    } finally {
      silence.end();
    }
    return true;
  }

  #fetch(path, signal, accept) {
    const query = this.#mark === null ? "" : `?after=${this.#mark}`;
    return fetch(path + query, { signal, headers: { Accept: accept }, cache: "no-store", credentials: "same-origin" });
  }

  #told(messages, mark, state) {
    // Who has no mark has missed what was before it.
    const all = this.#mark === null && mark ? [{ kind: "reload" }, ...messages] : messages;
    this.#mark = mark ?? this.#mark;
    this.#tell({ type: "told", messages: all, mark: this.#mark, state });
  }

  #signOut() {
    this.#tell({ type: "state", state: "signed-out" });
    return SIGNED_OUT_MS;
  }

  #sleep(pause_ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pause_ms);
      this.#wake = () => { clearTimeout(timer); resolve(); };
    });
  }
}

/** Ends a request from which nothing is heard. */
class Silence {
  isOver = false;
  #control = new AbortController();
  #outer;
  #onStop = () => this.#control.abort();
  #timer;

  constructor(outer) {
    this.#outer = outer;
    outer.addEventListener("abort", this.#onStop);
    this.#arm(SILENT_FIRST_MS);
  }

  get signal() {
    return this.#control.signal;
  }

  broken() {
    this.#arm(SILENT_MS);
  }

  end() {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener("abort", this.#onStop);
    this.#control.abort();
  }

  #arm(after_ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.isOver = true;
      this.#control.abort();
    }, after_ms);
  }
}

/** Read text/event-stream: the messages of each chunk together, with the last id among them. */
async function* events(body, onBytes) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    onBytes();
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    const messages = [];
    let mark = null;
    for (const line of blocks.join("\n").split("\n")) {
      if (line.startsWith("data: ")) messages.push(JSON.parse(line.slice(6)));
      else if (line.startsWith("id: ")) mark = line.slice(4);
    }
    if (messages.length) yield { messages, mark };
  }
}
