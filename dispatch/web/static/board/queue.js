// The queue: one button a ticket, counted down in place; moved at most once a second, and the focus stays where it was.
import { riskText } from "../common/advice.js";
import { fill, h } from "../common/dom.js";
import { t, tOr } from "../common/page.js";
import { chip, draw } from "../common/sla.js";
import { draggable } from "./drag.js";
import { GROUPS } from "./state.js";

export class Queue {
  #element;
  #onOpen;
  #rows = new Map();
  #lists = new Map();
  #order = "";

  constructor(element, onOpen) {
    this.#element = element;
    this.#onOpen = onOpen;
    for (const group of GROUPS) {
      const list = h("ol");
      const title = h("h3", {}, t(`board.group_${group}`));
      this.#lists.set(group, { list, section: h("section", { hidden: true, dataset: { group } }, title, list) });
    }
    this.#empty = h("p.soft", { hidden: true }, t("board.empty"));
    fill(element, this.#empty, ...[...this.#lists.values()].map(({ section }) => section));
  }

  #empty;

  /** Draw `rows` as Tickets.ordered() has them; `opened` is the number in the detail. */
  draw(rows, opened, at_ms) {
    const wanted = new Set(rows.map(({ ticket }) => ticket.number));
    for (const [number, row] of this.#rows) if (!wanted.has(number)) this.#drop(number, row);
    for (const { ticket } of rows) this.#show(ticket, opened, at_ms);
    this.#arrange(rows);
    this.#empty.hidden = rows.length > 0;
  }

  /** Count on: chips alone. */
  tick(at_ms) {
    for (const { chipAt, ticket } of this.#rows.values()) draw(chipAt, ticket, at_ms);
  }

  /** The number under the keyboard's focus, or null. */
  get focused() {
    return document.activeElement?.closest?.("[data-ticket]")?.dataset.ticket ?? null;
  }

  /** Move the focus by `step` rows, from `from` where no row has it. */
  move(step, from) {
    const buttons = [...this.#element.querySelectorAll("[data-ticket]")];
    const at = buttons.findIndex((button) => button.dataset.ticket === (this.focused ?? from));
    const next = at < 0 ? (step > 0 ? 0 : buttons.length - 1) : Math.min(Math.max(at + step, 0), buttons.length - 1);
    buttons[next]?.focus();
  }

  focus(number) {
    this.#rows.get(number)?.button.focus();
  }

  #drop(number, { item, button }) {
    const hadFocus = button === document.activeElement;
    const next = item.nextElementSibling ?? item.previousElementSibling;
    item.remove();
    this.#rows.delete(number);
    if (hadFocus) (next?.firstElementChild ?? this.#element).focus();
  }

  #show(ticket, opened, at_ms) {
    let row = this.#rows.get(ticket.number);
    if (!row) {
      row = this.#make(ticket);
      this.#rows.set(ticket.number, row);
    } else if (row.ticket !== ticket) {
      row.ticket = ticket;
      fill(row.words, words(ticket));
    }
    draw(row.chipAt, ticket, at_ms);
    const risk = riskText(ticket, at_ms);
    if (row.riskAt.textContent !== risk) row.riskAt.textContent = risk;
    if (ticket.number === opened) row.button.setAttribute("aria-current", "true");
    else row.button.removeAttribute("aria-current");
  }

  #make(ticket) {
    const chipAt = chip(ticket);
    const wordsAt = h("span.row-words", {}, words(ticket));
    const riskAt = h("b.row-risk");
    const button = h("button.ticket", { type: "button", dataset: { ticket: ticket.number }, onclick: () => this.#onOpen(ticket.number) },
      chipAt, wordsAt, riskAt);
    const item = h("li", {}, button);
    draggable(item, ticket.number);
    return { ticket, chipAt, words: wordsAt, riskAt, button, item };
  }

  #arrange(rows) {
    const order = rows.map(({ ticket, group }) => `${group}:${ticket.number}`).join();
    if (order === this.#order) return;
    this.#order = order;
    const held = this.focused;
    for (const [group, { list, section }] of this.#lists) {
      const items = rows.filter((row) => row.group === group).map(({ ticket }) => this.#rows.get(ticket.number).item);
      items.forEach((item, place) => {
        if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
      });
      while (list.children.length > items.length) list.lastElementChild.remove();
      section.hidden = items.length === 0;
    }
    if (held && this.focused !== held) this.#rows.get(held)?.button.focus({ preventScroll: true });
  }
}

function words(ticket) {
  return [
    h("span.row-main", {}, h("b", {}, tOr(`category.${ticket.category}`, ticket.category_label)), " ", ticket.address || ticket.description),
    h("span.row-more", {},
      h("span.chip", {}, `${ticket.level} ${tOr(`level.${ticket.level}`, ticket.level_label)}`),
      h("span.chip", {}, t(`status.${ticket.status}`)),
      h("span", {}, ticket.zone_id ?? "–"),
      h("span.soft", {}, ticket.number),
      ticket.incident && h("span.chip", {}, t("common.incident", ticket.incident)),
      ticket.flags.map((flag) => h("span.chip", {}, flag)),
      ticket.nth_call && h("span.chip", {}, t("cases.nth_ticket", { count: ticket.nth_call })),
      ticket.is_supervised && h("span.chip", {}, t("board.supervised")),
      ticket.urge_count > 0 && h("span.chip", {}, t("board.urged", { count: ticket.urge_count }))),
  ];
}
