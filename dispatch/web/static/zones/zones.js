// Managing the grids: which of the two views is open, and which key does what.
import { $, fill, h, toast } from "../common/dom.js";
import { bind, isComposing, isTyping } from "../common/keys.js";
import { t } from "../common/page.js";
import { Editor } from "./editor.js";
import * as overview from "./overview.js";

const told = (problem) => toast(problem.message, { kind: "error" });
const editor = new Editor((words) => { location.hash = ""; toast(words); });
const openDraft = (id) => { location.hash = `#draft-${id}`; };

/** The address says what is shown, so that it survives a reload and the browser's way back. */
async function follow() {
  const id = /^#draft-(\d+)$/.exec(location.hash)?.[1];
  try {
    if (id) await editor.open(id);
    else {
      const wasOpen = editor.doc !== null;
      editor.close();
      if (wasOpen) $("#overview h1").focus();
      await overview.show(openDraft);
    }
  } catch (problem) {
    told(problem);
    if (id) location.hash = "";
  }
}

const inEditor = (run) => (event) => { if (editor.doc) run(event); };
const KEYS = {
  d: inEditor(() => editor.draw()),
  s: inEditor(() => editor.split()),
  p: inEditor(() => editor.publish()),
  n: inEditor(() => editor.problems.next()),
  g: inEditor(() => $("#zone-filter").focus()),
  Escape: inEditor(() => editor.cancel()),
  "?": inEditor(() => { $("#help").open = !$("#help").open; $("#help summary").focus(); }),
};
bind(KEYS);
// In a field, Ctrl+Z is the field's; Enter ends a drawing where no button has the focus.
document.addEventListener("keydown", (event) => {
  if (!editor.doc || isComposing(event) || isTyping(event.target)) return;
  if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    editor.undo();
  } else if (event.key === "Enter" && editor.sketch.isOn && !event.target.closest("button, a, [role=option], form")) editor.sketch.finish();
});

function drawKeys() {
  const words = {
    "↑ / ↓": t("zones.key_list"), Enter: t("zones.key_enter"), [t("zones.key_space_name")]: t("zones.key_space"), N: t("zones.key_problem"), D: t("zones.draw"), S: t("zones.split"),
    "Ctrl+Z": t("zones.undo"), P: t("zones.preview_publish"), G: t("zones.filter"), Esc: t("zones.key_escape"), "?": t("zones.keys"),
  };
  fill($("#keys"), Object.entries(words).map(([key, word]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, word)]));
}

window.addEventListener("hashchange", follow);
window.addEventListener("signed-out", () => { $("#signed-out").hidden = false; });
$("#back").addEventListener("click", (event) => { event.preventDefault(); location.hash = ""; });
overview.wire(openDraft);
drawKeys();
follow();
