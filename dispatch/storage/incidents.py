"""Incidents: their rows, their tickets, what happened to them. Whoever changes one has locked its lead ticket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, bindparam, func, insert, literal, or_, select, text, update

from dispatch.domain.errors import StaleVersion
from dispatch.domain.incident import ALIVE, IncidentStatus
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.incident_tables import IncidentEventRow, IncidentRow
from dispatch.storage.tables import LEADING, CallRow, ClockRow, TicketRow

INCIDENTS, EVENTS = table_of(IncidentRow), table_of(IncidentEventRow)
TICKETS, CALLS, CLOCKS = table_of(TicketRow), table_of(CallRow), table_of(ClockRow)
_FIND = select(INCIDENTS).where(INCIDENTS.c.id == bindparam("wanted"))
# Tickets may point at it meanwhile.
_HOLD = _FIND.with_for_update(key_share=True)
_IDS = select(TICKETS.c.id).where(TICKETS.c.incident_id == bindparam("wanted")).order_by(TICKETS.c.id)
_LEAD = select(TICKETS.c.id).where(TICKETS.c.incident_id == bindparam("wanted"), text(LEADING))
_ALIVE = INCIDENTS.c.status.in_(sorted(ALIVE))


WATER = ("isolated_at", "restore_expected_at", "restored_at")


@dataclass(frozen=True, slots=True)
class Summary:
    """What a list says of an incident: its number of tickets and of distinct callers, and the ticket that leads."""

    status: IncidentStatus
    title: str
    tickets: int
    callers: int
    lead: str | None


@dataclass(frozen=True, slots=True)
class Voice:
    """The ticket that speaks for its incident where a clock of one kind runs out, with what it says of the others.

    `notify` are the audiences that the customer flags of all of them add.
    """

    ticket_id: int
    number: str
    lead: str
    tickets: int
    notify: tuple[str, ...] = ()


def add(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert an incident and return its id."""
    return int(tx.conn.execute(insert(INCIDENTS).returning(INCIDENTS.c.id), values).scalar_one())


def find(tx: Tx, incident_id: int) -> dict[str, Any] | None:
    """Return an incident, or None."""
    row = tx.conn.execute(_FIND, {"wanted": incident_id}).mappings().first()
    return dict(row) if row else None


def hold(tx: Tx, incident_id: int) -> dict[str, Any] | None:
    """Return an incident, locked, or None. Tickets are locked before it, and of two incidents the older one first."""
    row = tx.conn.execute(_HOLD, {"wanted": incident_id}).mappings().first()
    return dict(row) if row else None


