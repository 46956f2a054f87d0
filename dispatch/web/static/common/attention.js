// Whether somebody sits in front of the page: what it asks by itself keeps no session going that nobody uses.
const AWAY_AFTER_MS = 60_000;
let noted_ms = null;

/** Begin to watch; a page that does not is one that works unattended: the wallboard, the phone that waits for a job. */
export function watchAttention() {
  note();
  for (const kind of ["pointerdown", "pointermove", "wheel", "keydown"]) window.addEventListener(kind, note, { capture: true, passive: true });
}

function note() {
  noted_ms = Date.now();
}

export const isAway = () => noted_ms !== null && Date.now() - noted_ms > AWAY_AFTER_MS;
