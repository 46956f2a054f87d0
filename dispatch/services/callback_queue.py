"""The queue of call-backs: who is to be rung, the most pressing first, each person once; and what was said before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain.call import mask_phone
from dispatch.domain.callback import REASONS, STATE_LABELS, State, reason_label
from dispatch.domain.policy import Policy
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.storage import callbacks, callers
from dispatch.storage.db import Tx

_CLOSABLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the queue is narrowed to; None or False means all."""

    number: str | None = None
    branch: str | None = None
    is_overdue: bool = False
    is_ready: bool = False
    is_mine: bool = False


def queue(desk: Desk, actor: Actor, wanted: Wanted, *, after: int, limit: int, now: datetime) -> dict[str, Any]:
    """Return a page of those to be called back, each person once: `{items, next, reasons, server_time}`.

    Raises:
        NotPermitted: if the role calls nobody back.
    """
    check_permitted(actor, Permission.CALLBACK)
    with desk.store.read() as tx:
        heads = callbacks.heads(
            tx,
            after,
            limit + 1,
            number=wanted.number,
            branch=wanted.branch,
            due_before=now if wanted.is_overdue else None,
            ready_at=now if wanted.is_ready else None,
            claimed_by=actor.user_id if wanted.is_mine else None,
        )
        shown = heads[:limit]
        rows = callbacks.waiting_of(tx, [row["phone"] for row in shown])
        items = people(tx, desk, actor, rows, now)
    order = {row["id"]: n for n, row in enumerate(shown)}
    items = sorted((item for item in items if item["id"] in order), key=lambda item: order[item["id"]])
    return {
        "items": items,
        "next": shown[-1]["id"] if len(heads) > limit else None,
        "reasons": REASONS,
        "server_time": present.time(now),
    }


def people(
    tx: Tx, desk: Desk, actor: Actor, rows: Sequence[Mapping[str, Any]], now: datetime, *, is_shown: bool = False
) -> list[dict[str, Any]]:
    """Return the persons of waiting rows, each once; the number in full only where `actor` claims it (`is_shown`)."""
    calls = callbacks.calls_of(tx, [row["call_id"] for row in rows])
    found = callers.tickets(tx, [row["ticket_id"] for row in rows])
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["due_at"], row["id"])):
        ticket = found[row["ticket_id"]]
        shown = _matter(row, ticket, calls[row["call_id"]], desk.policy(tx, ticket["policy_version"]))
        groups.setdefault(row["phone"], []).append({"row": row, "shown": shown})
    return [
        _person(actor, [one["row"] for one in group], [one["shown"] for one in group], calls, now, is_shown=is_shown)
        for group in groups.values()
    ]


def _person(
    actor: Actor,
    rows: Sequence[Mapping[str, Any]],
    shown: Sequence[Mapping[str, Any]],
    calls: Mapping[int, Mapping[str, Any]],
    now: datetime,
    *,
    is_shown: bool,
) -> dict[str, Any]:
    first = rows[0]
    until = max((row["claimed_until"] for row in rows if row["claimed_until"]), default=None)
    by = next((row["claimed_by"] for row in rows if row["claimed_until"] == until), None)
    is_claimed = until is not None and until > now
    return {
        "id": first["id"],
        "caller_phone": first["phone"] if is_shown else mask_phone(first["phone"]),
        "caller_name": calls[first["call_id"]]["caller_name"] if is_shown else None,
        "due_at": present.time(first["due_at"]),
        "is_overdue": first["due_at"] <= now,
        "tries": max(row["tries"] for row in rows),
        "next_try_at": present.time(max((row["next_try_at"] for row in rows if row["next_try_at"]), default=None)),
        "claimed_until": present.time(until) if is_claimed else None,
        "is_mine": is_claimed and by == actor.user_id,
        "is_taken": is_claimed and by != actor.user_id,
        "items": list(shown),
    }


def _matter(
    row: Mapping[str, Any], ticket: Mapping[str, Any], call: Mapping[str, Any], policy: Policy
) -> dict[str, Any]:
    return {
        "id": row["id"],
        "number": row["number"],
        "round": row["round"],
        "category": ticket["category"],
        "category_label": policy.categories[ticket["category"]].label,
        "address": ticket["address"],
        "description": call["description"],
        "called_at": present.time(call["called_at"]),
        "made_at": present.time(row["made_at"]),
        "due_at": present.time(row["due_at"]),
    }


def settled(desk: Desk, actor: Actor, *, number: str | None, after: int, limit: int) -> dict[str, Any]:
    """Return a page of what waits no more, newest first: `{items, next}`, each with its tries; of one ticket if given.

    Raises:
        NotPermitted: if the role calls nobody back.
    """
    check_permitted(actor, Permission.CALLBACK)
    with desk.store.read() as tx:
        rows = callbacks.settled(tx, after, limit + 1, number)
        items = histories(tx, rows[:limit])
    return {"items": items, "next": rows[limit - 1]["id"] if len(rows) > limit else None}


def histories(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return call-backs with what came of them and every try; the number masked."""
    tried = callbacks.tries(tx, [row["id"] for row in rows])
    plain = ("id", "number", "round", "state", "tries", "is_solved", "is_satisfied", "note", "settled_by", "rework")
    return [
        {
            **{name: row[name] for name in plain},
            "caller_phone": mask_phone(row["phone"]),
            "state_label": STATE_LABELS[State(row["state"])],
            "reason": row["reason"],
            "reason_label": reason_label(row["reason"]),
            **{name: present.time(row[name]) for name in ("due_at", "next_try_at", "settled_at")},
            "history": [
                {**{name: one[name] for name in ("by", "state", "note")}, "at": present.time(one["at"])}
                for one in tried[row["id"]]
            ],
        }
        for row in rows
    ]


def closable(desk: Desk, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return the finished tickets that only wait to be closed: `{items}`, the oldest first.

    Raises:
        NotPermitted: if the role calls nobody back.
    """
    check_permitted(actor, Permission.CALLBACK)
    with desk.store.read() as tx:
        return {"items": present.from_rows(tx, desk, callbacks.closable(tx, _CLOSABLE), now)}
