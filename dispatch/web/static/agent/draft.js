// The call that is being written down. It lives in localStorage, so that a reload, a lost session or a dead server
// loses nothing; its key makes every repetition of a save the same save.
import { now, page } from "/static/common/page.js";
import { uuid } from "/static/common/uuid.js";

const STORE = `agent-draft:${page.user.id}`;
const TYPED = ["caller_phone", "caller_name", "address", "place_text", "description", "answer", "pipe_dn", "appointment_at"];

const blank = () => ({
  key: uuid(), called_at: null, cti_call_id: null, cti_phone: "", datum: "gcj02", place: null, category: null, answers: {},
  attach_to: null, not_same: [], article: null, override_outage: false, is_sending: false, ...Object.fromEntries(TYPED.map((name) => [name, ""])),
});

export let draft = load();

function load() {
  try {
    return { ...blank(), ...JSON.parse(localStorage.getItem(STORE)) };
  } catch {
    return blank();
  }
}

/**
 * Change the draft and keep it; the first change is when the call came, if no telephone event said so.
 * While it is being sent nothing changes: the server may have got it under the same key.
 */
export function change(values) {
  if (draft.is_sending) return;
  Object.assign(draft, values);
  draft.called_at ??= new Date(now()).toISOString();
  keep();
}

/** The server has refused the draft: it may change again. */
export function release(values = {}) {
  draft.is_sending = false;
  change(values);
}

function keep() {
  localStorage.setItem(STORE, JSON.stringify(draft));
}

/** Begin with an empty one. */
export function clear(values = {}) {
  draft = { ...blank(), ...values };
  if (Object.keys(values).length) keep();
  else localStorage.removeItem(STORE);
}

/** Whether anything is in it that would be missed. */
export function isBlank() {
  return !draft.cti_call_id && !draft.category && !draft.place && TYPED.every((name) => draft[name] === "");
}

/** The call or number that says who it is, or null. A number that the caller says goes before the one that rang. */
export function callerKey() {
  const typed = draft.caller_phone.replace(/[\s-]/g, "");
  const isNumber = /^\+?\d{7,}$/.test(typed);
  if (isNumber && typed !== draft.cti_phone) return typed;
  return draft.cti_call_id ?? (isNumber ? typed : null);
}

/** Return the body of POST /calls. */
export function body(isInquiry) {
  const { place } = draft;
  const isTicket = !isInquiry && !draft.attach_to; // only a new ticket has a diameter and an appointment of its own
  return {
    called_at: draft.called_at ?? new Date(now()).toISOString(),
    category: draft.category,
    description: draft.description,
    address: address(),
    answers: draft.answers,
    ...(draft.cti_call_id && { cti_call_id: draft.cti_call_id }),
    ...(draft.caller_phone && { caller_phone: draft.caller_phone.replace(/[\s-]/g, "") }),
    ...(draft.caller_name && { caller_name: draft.caller_name }),
    ...(place && { location: { lon: place.lon, lat: place.lat, datum: place.datum } }),
    ...((place?.source === "grid" || place?.is_rough) && { is_approximate: true }), // the middle of something larger teaches no address
    ...(isTicket && draft.pipe_dn && { pipe_dn: number(draft.pipe_dn) }),
    ...(isTicket && draft.appointment_at && { appointment_at: `${draft.appointment_at}:00+08:00` }),
    ...(isTicket && draft.override_outage && { override_outage: true }),
    ...(draft.attach_to && { attach_to: draft.attach_to }),
    ...(isInquiry && !draft.attach_to && { answer: draft.answer }),
    ...((!isInquiry || draft.attach_to) && draft.not_same.length && { not_same: draft.not_same }),
    ...(isInquiry && !draft.attach_to && draft.article && { article_id: draft.article.id, article_version: draft.article.version }),
  };
}

// The crew must not take the middle of a grid for the caller's door.
function address() {
  if (draft.place?.source !== "grid") return draft.address;
  const note = page.data.place_note.replace("{grid}", draft.place.grid);
  return `${draft.address.slice(0, 299 - note.length)} ${note}`.trim();
}

/** A number where it is one; else the text, so that the server says what is wrong with it. */
export const number = (text) => (/^\d+$/.test(text.trim()) ? Number(text) : text);
