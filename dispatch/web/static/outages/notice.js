// One notice: what it says, what may be done with it, how it came about, and what the newspaper gets.
import { $, fill, h, toast } from "../common/dom.js";
import { now, page, t } from "../common/page.js";
import { dateTime, shortTime } from "../common/time.js";

/** Fill `panel` with a notice; `act(verb, body)` does something to it, `revise()` opens its form. */
export function show(panel, notice, { act, revise }) {
  const facts = [
    [t("outage.place"), notice.place],
    [t("outage.named"), notice.estates.join("、")],
    [t("outage.grids"), notice.zones.join("、")],
    [t("outage.starts_at"), dateTime(notice.starts_at)],
    [t("outage.ends_at"), dateTime(notice.ends_at)],
    [t("outage.late_h"), notice.late_return_h],
    [t("outage.alarm"), notice.alarm_at && dateTime(notice.alarm_at)],
    [t("outage.short"), notice.short_reason],
    [t("outage.closed"), notice.closed_reason],
    [t("outage.unmatched"), notice.unmatched.join("、")],
    [t("outage.answered"), String(notice.answered)],
  ].filter(([, value]) => value);
  fill(panel,
    h("h2", { tabindex: "-1" }, notice.title), h("p.row", {}, chips(notice)),
    notice.warnings.map((words) => h("p.warning", {}, words)),
    h("dl.facts", {}, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))])),
    deeds(notice, act, revise),
    notice.extensions.map(({ text }) => h("p", {}, text)),
    h("h2", {}, t("outage.told")), h("p", { class: "told", id: "told" }, notice.text),
    h("h2", {}, t("outage.export")), exports(notice),
    h("h2", {}, t("outage.history")),
    h("ol.versions", {}, notice.history.map(({ at, by, text }) => h("li", {}, h("span.soft.nowrap", {}, shortTime(at, now())), ` ${by} · ${text}`))));
}

export const chips = ({ status, is_planned, phase }) => [
  h("span.chip", { dataset: { status } }, t(`outage_status.${status}`)),
  h("span.chip", {}, t(is_planned ? "outage.planned" : "outage.emergency").split(" ")[0]),
  phase === "late" && h("strong", {}, "⚠"),
];

function deeds(notice, act, revise) {
  if (!notice.verbs.length) return null;
  const note = h("input", { id: "note", maxlength: "300", autocomplete: "off", "aria-describedby": "note-hint" });
  const ends = h("input", { id: "longer", type: "datetime-local", value: dateTime(notice.ends_at).replace(" ", "T") });
  const isOwn = notice.is_planned && notice.created_by === page.user.id && notice.verbs.includes("approve");
  const fault = h("p.fault", { id: "fault", role: "alert", hidden: true });
  const body = (verb) => ({ version: notice.version, note: note.value.trim(), ...(verb === "extend" && { ends_at: ends.value ? `${ends.value}:00+08:00` : "" }) });
  async function run(verb) {
    try {
      await act(verb, body(verb));
    } catch (problem) {
      fault.hidden = false;
      fault.textContent = problem.message;
      if (problem.field === "note") note.focus();
      if (problem.field === "ends_at") ends.focus();
    }
  }
  const button = (verb, n) => h(n === 0 ? "button.primary" : "button", {
    type: "button", id: `do-${verb}`, disabled: verb === "approve" && isOwn, onclick: () => (verb === "revise" ? revise() : run(verb)),
  }, t(`outage_verb.${verb}`));
  const ORDER = ["approve", "publish", "restore", "extend", "revise", "withdraw", "cancel"];
  return h("div.deeds", {},
    isOwn && h("p", {}, t("outage.own")),
    h("div.two", {}, h("div", {}, h("label", { for: "note" }, t("outage.note")), note, h("p.hint", { id: "note-hint" }, t("outage.note_hint"))),
      notice.verbs.includes("extend") && h("div", {}, h("label", { for: "longer" }, t("outage.longer")), ends)),
    fault,
    h("div.row", {}, ORDER.filter((verb) => notice.verbs.includes(verb)).map(button)));
}

function exports(notice) {
  const source = `/api/v1/outages/${notice.id}/picture.svg?version=${notice.version}`;
  const text = h("textarea", { id: "announcement", rows: "8", readonly: true, value: notice.announcement });
  const name = `outage-${notice.id}`;
  return h("div.stack", {},
    h("div", {}, h("label", { for: "announcement" }, t("outage.text")), text),
    h("img.drawing", { src: source, alt: `${t("outage.picture")}: ${notice.title}` }),
    h("div.row", {}, h("button", { type: "button", id: "copy", onclick: () => copy(text) }, t("outage.copy")),
      h("button", { type: "button", id: "png", onclick: () => png(source, `${name}.png`) }, t("outage.png")),
      h("a.button", { href: source, download: `${name}.svg` }, t("outage.svg"))));
}

async function copy(field) {
  field.select();
  await navigator.clipboard?.writeText(field.value).catch(() => {});
  toast(t("outage.copied"));
}

/** The server draws, the browser paints: the picture as PNG, as large as the drawing says. */
async function png(source, name) {
  try {
    const image = new Image();
    image.src = source;
    await image.decode();
    const canvas = h("canvas", { width: String(image.naturalWidth), height: String(image.naturalHeight) });
    canvas.getContext("2d").drawImage(image, 0, 0);
    const blob = await new Promise((done) => { canvas.toBlob(done, "image/png"); });
    const address = URL.createObjectURL(blob);
    h("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  } catch {
    toast(t("outage.png_failed"), { kind: "error" });
  }
}

/** Return the line of a notice in the list. */
export function line(notice, isChosen, onChoose) {
  const span = t("outage.from_to", { from: shortTime(notice.starts_at, now()), to: shortTime(notice.ends_at, now()) });
  return h("li", {}, h("button.notice", { type: "button", "aria-current": String(isChosen), dataset: { id: String(notice.id) }, onclick: () => onChoose(notice.id) },
    h("b", {}, notice.title), h("span.row", {}, chips(notice)),
    h("span.small.soft", {}, notice.restored_at ? t("outage.restored", { at: shortTime(notice.restored_at, now()) }) : span)));
}
