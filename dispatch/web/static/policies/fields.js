// Fields of the editor: each writes into the form at once, and is found by its place in the policy.
import { h } from "../common/dom.js";
import { t } from "../common/page.js";

export const numbers = (told) => (/^\d+$/.test(told.trim()) ? Number(told) : told.trim());
export const words = (told) => told.split(/[,,、\s]+/).filter(Boolean);

/** Set a value, or leave it out where there is none. */
export function put(thing, key, value) {
  if (value === "" || (Array.isArray(value) && !value.length)) delete thing[key];
  else thing[key] = value;
}

let count = 0;
let onChange = () => {};

/** Be told of each change. */
export function listen(told) {
  onChange = told;
}

const changed = (set) => (event) => {
  set(event.target.value);
  onChange();
};

function labelled(label, input, size) {
  input.id = `f${++count}`;
  return h(`div.${size}`, {}, h("label", { for: input.id }, label), input);
}

/** A line of text; `parse` makes the value that is kept. */
export function text(label, place, value, set, { size = "middle", parse = (told) => told } = {}) {
  const input = h("input", { type: "text", maxlength: 2000, autocomplete: "off", dataset: { place }, value: value ?? "", oninput: changed((told) => set(parse(told))) });
  return labelled(label, input, size);
}

/** Several lines of text. */
export function lines(label, place, values, set) {
  const split = (told) => told.split("\n").map((line) => line.trim()).filter(Boolean);
  const input = h("textarea", { rows: 4, dataset: { place }, value: values.join("\n"), oninput: changed((told) => set(split(told))) });
  return labelled(label, input, "long");
}

/** One of several. `options` are [value, word]. */
export function choice(label, place, options, value, set, size = "middle") {
  const input = h("select", { dataset: { place }, onchange: changed(set) }, options.map(([id, word]) => h("option", { value: id, selected: id === (value ?? "") }, word)));
  return labelled(label, input, size);
}

/** Some of several. */
export function several(label, place, options, values, set) {
  const chosen = new Set(values);
  const told = (id) => (event) => {
    if (event.target.checked) chosen.add(id);
    else chosen.delete(id);
    set(options.map(([one]) => one).filter((one) => chosen.has(one)));
    onChange();
  };
  return h("fieldset.who", { dataset: { place }, tabindex: -1 }, h("legend", {}, label),
    options.map(([id, word]) => h("label", {}, h("input", { type: "checkbox", checked: chosen.has(id), onchange: told(id) }), word)));
}

/** A switch. */
export function toggle(label, place, value, set) {
  return h("label", {}, h("input", { type: "checkbox", dataset: { place }, checked: Boolean(value), onchange: (event) => { set(event.target.checked); onChange(); } }), ` ${label}`);
}

/** A list that can grow and shrink: `line` makes the fields of one item. */
export function list(name, items, line, fresh) {
  const body = h("div.lines");
  const draw = () => body.replaceChildren(...items.map((item, n) => h("div.line", { role: "group", "aria-label": `${name} ${n + 1}` }, line(item, n),
    h("button", { type: "button", "aria-label": t("policies.remove_one", { name: `${name} ${n + 1}` }), onclick: () => { items.splice(n, 1); draw(); onChange(); } }, t("policies.remove")))));
  const add = h("button", { type: "button", onclick: () => { items.push(fresh()); draw(); onChange(); body.lastElementChild.querySelector("input, select")?.focus(); } }, t("policies.add", { name }));
  draw();
  return h("div", {}, body, add);
}

/** A part that folds. */
export const part = (title, ...children) => h("details", {}, h("summary", {}, title), children);
