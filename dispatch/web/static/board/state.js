// The tickets that the board knows, and in which order they stand; the server's order, kept up while time goes on.
import { now } from "../common/page.js";
import { leading } from "../common/sla.js";

export const GROUPS = ["rescue", "unassigned", "running", "resting"];
const UNASSIGNED = new Set(["received", "returned"]);

const running = (ticket) => ticket.clocks.filter((clock) =>
  clock.round === ticket.round && !clock.met_at && clock.state !== "void" && clock.state !== "met" && clock.state !== "paused");

/** The first due time of what can still break, in milliseconds, or Infinity. */
export const firstDue = (ticket) => Math.min(...running(ticket).map((clock) => Date.parse(clock.due_at)));

/** Whether a clock has used 80 % and none is overdue. */
export function isRescuable(ticket, at_ms = now()) {
  return firstDue(ticket) > at_ms && running(ticket).some((clock) => Date.parse(clock.rescue_at) <= at_ms);
}

export function groupOf(ticket, at_ms = now()) {
  if (isRescuable(ticket, at_ms)) return "rescue";
  if (UNASSIGNED.has(ticket.status)) return "unassigned";
  return leading(ticket) && firstDue(ticket) < Infinity ? "running" : "resting";
}

/** Tickets by number, narrowed to a filter. */
export class Tickets {
  filter = {};
  byNumber = new Map();

  /** Take what the server told anew; what it did not name is gone, and what was heard meanwhile is newer. */
  replace(lists) {
    const known = this.byNumber;
    this.byNumber = new Map();
    for (const ticket of lists.flat()) {
      const heard = known.get(ticket.number);
      this.put(heard?.version > ticket.version ? heard : ticket);
    }
  }

  add(lists) {
    for (const ticket of lists.flat()) this.put(ticket);
  }

  get(number) {
    return this.byNumber.get(number);
  }

  /** Take one ticket as it is now; an older one changes nothing. One that follows another has no place of its own. */
  put(ticket) {
    const known = this.byNumber.get(ticket.number);
    if (known && known.version > ticket.version) return;
    if (ticket.ended_at || ticket.is_carried || !this.#fits(ticket)) this.byNumber.delete(ticket.number);
    else this.byNumber.set(ticket.number, ticket);
  }

  remove(number) {
    this.byNumber.delete(number);
  }

  #fits(ticket) {
    const { branch, zone_id, category, level, team_id } = this.filter;
    return (!branch || ticket.branch === branch) && (!zone_id || ticket.zone_id === zone_id)
      && (!category || ticket.category === category) && (!level || ticket.level === level)
      && (!team_id || ticket.team_id === team_id || ticket.assisting.includes(team_id));
  }

  /** All tickets with their groups, in the order of the queue. */
  ordered(at_ms = now()) {
    const rows = [...this.byNumber.values()].map((ticket) => {
      const group = groupOf(ticket, at_ms);
      return { ticket, group, rank: GROUPS.indexOf(group), due: group === "unassigned" ? 0 : firstDue(ticket) };
    });
    const compare = (a, b) => a.rank - b.rank || (a.due === b.due ? 0 : a.due - b.due) || (a.ticket.number < b.ticket.number ? -1 : 1);
    return rows.sort(compare);
  }
}
