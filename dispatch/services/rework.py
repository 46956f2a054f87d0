"""One of many callers is not helped: a ticket of one's own, linked to the first; the others are left in peace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.domain.call import NewCall
from dispatch.domain.place import Datum, Point, Wgs84Point, point_of
from dispatch.domain.roles import Actor
from dispatch.domain.ticket import Ticket
from dispatch.domain.times import shanghai_text
from dispatch.services import intake, present
from dispatch.services.desk import Desk
from dispatch.storage import callbacks, tickets
from dispatch.storage.db import Tx

_MOST = 2000


def open_own(
    tx: Tx, desk: Desk, actor: Actor, ticket: Ticket, row: Mapping[str, Any], words: str, number: str, now: datetime
) -> str:
    """Open the ticket of one caller of `ticket`, who says that it is not solved, and return its number.

    Args:
        tx: The transaction, in which `ticket` is locked.
        desk: The process's desk.
        actor: Who heard it.
        ticket: The one whose work was not good enough.
        row: The call-back.
        words: What the caller says.
        number: The number of the new ticket.
        now: The server's time; its clocks run from here, like those of a rework.
    """
    first = present.find(tx, ticket.number)
    told = callbacks.calls_of(tx, [row["call_id"]])[row["call_id"]]
    since = shanghai_text(first["received_at"])
    call = NewCall(
        called_at=now,
        category=ticket.category,
        description=f"返工自 {ticket.number} (原受理 {since}): {words}\n{told['description']}"[:_MOST],
        caller_phone=row["phone"],
        caller_name=told["caller_name"],
        point=_point(told, first),
        is_approximate=True,
        address=told["address"] or first["address"],
        answers=told["answers"] if told["category"] == ticket.category else {},
        pipe_dn=ticket.pipe_dn,
        override_outage=True,
    )
    intake.open_again(tx, desk, actor, call, number, now, rework_of=ticket.number)
    fresh = tickets.lock_id(tx, present.find(tx, number)["id"])
    tickets.note(tx, fresh, "rework_of", f"返工自 {ticket.number}, 原受理 {since}", actor, now, at=now)
    return number


def _point(call: Mapping[str, Any], first: Mapping[str, Any]) -> Point | None:
    """The caller's own place, or else that of the ticket."""
    if call["datum"] is not None:
        return point_of(call["raw_lon"], call["raw_lat"], Datum(call["datum"]))
    return None if first["lon"] is None else Wgs84Point(first["lon"], first["lat"])
