"""Steps that are due: seeded by the hundred, and a count of what became of them in every table that tells of one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, func, insert, select

from dispatch.domain.sla import ClockKind
from dispatch.domain.times import shanghai_day
from dispatch.services import sealing
from dispatch.services.desk import Desk
from dispatch.services.numbering import number_text
from dispatch.storage import audit, calls, clocks, digests, escalations, health, outbox, tickets
from dispatch.storage.db import Tx
from tests.support.cast import ZONE_A, call, cast_of, spot
from tests.support.processes import utc_now

# A step of the ladder: ticket, clock, round, number.
Step = tuple[int, str, int, int]


def seed(desk: Desk, count: int, received_at: datetime) -> list[int]:
    """Register one real call now, copy its ticket `count` times as if received at `received_at`; return all the ids.

    The ticket is a P2 inside the circle: 10 minutes to accept (one step), 30 to arrive (five), a day to fix. The
    copies come in one transaction, so that no scheduler sees half of them.
    """
    now = utc_now()
    first = call(desk, cast_of(desk).agent, now, point=spot(desk, ZONE_A, now), description="seed")
    day = shanghai_day(received_at)
    with desk.store.write() as tx:
        (row,) = _rows(tx.conn, tickets.TICKETS, tickets.TICKETS.c.number == first.body["ticket"]["number"])
        last = tickets.reserve_numbers(tx, day, count)
        copy = _shifted(row, received_at - now)
        made = insert(tickets.TICKETS).returning(tickets.TICKETS.c.id, sort_by_parameter_order=True)
        copies = [copy | {"number": number_text(day, last - n)} for n in range(count)]
        ids = [int(i) for i in tx.conn.execute(made, copies).scalars()]
        for table in (calls.CALLS, clocks.CLOCKS, tickets.EVENTS):
            parts = [
                _shifted(part, received_at - now) for part in _rows(tx.conn, table, table.c.ticket_id == row["id"])
            ]
            tx.conn.execute(insert(table), [part | {"ticket_id": ticket_id} for ticket_id in ids for part in parts])
        tx.wake_at(min(clock.next_fire_at for clock in clocks.of_ticket(tx, ids[0]) if clock.next_fire_at))
    return [row["id"], *ids]


def _rows(conn: Any, table: Table, where: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in conn.execute(select(table).where(where)).mappings()]


def _shifted(row: Mapping[str, Any], by: timedelta) -> dict[str, Any]:
    """A row without its id, and all its times moved."""
    return {name: value + by if isinstance(value, datetime) else value for name, value in row.items() if name != "id"}


def due_steps(desk: Desk, ticket_ids: Iterable[int], at: datetime) -> set[Step]:
    """What must have fired by `at`, worked out from the clocks and the policy alone."""
    with desk.store.read() as tx:
        policy = desk.rules(tx, at).policy
        found = clocks.of_tickets(tx, list(ticket_ids))
    return {
        (ticket_id, clock.kind.value, clock.round, n)
        for ticket_id, of_ticket in found.items()
        for clock in of_ticket
        for n, step in enumerate(policy.steps("P2", clock.kind))
        if clock.at_ratio(step.ratio) <= at
    }


@dataclass(frozen=True, slots=True)
class Fired:
    """What became of the due steps, in escalations, timeline, notices and audit together.

    Each recipient of each step is told by its own notice or, in a surge, by one digest.
    """

    escalations: int
    doubled: int
    missing: int
    early: int

    @property
    def is_exact(self) -> bool:
        return not (self.doubled or self.missing or self.early)


def fired(desk: Desk, due: set[Step]) -> Fired:
    """Hold the five tables that tell of a step against what was due."""
    ladder = escalations.ESCALATIONS.c
    with desk.store.snapshot() as tx:
        rows = tx.conn.execute(select(ladder.ticket_id, ladder.clock, ladder.round, ladder.step, ladder.recipients))
        steps = list(map(tuple, rows))
        to = {(*step[:4], one) for step in steps for one in step[4]}
        told, keys = _told(tx)
        event, entry = tickets.EVENTS.c, audit.AUDIT.c
        timeline = tx.conn.execute(select(event.ticket_id, event.text).where(event.kind == "escalate"))
        lines = [(ticket_id, text.partition(";")[0]) for ticket_id, text in timeline]
        audited = tx.conn.execute(select(entry.subject, entry.detail).where(entry.action == "escalate"))
        entries = [(subject, detail["text"].partition(";")[0]) for subject, detail in audited]
    found, texts = [step[:4] for step in steps], (lines, entries)
    untold = {one[:4] for one in to - set(told)} | {step[:4] for step in steps if not step[4]}
    return Fired(
        escalations=len(found),
        doubled=sum(doubles(rows_) for rows_ in (found, told, keys, *texts)),
        missing=len(due - set(found)) + len(due & untold) + sum(max(0, len(due) - len(r)) for r in texts),
        early=len({*found, *(one[:4] for one in told)} - due),
    )


def _told(tx: Tx) -> tuple[list[tuple[Any, ...]], list[str]]:
    """Who was told of which step, on the console or in a digest; and the keys of all notices."""
    notice, item = outbox.OUTBOX.c, digests.ITEMS.c
    told: list[tuple[Any, ...]] = []
    keys = []
    for key, recipients in tx.conn.execute(select(notice.idempotency_key, notice.recipients)):
        keys.append(key)
        ticket_id, clock, *rest = key.split(":")
        if len(rest) == 3 and clock in set(ClockKind) and rest[2] == "console":
            told += [(int(ticket_id), clock, int(rest[0]), int(rest[1]), one) for one in recipients]
    told += map(tuple, tx.conn.execute(select(item.ticket_id, item.clock, item.round, item.step, item.recipient)))
    return told, keys


def doubles(rows: Sequence[Hashable]) -> int:
    """How many rows are there more than once."""
    return len(rows) - len(set(rows))


def escalation_count(desk: Desk) -> int:
    with desk.store.read() as tx:
        return int(tx.conn.execute(select(func.count()).select_from(escalations.ESCALATIONS)).scalar_one())


def flaws(desk: Desk) -> dict[str, int]:
    """Every kind of row that must not be, with the place where the audit chain breaks; empty where all is well."""
    sealing.seal(desk)
    with desk.store.snapshot() as tx:
        found = {name: count for name, count in health.orphans(tx).items() if count}
        broken = audit.broken_at(tx.conn)
    return found if broken is None else {**found, "audit chain broken at": broken}


def unsealed(desk: Desk) -> bool:
    """Whether some of the audit is not in its chain yet."""
    with desk.store.read() as tx:
        return audit.unsealed_since(tx.conn) is not None
