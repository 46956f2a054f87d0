// The page of outages: a list, one notice or its form, and the map. Another's change shows at once, unless one writes.
import { get, mayFail, post } from "../common/api.js";
import { $, fill, h, toast } from "../common/dom.js";
import { bind, isComposing, isTyping } from "../common/keys.js";
import { connect } from "../common/live.js";
import { t } from "../common/page.js";
import { Area } from "./area.js";
import { write } from "./form.js";
import { line, show } from "./notice.js";

const PAGE = 30;
const panel = $("#panel");
let items = [];
let next = 0;
let chosen = null;
let form = null;

const area = new Area({
  onGrid: (id) => form?.toggle(id),
  onDrawn: (geometry) => form?.drawn(geometry),
});
const told = (problem) => toast(problem.message, { kind: "error" });

// ---------------------------------------------------------------- the list

async function load() {
  const page = await get("/outages", { limit: PAGE });
  items = page.items;
  next = page.next;
  drawList();
}

async function more() {
  const page = await get("/outages", { limit: PAGE, after: next });
  items.push(...page.items);
  next = page.next;
  drawList();
}

function drawList() {
  const focused = document.activeElement?.dataset?.id;
  const lines = items.map((notice) => line(notice, notice.id === chosen, (id) => open(id, true)));
  fill($("#list"), lines.length ? lines : h("li.soft", {}, t("outage.none")));
  $("#more").hidden = next === null;
  if (focused) $(`#list [data-id="${focused}"]`)?.focus();
}

// ---------------------------------------------------------------- one notice

async function open(id, isFocused = false) {
  form = null;
  area.cancel();
  chosen = id;
  try {
    display(await get(`/outages/${id}`));
    if (isFocused) $("h2", panel).focus();
  } catch (problem) {
    told(problem);
  }
  drawList();
}

function display(notice) {
  show(panel, notice, {
    act: async (verb, body) => {
      const after = await post(`/outages/${notice.id}/${verb}`, body);
      toast(t("outage.done", { verb: t(`outage_verb.${verb}`), title: after.title }));
      settled(after);
    },
    revise: () => compose(notice),
  });
  area.show(notice);
}

function settled(notice) {
  form = null;
  chosen = notice.id;
  display(notice);
  $("h2", panel).focus();
  load().catch(mayFail);
}

function compose(before = null) {
  area.cancel();
  form = write(panel, area, before, {
    save: async (how, body, key) => {
      const sent = how === "revise" ? { ...body, version: before.version } : body;
      const path = { draft: "/outage-drafts", now: "/outages", revise: `/outages/${before?.id}/revise` }[how];
      const after = await post(path, sent, { key });
      toast(t("outage.saved"));
      settled(after);
    },
    leave: () => {
      form = null;
      area.cancel();
      if (before) return open(before.id, true);
      fill(panel, h("p.soft", {}, t("outage.choose")));
      return $("#new").focus();
    },
  });
}

// ---------------------------------------------------------------- wires

const begin = () => { chosen = null; drawList(); compose(); };
$("#new").addEventListener("click", begin);
$("#more").addEventListener("click", () => more().catch(told));
window.addEventListener("signed-out", () => { $("#signed-out").hidden = false; });
bind({
  n: begin,
  d: () => { if (form && !area.isDrawing) area.draw(); },
  Escape: () => { if (area.isDrawing) area.cancel(); },
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && area.isDrawing && !isComposing(event) && !isTyping(event.target) && !event.target.closest("button, a")) area.finish();
});
connect({
  onReload: () => load().catch(mayFail),
  onSignal: ({ topic }) => {
    if (topic !== "outage") return;
    load().catch(mayFail);
    // What somebody writes into a notice at this moment is not taken away.
    if (chosen && !form && !$("#note", panel)?.value) open(chosen);
  },
});
load().catch(told);
area.load().catch(told);
