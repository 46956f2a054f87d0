"""Calls that ring: what the telephone platform tells, which are waiting, and who takes which."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.domain.call import mask_phone
from dispatch.domain.cti import LOST_AFTER, CallOver, CallTaken, CtiEvent, CtiEventKind, check_event, state_of
from dispatch.domain.errors import NotFound
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.storage import cti, live

TOPIC = "cti"
_COLUMNS = {
    CtiEventKind.RING: "rung_at",
    CtiEventKind.ANSWER: "answered_at",
    CtiEventKind.HANGUP: "hung_up_at",
}
_MOST_SHOWN = 50


def hear(desk: Desk, actor: Actor, event: CtiEvent, now: datetime) -> dict[str, Any]:
    """Take an event in and return the call; copies and any order of events lead to the same call.

    Raises:
        NotPermitted: for all but telephone platforms and administrators.
        InvalidInput: with the field at fault.
    """
    check_permitted(actor, Permission.CTI)
    check_event(event, now)
    told = {"caller_phone": event.caller, "line": event.line, "seat": event.seat, _COLUMNS[event.kind]: event.at}
    with desk.store.write() as tx:
        cti.hear(tx, event.call_id, told, now)
        live.add_signals(tx, [{"at": now, "topic": TOPIC, "key": event.call_id}])
        tx.audit(now, actor, f"cti-{event.kind}", f"cti {event.call_id}", told_at=event.at.isoformat())
        return _shown(cti.find(tx, event.call_id) or {}, actor)


def waiting(desk: Desk, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return the calls that ring or are being spoken on, newest first: `{items}`."""
    check_permitted(actor, Permission.CALL)
    with desk.store.read() as tx:
        rows = cti.waiting(tx, now - LOST_AFTER, _MOST_SHOWN)
    return {"items": [_shown(row, actor) for row in rows]}


def claim(desk: Desk, actor: Actor, call_id: str, now: datetime) -> dict[str, Any]:
    """Take a call; of several who try, one gets it. Taking it again changes nothing.

    Raises:
        NotFound: if no such call was told of.
        CallTaken: if somebody else has it.
        CallOver: if it hung up before anybody took it.
    """
    check_permitted(actor, Permission.CALL)
    with desk.store.write() as tx:
        is_new = cti.claim(tx, call_id, actor.user_id, now)
        row = cti.find(tx, call_id)
        if row is None:
            raise NotFound(f"没有来电 {call_id[:40]}", field="call_id")
        if row["claimed_by"] is None:
            raise CallOver("来电已挂断, 未及接听")
        if row["claimed_by"] != actor.user_id:
            raise CallTaken(f"该来电已由 {row['claimed_name']} 接听", claimed_by=row["claimed_name"])
        if is_new:
            live.add_signals(tx, [{"at": now, "topic": TOPIC, "key": call_id}])
            tx.audit(now, actor, "claim", f"cti {call_id}")
    return _shown(row, actor)


def _shown(row: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """Return the public form of a call: the number is for the one who speaks with the caller."""
    is_mine = row["claimed_by"] == actor.user_id
    phone = row["caller_phone"]
    return {
        "call_id": row["call_id"],
        "state": state_of(row["answered_at"], row["hung_up_at"]),
        "caller_phone": phone if is_mine else mask_phone(phone),
        "line": row["line"],
        "seat": row["seat"],
        "is_mine": is_mine,
        "claimed_by": row["claimed_name"],
        "is_saved": bool(row["is_saved"]),
        **{name: present.time(row[name]) for name in ("heard_at", "rung_at", "answered_at", "hung_up_at")},
    }
