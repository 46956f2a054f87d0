// The list of zones beside the map: arrows move, Enter chooses, Space adds another one.
import { $, fill, h } from "../common/dom.js";
import { t } from "../common/page.js";

export class ZoneList {
  #element;
  #onChoose;
  #features = [];
  #chosen = [];
  #at = null;

  /** @param {(id: string, isMore: boolean) => void} onChoose */
  constructor(element, filter, onChoose) {
    this.#element = element;
    this.#onChoose = onChoose;
    this.filter = filter;
    filter.addEventListener("input", () => this.#show());
    filter.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      this.#options[0]?.focus();
    });
    element.addEventListener("keydown", (event) => this.#key(event));
    element.addEventListener("focusin", ({ target }) => { if (target.dataset.zone) this.#roveTo(target.dataset.zone); });
    element.addEventListener("click", ({ target, ctrlKey, metaKey, shiftKey }) => {
      const id = target.closest("[data-zone]")?.dataset.zone;
      if (id) this.#onChoose(id, ctrlKey || metaKey || shiftKey);
    });
  }

  get #options() {
    return [...this.#element.querySelectorAll("[data-zone]")];
  }

  draw(features, chosen, flawed) {
    this.#features = features;
    this.#chosen = chosen;
    this.flawed = flawed;
    $("#zone-count").textContent = features.length;
    this.#show();
  }

  #show() {
    const wanted = this.filter.value.trim().toLowerCase();
    const isHere = ({ zone_id, name, team_id, branch }) => [zone_id, name, team_id, branch].some((text) => text?.toLowerCase().includes(wanted));
    const shown = this.#features.filter(({ properties }) => isHere(properties));
    const hadFocus = this.#element.contains(document.activeElement);
    const scroll = this.#element.scrollTop;
    fill(this.#element, shown.map(({ properties }) => this.#option(properties)));
    $("#zone-none").hidden = shown.length > 0;
    if (!shown.some(({ properties }) => properties.zone_id === this.#at)) this.#at = shown[0]?.properties.zone_id ?? null;
    this.#roveTo(this.#chosen.find((id) => this.#find(id)) ?? this.#at);
    this.#element.scrollTop = scroll;
    if (hadFocus) this.#find(this.#at)?.focus();
  }

  #option({ zone_id, name, team_id }) {
    const more = [name !== zone_id && name, team_id ?? t("zones.no_team")].filter(Boolean).join(" · ");
    return h("div.zone", { role: "option", tabindex: -1, dataset: { zone: zone_id }, "aria-selected": String(this.#chosen.includes(zone_id)) },
      h("b", {}, zone_id), this.flawed.has(zone_id) && h("span.chip", {}, `⚠ ${t("zones.has_problem")}`), h("span.soft.small", {}, more));
  }

  #find(id) {
    return this.#options.find((option) => option.dataset.zone === id);
  }

  #roveTo(id) {
    for (const option of this.#options) option.tabIndex = option.dataset.zone === id ? 0 : -1;
    this.#at = id;
  }

  /** Bring a zone into view. */
  reveal(id) {
    this.#find(id)?.scrollIntoView({ block: "nearest" });
  }

  #key(event) {
    const options = this.#options;
    const n = options.indexOf(document.activeElement);
    const to = { ArrowDown: n + 1, ArrowUp: n - 1, Home: 0, End: options.length - 1, PageDown: n + 10, PageUp: n - 10 }[event.key];
    if (to !== undefined) options[Math.max(0, Math.min(options.length - 1, to))]?.focus();
    else if (n >= 0 && event.key === "Enter") this.#onChoose(options[n].dataset.zone, event.ctrlKey || event.metaKey);
    else if (n >= 0 && event.key === " ") this.#onChoose(options[n].dataset.zone, true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
