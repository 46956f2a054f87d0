// Elements without HTML text: what people typed can only ever be text.
import { t } from "./page.js";

/**
 * Make an element.
 * @param {string} tag such as "button.primary"
 * @param {object} props attributes; `on*` are listeners, `dataset` and `style` objects, true/false switch an attribute
 * @param {...(Node|string|null|Array)} children
 */
export function h(tag, props = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) setProp(element, key, value);
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function setProp(element, key, value) {
  if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
  else if (key === "dataset") Object.assign(element.dataset, value);
  else if (key === "style") Object.assign(element.style, value);
  else if (key === "class") element.classList.add(...String(value).split(" ").filter(Boolean));
  else if (key === "value") element.value = value;
  else if (typeof value === "boolean") element.toggleAttribute(key, value);
  else if (value !== null && value !== undefined) element.setAttribute(key, value);
}

/** Replace what is inside an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
}

export const $ = (selector, within = document) => within.querySelector(selector);
export const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/** Say something at the edge of the screen; errors stay until they are closed. */
export function toast(text, { kind = "info", action = null } = {}) {
  const close = () => note.remove();
  const button = action && h("button", { type: "button", onclick: () => { close(); action.run(); } }, action.label);
  const note = h(`div.toast.${kind}`, kind === "error" ? { role: "alert" } : {}, h("span", {}, text), button,
    h("button.toast-close", { type: "button", "aria-label": t("common.close"), onclick: close }, "×"));
  document.getElementById("toasts").append(note);
  if (kind !== "error") setTimeout(close, 6000);
  return close;
}
