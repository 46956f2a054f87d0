"""Cases: read and write them, their tickets and their story. A case's row lock comes after its tickets' ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, insert, select, text, update

from dispatch.domain.case import VISITS, Case, CaseKind, CaseStatus
from dispatch.domain.errors import StaleVersion
from dispatch.domain.roles import Role
from dispatch.domain.states import Verb
from dispatch.storage.case_tables import ALIVE, CaseEntryRow, CaseRow, CaseTicketRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.tables import CallRow, EventRow, TicketRow, UserRow

CASES, LINKS, ENTRIES = table_of(CaseRow), table_of(CaseTicketRow), table_of(CaseEntryRow)
TICKETS, CALLS, EVENTS, USERS = table_of(TicketRow), table_of(CallRow), table_of(EventRow), table_of(UserRow)
_WITH_OWNER = select(CASES, USERS.c.name.label("owner"), USERS.c.login.label("owner_login")).join(
    USERS, USERS.c.id == CASES.c.owner_id
)
_NEXT_DUE = select(func.min(CASES.c.due_at)).where(CASES.c.due_at.is_not(None))
_DUE = (
    select(CASES.c.id)
    .where(CASES.c.due_at <= bindparam("now"))
    .order_by(CASES.c.due_at, CASES.c.id)
    .limit(bindparam("batch"))
    .with_for_update(skip_locked=True)
)


def case_of(row: Mapping[str, Any]) -> Case:
    """Return what decisions need of a row."""
    return Case(
        id=row["id"],
        kind=CaseKind(row["kind"]),
        status=CaseStatus(row["status"]),
        version=row["version"],
        owner_id=row["owner_id"],
        rhythm_days=row["rhythm_days"],
        due_at=row["due_at"],
    )


def open_(tx: Tx, values: Mapping[str, Any]) -> int:
    """Insert a case and return its id, or that of the one of this person or house that is alive; it is locked."""
    put = upsert(tx.dialect, CASES).values(**values)
    same = put.on_conflict_do_update(
        index_elements=["kind", "key"], index_where=text(ALIVE), set_={"key": put.excluded["key"]}
    )
    return int(tx.conn.execute(same.returning(CASES.c.id)).scalar_one())


def alive(tx: Tx, kind: str, key: str) -> int | None:
    """Return the id of the case of a person or house that takes calls."""
    query = select(CASES.c.id).where(CASES.c.kind == kind, CASES.c.key == key, CASES.c.status != CaseStatus.CLOSED)
    found: int | None = tx.conn.execute(query).scalar()
    return found


def lock(tx: Tx, case_id: int) -> dict[str, Any] | None:
    """Return a case's row, locked until the end of the transaction; None where there is none."""
    row = tx.conn.execute(select(CASES).where(CASES.c.id == case_id).with_for_update()).mappings().first()
    return dict(row) if row else None


