// What goes wrong on the pages without a login, in the reader's language, and shown where it belongs.
import { t } from "/static/common/page.js";

const WORDS = { "not-found": "public.no_match", "already-rated": "public.rated_already", csrf: "public.expired", "not-authenticated": "public.expired" };
const FIELDS = {
  category: "public.fault_category", description: "public.fault_description", phone: "public.fault_phone", caller_phone: "public.fault_phone",
  address: "public.fault_place", location: "public.fault_place", number: "public.fault_number", phone_end: "public.fault_phone_end", stars: "public.fault_stars", reason: "public.fault_reason", note: "public.fault_reason",
};

/** Say in words what an error of the API means here. */
export function inWords(error) {
  if (error.code === "too-often") return t("public.too_often", { minutes: Math.ceil(error.retryAfter_s / 60) });
  const name = WORDS[error.code] ?? FIELDS[error.field];
  return name ? t(name) : error.message;
}

/** Show a fault of a form beside its button, and mark and focus the field that it is about. */
export function showFault(box, text, field = null) {
  clearFault(box);
  box.textContent = text;
  box.hidden = false;
  field?.setAttribute("aria-invalid", "true");
  (field ?? box.closest("form").querySelector("button.primary")).focus();
}

export function clearFault(box) {
  box.hidden = true;
  for (const field of box.closest("form").querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}