def change(tx: Tx, row: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Change an incident that is still as it was read, and return it as it is then.

    Raises:
        StaleVersion: if somebody else was faster.
    """
    new = {**values, "version": row["version"] + 1}
    seen = (INCIDENTS.c.id == row["id"], INCIDENTS.c.version == row["version"])
    if tx.conn.execute(update(INCIDENTS).where(*seen).values(new)).rowcount != 1:
        raise StaleVersion("事件刚被他人更新, 请刷新后重试", field="version")
    return {**row, **new}


def isolated(tx: Tx, incident_id: int, at: datetime) -> None:
    """Write down when water was stopped, unless somebody has told it already."""
    unknown = (INCIDENTS.c.id == incident_id, INCIDENTS.c.isolated_at.is_(None))
    tx.conn.execute(update(INCIDENTS).where(*unknown).values(isolated_at=at, version=INCIDENTS.c.version + 1))


def note(tx: Tx, incident_id: int, kind: str, words: str, actor_id: int, now: datetime) -> None:
    """Write a line of an incident's own timeline."""
    row = {"incident_id": incident_id, "at": now, "kind": kind, "actor_id": actor_id, "text": words}
    tx.conn.execute(insert(EVENTS), row)


def timeline(tx: Tx, incident_id: int) -> list[dict[str, Any]]:
    """Return what happened to an incident, oldest first."""
    query = select(EVENTS).where(EVENTS.c.incident_id == incident_id).order_by(EVENTS.c.id)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def ticket_ids(tx: Tx, incident_id: int) -> list[int]:
    """Return the ids of all tickets of an incident, ended ones as well."""
    return list(tx.conn.execute(_IDS, {"wanted": incident_id}).scalars())


def lead_id(tx: Tx, incident_id: int) -> int | None:
    """Return the id of the ticket that leads; None where there is none."""
    return tx.conn.execute(_LEAD, {"wanted": incident_id}).scalar()


def page(tx: Tx, statuses: Sequence[str], after: int, limit: int) -> list[dict[str, Any]]:
    """Return incidents with id below `after` (0: from the newest), newest first; of some states if they are given."""
    query = select(INCIDENTS).order_by(INCIDENTS.c.id.desc()).limit(limit)
    if after:
        query = query.where(INCIDENTS.c.id < after)
    if statuses:
        query = query.where(INCIDENTS.c.status.in_(statuses))
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def alive(tx: Tx) -> list[dict[str, Any]]:
    """Return the incidents that are proposed or open."""
    return [dict(row) for row in tx.conn.execute(select(INCIDENTS).where(_ALIVE).order_by(INCIDENTS.c.id)).mappings()]


def summaries(tx: Tx, incident_ids: Iterable[int]) -> dict[int, Summary]:
    """Return what lists say of some incidents, by id."""
    ids = sorted(set(incident_ids))
    if not ids:
        return {}
    counts = {row.incident_id: row for row in tx.conn.execute(_counted(ids))}
    query = select(INCIDENTS.c.id, INCIDENTS.c.status, INCIDENTS.c.title).where(INCIDENTS.c.id.in_(ids))
    found = {}
    for row in tx.conn.execute(query).all():
        count = counts.get(row.id)
        told = (count.tickets, count.callers + count.unknown, count.lead) if count else (0, 0, None)
        found[row.id] = Summary(IncidentStatus(row.status), row.title, *told)
    return found


def water(tx: Tx, incident_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Return of some incidents when water was stopped, is expected back and came back, by id."""
    ids = sorted(set(incident_ids))
    query = select(INCIDENTS.c.id, *(INCIDENTS.c[name] for name in WATER)).where(INCIDENTS.c.id.in_(ids))
    rows = tx.conn.execute(query).mappings() if ids else ()
    return {row["id"]: {name: row[name] for name in WATER} for row in rows}


def _counted(ids: Sequence[int]) -> Any:
    """Return the query for tickets and callers: a call without a number is one caller, and who was merged in counts."""
    number, is_lead = TICKETS.c.number, ~TICKETS.c.is_carried
    here = select(TICKETS.c.incident_id, TICKETS.c.id, number, is_lead.label("is_lead"))
    whole = here.where(TICKETS.c.incident_id.in_(ids)).cte("whole", recursive=True)
    into = (TICKETS.c.merged_into == whole.c.number) & TICKETS.c.incident_id.is_distinct_from(whole.c.incident_id)
    merged = select(whole.c.incident_id, TICKETS.c.id, number, literal(None, Boolean)).join(whole, into)
    whole = whole.union(merged)
    is_member = whole.c.is_lead.is_not(None)
    return (
        select(
            whole.c.incident_id,
            func.count(whole.c.id.distinct()).filter(is_member).label("tickets"),
            func.count(CALLS.c.caller_phone.distinct()).label("callers"),
            func.count(CALLS.c.id).filter(CALLS.c.caller_phone.is_(None)).label("unknown"),
            func.max(whole.c.number).filter(whole.c.is_lead).label("lead"),
        )
        .join(CALLS, CALLS.c.ticket_id == whole.c.id, isouter=True)
        .group_by(whole.c.incident_id)
    )


def voices(tx: Tx, incident_ids: Iterable[int]) -> dict[tuple[int, str], Voice]:
    """Return the ticket that speaks for each incident, by incident and kind of clock: the one whose promise ends first.

    As a rule that is the one that leads. Where a caller was promised more, or rang earlier, nobody must wait for the
    lead's own clock to hear that this promise is broken.
    """
    ids = sorted(set(incident_ids))
    if not ids:
        return {}
    leads = func.max(TICKETS.c.number).filter(~TICKETS.c.is_carried)
    are_open = func.count().filter(TICKETS.c.ended_at.is_(None))
    query = select(TICKETS.c.incident_id, leads, are_open).where(TICKETS.c.incident_id.in_(ids))
    also = _audiences(tx, ids)
    whole = {
        incident_id: (lead, count, also.get(incident_id, ()))
        for incident_id, lead, count in tx.conn.execute(query.group_by(TICKETS.c.incident_id))
    }
    return {
        (row.incident_id, row.kind): Voice(row.id, row.number, *whole[row.incident_id])
        for row in tx.conn.execute(_first_of(ids))
    }


def _audiences(tx: Tx, ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Return whom the customer flags of each incident's open tickets add."""
    query = select(TICKETS.c.incident_id, TICKETS.c.notify).where(TICKETS.c.incident_id.in_(ids))
    found: dict[int, dict[str, None]] = {}
    for incident_id, notify in tx.conn.execute(query.where(TICKETS.c.ended_at.is_(None)).order_by(TICKETS.c.id)):
        found.setdefault(incident_id, {}).update(dict.fromkeys(notify or ()))
    return {incident_id: tuple(audiences) for incident_id, audiences in found.items()}


def _first_of(ids: Sequence[int]) -> Any:
    """Return the query for the clock of each kind that runs out first in each incident, of those with a ladder."""
    order = (CLOCKS.c.due_at, TICKETS.c.is_carried, TICKETS.c.id)
    place = func.row_number().over(partition_by=(TICKETS.c.incident_id, CLOCKS.c.kind), order_by=order)
    climbs = or_(CLOCKS.c.next_fire_at.is_not(None), CLOCKS.c.next_step > 0)
    ranked = (
        select(TICKETS.c.incident_id, CLOCKS.c.kind, TICKETS.c.id, TICKETS.c.number, place.label("place"))
        .join(CLOCKS, (CLOCKS.c.ticket_id == TICKETS.c.id) & (CLOCKS.c.round == TICKETS.c.round))
        .where(TICKETS.c.incident_id.in_(ids), TICKETS.c.ended_at.is_(None))
        .where(CLOCKS.c.met_at.is_(None), ~CLOCKS.c.is_void, climbs)
        .subquery()
    )
    return select(ranked).where(ranked.c.place == 1)


def tickets(tx: Tx, incident_id: int) -> list[dict[str, Any]]:
    """Return the rows of the tickets of an incident, the one that leads first; each with how many called."""
    calls = select(func.count()).where(CALLS.c.ticket_id == TICKETS.c.id).scalar_subquery()
    query = select(TICKETS, calls.label("calls")).where(TICKETS.c.incident_id == incident_id)
    return [dict(row) for row in tx.conn.execute(query.order_by(TICKETS.c.is_carried, TICKETS.c.id)).mappings()]


def rows(tx: Tx, ticket_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the rows of tickets by id, each with how many called, in the order of their ids."""
    calls = select(func.count()).where(CALLS.c.ticket_id == TICKETS.c.id).scalar_subquery()
    query = select(TICKETS, calls.label("calls")).where(TICKETS.c.id.in_(ticket_ids)).order_by(TICKETS.c.id)
    return [dict(row) for row in tx.conn.execute(query).mappings()]