def lock_all(tx: Tx, case_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return rows that are locked in order of their ids."""
    query = select(CASES).where(CASES.c.id.in_(sorted(case_ids))).order_by(CASES.c.id).with_for_update()
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def find(tx: Tx, case_id: int) -> dict[str, Any] | None:
    """Return a case with the name of its owner."""
    row = tx.conn.execute(_WITH_OWNER.where(CASES.c.id == case_id)).mappings().first()
    return dict(row) if row else None


def find_all(tx: Tx, case_ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return cases with their owners, in order of id."""
    query = _WITH_OWNER.where(CASES.c.id.in_(case_ids)).order_by(CASES.c.id)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def page(tx: Tx, status: str | None, owner_id: int | None, after: int, limit: int) -> list[dict[str, Any]]:
    """Return `limit` cases from the one at place `after` on, in order of what is due next; the closed ones last."""
    query = _WITH_OWNER.order_by(CASES.c.due_at.is_(None), CASES.c.due_at, CASES.c.id.desc())
    if status is not None:
        query = query.where(CASES.c.status == status)
    if owner_id is not None:
        query = query.where(CASES.c.owner_id == owner_id)
    return [dict(row) for row in tx.conn.execute(query.offset(after).limit(limit)).mappings()]


def change(tx: Tx, case: Case, values: Mapping[str, Any]) -> None:
    """Write columns of a case over the version that was decided upon.

    Raises:
        StaleVersion: if it is another one by now.
    """
    seen = (CASES.c.id == case.id, CASES.c.version == case.version)
    if tx.conn.execute(update(CASES).where(*seen).values(**values, version=case.version + 1)).rowcount != 1:
        raise StaleVersion("个案刚被他人更新, 请刷新后重试")


def add_entry(tx: Tx, values: Mapping[str, Any]) -> int:
    """Append a line of the story and return its id."""
    row = {"whom": "", "next_step": "", **values}
    return int(tx.conn.execute(insert(ENTRIES).returning(ENTRIES.c.id), row).scalar_one())


def entries(tx: Tx, case_id: int) -> list[dict[str, Any]]:
    """Return the story of a case, oldest first."""
    query = select(ENTRIES).where(ENTRIES.c.case_id == case_id).order_by(ENTRIES.c.at, ENTRIES.c.id)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


# ---------------------------------------------------------------- tickets


def link(tx: Tx, case_id: int, ticket_ids: Sequence[int], at: datetime, by: int, *, is_auto: bool) -> int:
    """Link tickets and return how many were not linked yet."""
    if not ticket_ids:
        return 0
    told = {"case_id": case_id, "linked_at": at, "linked_by": by, "is_auto": is_auto}
    rows = [{**told, "ticket_id": ticket_id} for ticket_id in ticket_ids]
    known = set(tx.conn.execute(select(LINKS.c.ticket_id).where(LINKS.c.case_id == case_id)).scalars())
    fresh = [row for row in rows if row["ticket_id"] not in known]
    if fresh:
        tx.conn.execute(insert(LINKS), fresh)
    return len(fresh)


def linked(tx: Tx, case_id: int) -> list[dict[str, Any]]:
    """Return the tickets of a case, newest first, with how they came to it."""
    columns = [
        TICKETS.c[name] for name in ("id", "number", "status", "category", "received_at", "description", "level")
    ]
    query = select(*columns, LINKS.c.is_auto).join(LINKS, LINKS.c.ticket_id == TICKETS.c.id)
    rows = tx.conn.execute(query.where(LINKS.c.case_id == case_id).order_by(TICKETS.c.id.desc())).mappings()
    return [dict(row) for row in rows]


def of_ticket(tx: Tx, ticket_id: int) -> list[dict[str, Any]]:
    """Return the cases that a ticket belongs to."""
    ids = select(LINKS.c.case_id).where(LINKS.c.ticket_id == ticket_id)
    rows = tx.conn.execute(_WITH_OWNER.where(CASES.c.id.in_(ids)).order_by(CASES.c.id)).mappings()
    return [dict(row) for row in rows]


def tickets_of_caller(tx: Tx, phone: str, since: datetime) -> list[int]:
    """Return the tickets that a number has called about."""
    query = select(CALLS.c.ticket_id).distinct()
    query = query.where(CALLS.c.caller_phone == phone, CALLS.c.called_at >= since, CALLS.c.ticket_id.is_not(None))
    return list(tx.conn.execute(query.order_by(CALLS.c.ticket_id)).scalars())


def tickets_of_spot(tx: Tx, spot: str, categories: Sequence[str], since: datetime) -> list[int]:
    """Return the tickets of a house in these categories."""
    query = select(TICKETS.c.id).where(TICKETS.c.spot == spot, TICKETS.c.received_at >= since)
    return list(tx.conn.execute(query.where(TICKETS.c.category.in_(categories)).order_by(TICKETS.c.id)).scalars())


def calls(tx: Tx, case_id: int, phone: str | None) -> list[dict[str, Any]]:
    """Return the calls of a case's tickets, its person's alone where it is a person's."""
    columns = [
        CALLS.c[name] for name in ("id", "ticket_id", "called_at", "outcome", "category", "description", "answer")
    ]
    query = select(*columns).join(LINKS, and_(LINKS.c.ticket_id == CALLS.c.ticket_id, LINKS.c.case_id == case_id))
    if phone is not None:
        query = query.where(CALLS.c.caller_phone == phone)
    return [dict(row) for row in tx.conn.execute(query.order_by(CALLS.c.id)).mappings()]


def arrivals(tx: Tx, case_id: int) -> list[dict[str, Any]]:
    """Return every arrival of a crew for a ticket of the case, in all its rounds."""
    query = select(EVENTS.c.ticket_id, EVENTS.c.effective_at, EVENTS.c.text).join(
        LINKS, and_(LINKS.c.ticket_id == EVENTS.c.ticket_id, LINKS.c.case_id == case_id)
    )
    rows = tx.conn.execute(query.where(EVENTS.c.kind == Verb.ARRIVE).order_by(EVENTS.c.id)).mappings()
    return [dict(row) for row in rows]


def counts(tx: Tx, case_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return by case how many tickets it has, and how many visits were made: arrivals of crews, and those noted."""
    found = {case_id: {"tickets": 0, "visits": 0, "neighbours": 0} for case_id in case_ids}
    wanted: ColumnElement[bool] = LINKS.c.case_id.in_(case_ids)
    for case_id, count in tx.conn.execute(
        select(LINKS.c.case_id, func.count()).where(wanted).group_by(LINKS.c.case_id)
    ):
        found[case_id]["tickets"] = count
    arrived = select(LINKS.c.case_id, func.count()).join(EVENTS, EVENTS.c.ticket_id == LINKS.c.ticket_id)
    arrived = arrived.where(wanted, EVENTS.c.kind == Verb.ARRIVE).group_by(LINKS.c.case_id)
    for case_id, count in tx.conn.execute(arrived):
        found[case_id]["visits"] += count
    noted = select(ENTRIES.c.case_id, ENTRIES.c.kind, func.count()).where(
        ENTRIES.c.case_id.in_(case_ids), ENTRIES.c.kind.in_(VISITS)
    )
    for case_id, kind, count in tx.conn.execute(noted.group_by(ENTRIES.c.case_id, ENTRIES.c.kind)):
        found[case_id]["visits"] += count
        if kind == VISITS[1]:
            found[case_id]["neighbours"] += count
    return found


# ---------------------------------------------------------------- owners and deadlines


def owners(tx: Tx, roles: Sequence[Role]) -> list[dict[str, Any]]:
    """Return who may own a case: whoever has the fewest alive first."""
    own = and_(CASES.c.owner_id == USERS.c.id, CASES.c.status != CaseStatus.CLOSED)
    query = (
        select(USERS.c.id, USERS.c.login, USERS.c.name, USERS.c.role, func.count(CASES.c.id).label("cases"))
        .outerjoin(CASES, own)
        .where(USERS.c.is_active, USERS.c.role.in_(roles))
        .group_by(USERS.c.id, USERS.c.login, USERS.c.name, USERS.c.role)
        .order_by(func.count(CASES.c.id), USERS.c.id)
    )
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def login_of(tx: Tx, user_id: int) -> str:
    """Return the login of a user."""
    return str(tx.conn.execute(select(USERS.c.login).where(USERS.c.id == user_id)).scalar_one())


def next_due(tx: Tx) -> datetime | None:
    """Return when the next case is due; one look at the partial index."""
    return tx.conn.execute(_NEXT_DUE).scalar()


def lock_due(tx: Tx, now: datetime, batch: int) -> list[dict[str, Any]]:
    """Return up to `batch` due cases, locked; those that others hold are passed over."""
    ids = list(tx.conn.execute(_DUE, {"now": now, "batch": batch}).scalars())
    return lock_all(tx, ids) if ids else []


def stories(tx: Tx, case_ids: Sequence[int], most: int) -> dict[int, list[dict[str, Any]]]:
    """Return the last lines of several cases, newest first."""
    place = func.row_number().over(partition_by=ENTRIES.c.case_id, order_by=ENTRIES.c.id.desc()).label("place")
    ranked = select(ENTRIES, place).where(ENTRIES.c.case_id.in_(case_ids)).subquery()
    query = select(ranked).where(ranked.c.place <= most).order_by(ranked.c.id.desc())
    found: dict[int, list[dict[str, Any]]] = {case_id: [] for case_id in case_ids}
    for row in tx.conn.execute(query).mappings():
        found[row["case_id"]].append(dict(row))
    return found
