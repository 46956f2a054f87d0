// A group of choices, each with its own key: radio buttons that a single press picks.
import { fill, h } from "/static/common/dom.js";
import { isComposing } from "/static/common/keys.js";

/** The keys of a list: 1 to 9, then 01 to 09: no key is the beginning of another. */
export const digits = (n) => (n < 9 ? String(n + 1) : `0${n - 8}`);

/**
 * Fill `element` with a radio group.
 * @param {{label?: string, labelledby?: string, options: {value: any, label: string, key: string}[], value: any, onPick: (value) => void}} told
 * @returns {{press(key): boolean, focus(): void, set(value): void}} `press` does what the key does, wherever the focus is
 */
export function choices(element, { label, labelledby, options, value, onPick }) {
  let begun = "";
  let chosen = value;
  const buttons = options.map((option) => h("button.choice", { type: "button", role: "radio", onclick: () => pick(option) },
    h("kbd", { "aria-hidden": "true" }, option.key), h("span", {}, option.label)));

  function draw() {
    const at = Math.max(0, options.findIndex((option) => option.value === chosen));
    buttons.forEach((button, n) => {
      button.setAttribute("aria-checked", String(options[n].value === chosen));
      button.tabIndex = n === at ? 0 : -1;
    });
  }
  function pick(option) {
    chosen = option.value;
    draw();
    onPick(option.value);
  }
  function press(key) {
    const wanted = begun + key.toLowerCase();
    begun = "";
    const option = options.find((one) => one.key.toLowerCase() === wanted);
    if (option) pick(option);
    else if (options.some((one) => one.key.toLowerCase().startsWith(wanted))) begun = wanted;
    else return false;
    return true;
  }
  function move(by) {
    const at = (buttons.indexOf(document.activeElement) + by + buttons.length) % buttons.length;
    buttons.forEach((button, n) => { button.tabIndex = n === at ? 0 : -1; });
    buttons[at].focus();
  }
  const steps = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  fill(element, h("div.choices", {
    role: "radiogroup", "aria-label": label, "aria-labelledby": labelledby,
    onkeydown: (event) => {
      if (isComposing(event) || event.ctrlKey || event.altKey || event.metaKey) return;
      if (steps[event.key]) move(steps[event.key]);
      else if (event.key.length !== 1 || !press(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
    },
  }, buttons));
  draw();
  return { press, focus: () => buttons.find((button) => button.tabIndex === 0)?.focus(), set: (one) => { chosen = one; draw(); } };
}
