// The form of a report: one key for one content, so that sending twice makes one ticket.
import { post, postBytes } from "/static/common/api.js";
import { $, fill, h } from "/static/common/dom.js";
import { page, t, tOr } from "/static/common/page.js";
import { uuid } from "/static/common/uuid.js";
import { shrunk } from "/static/crew/picture.js";
import { clearFault, inWords, showFault } from "./faults.js";

const PHONE = /^\+?[0-9]{7,20}$/;
const form = $("#report-form");
const fault = $("#report-fault");
let last = { text: "", key: "" };

/** Let the form send what it holds; `place` is where the problem is. */
export function startReport(place) {
  $("#category").append(...page.data.categories.map(({ id, label }) => h("option", { value: id }, tOr(`category.${id}`, label))));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = told(place);
    const missing = firstFault(body);
    if (missing) return showFault(fault, t(`public.fault_${missing.word}`), missing.field);
    clearFault(fault);
    await whileSending(() => send(body, place));
  });
}

function told(place) {
  const value = (id) => $(`#${id}`).value.trim();
  return {
    category: value("category"), description: value("description"), address: value("address"),
    phone: value("phone").replace(/[\s()-]/g, ""), location: place.location,
  };
}

function firstFault(body) {
  if (!body.category) return { word: "category", field: $("#category") };
  if (!body.description) return { word: "description", field: $("#description") };
  if (!body.location && !body.address) return { word: "place", field: $("#address") };
  if (!PHONE.test(body.phone)) return { word: "phone", field: $("#phone") };
  return null;
}

async function whileSending(run) {
  const button = $("button.primary", form);
  if (button.disabled) return;
  button.disabled = true;
  button.textContent = t("public.sending");
  try {
    await run();
  } finally {
    button.disabled = false;
    button.textContent = t("public.send");
  }
}

async function send(body, place) {
  try {
    const opened = await post("/public/reports", body, { key: keyOf(body) });
    if (opened.outage) return showKnown(opened.outage, body, place);
    const photo = $("#photo").files[0] && photoOf(opened, $("#photo").files[0], last.key);
    showSent(opened, place, photo?.line);
    photo?.send(); // the number is there at once; a picture may take its time
  } catch (error) {
    $("button.primary", form).disabled = false;
    form.hidden = false; // what is wrong is said where it can be mended
    $("#sent").hidden = true;
    showFault(fault, inWords(error), form.elements[error.field === "caller_phone" ? "phone" : error.field] ?? null);
  }
}

/** Nobody is sent: say what is known, and let people insist. */
function showKnown({ title, text }, body, place) {
  const heading = h("h3", { tabindex: "-1" }, t("known.reported"));
  const insist = () => whileSending(() => send({ ...body, override_outage: true }, place));
  fill($("#sent"), heading, h("p", {}, h("strong", {}, title)), h("p", {}, text), h("p", {}, t("known.not_sent")),
    h("p.row", {}, h("button", { type: "button", onclick: insist }, t("known.still")),
      h("button", { type: "button", onclick: again }, t("public.another"))));
  form.hidden = true;
  $("#sent").hidden = false;
  heading.focus();
}

function keyOf(body) {
  const text = JSON.stringify(body);
  if (text !== last.text) last = { text, key: uuid() };
  return last.key;
}

/** A line that says how far a photo is, and what sends it, as often as it takes: the same photo under one name. */
function photoOf({ number, token }, file, name) {
  const line = h("p", { role: "status", id: "photo-said" });
  async function send() {
    fill(line, t("public.photo_sending"));
    try {
      await postBytes(`/public/tickets/${number}/${token}/photos?uuid=${name}`, await shrunk(file), { "Content-Type": "image/jpeg" });
      fill(line, t("public.photo_sent"));
    } catch (error) {
      fill(line, t("public.photo_failed", { why: inWords(error) }), " ", h("button", { type: "button", onclick: send }, t("common.try_again")));
    }
  }
  return { line, send };
}

function showSent({ number, token }, place, photoLine) {
  const heading = h("h3", { tabindex: "-1" }, t("public.sent"));
  fill($("#sent"), heading,
    h("p", {}, `${t("public.sent_number")} `, h("strong.number", {}, number)),
    h("p", {}, t("public.sent_keep")),
    photoLine,
    h("p.row", {}, h("a.button.primary", { href: `/track/${number}/${token}` }, t("public.follow")),
      h("button", { type: "button", onclick: again }, t("public.another"))));
  form.hidden = true;
  $("#sent").hidden = false;
  form.reset();
  place.clear();
  heading.focus();
}

function again() {
  last = { text: "", key: "" };
  $("#sent").hidden = true;
  form.hidden = false;
  $("#category").focus();
}
