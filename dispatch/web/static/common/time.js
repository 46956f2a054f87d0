// Times as people here read them: Asia/Shanghai, 24 hours, whatever zone the machine is set to.
const parts = new Intl.DateTimeFormat("en-CA", {
  timeZone: "Asia/Shanghai", year: "numeric", month: "2-digit", day: "2-digit",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

function pieces(iso) {
  return Object.fromEntries(parts.formatToParts(new Date(iso)).map(({ type, value }) => [type, value]));
}

/** 2026-11-24 14:05 */
export function dateTime(iso) {
  const p = pieces(iso);
  return `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}`;
}

/** 14:05 */
export function clockTime(iso) {
  const p = pieces(iso);
  return `${p.hour}:${p.minute}`;
}

/** 14:05 today, else 11-24 14:05 */
export function shortTime(iso, now_ms) {
  const p = pieces(iso);
  const today = pieces(now_ms);
  const isToday = p.year === today.year && p.month === today.month && p.day === today.day;
  return isToday ? `${p.hour}:${p.minute}` : `${p.month}-${p.day} ${p.hour}:${p.minute}`;
}

/** A span: 4:05, 1:02:03, 3d 04:05 */
export function span(ms) {
  const s = Math.floor(Math.abs(ms) / 1000);
  const [d, hh, mm, ss] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60, s % 60];
  const two = (n) => String(n).padStart(2, "0");
  if (d) return `${d}d ${two(hh)}:${two(mm)}`;
  return hh ? `${hh}:${two(mm)}:${two(ss)}` : `${mm}:${two(ss)}`;
}
