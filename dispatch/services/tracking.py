"""How a ticket stands for its caller, who has shown its token; and what the caller thinks of the work."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import IllegalTransition, NotFound
from dispatch.domain.roles import PUBLIC
from dispatch.domain.sla import ClockKind
from dispatch.domain.states import Status
from dispatch.domain.tracking import FINISHED, STEPS, AlreadyRated, hide_room, reached, step_of
from dispatch.services import outage_view, present, temporary
from dispatch.services.desk import Desk
from dispatch.storage import board, clocks, incidents, ratings, tickets
from dispatch.storage.db import Tx

_PROMISES = (ClockKind.ARRIVE, ClockKind.FIX)
_OF_PROMISE = ("due_at", "met_at", "state", "resume_at")


def progress(desk: Desk, number: str, now: datetime) -> dict[str, Any]:
    """Return how a ticket stands, in a form that names no person, no phone and no room.

    A merged ticket stands as the one does that it was merged into, however often that was merged itself.

    Raises:
        NotFound: if there is none.
    """
    with desk.store.read() as tx:
        asked = present.find(tx, number)
        row = _followed(tx, asked)
        return {
            "number": number,
            "is_merged": row["id"] != asked["id"],
            **_standing(tx, desk, row, now),
            "address": hide_room(asked["address"]),
            "follow_up_of": asked["follow_up_of"],
            "follow_ups": temporary.shown(tx, number),
            "rating": present.rating(ratings.last(tx, asked["id"])),
            "can_rate": _can_rate(tx, asked),
            "server_time": present.time(now),
        }


def _followed(tx: Tx, row: dict[str, Any]) -> dict[str, Any]:
    """Return the ticket that the work is done under; nothing is merged into a merged one, so there is no circle."""
    while row["merged_into"]:
        row = present.find(tx, row["merged_into"])
    return row


def _standing(tx: Tx, desk: Desk, row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    rules = desk.rules(tx, now)
    moves = [(Status(event["to_status"]), event["effective_at"]) for event in board.timeline(tx, row["id"])]
    told = present.ticket(row, clocks.of_ticket(tx, row["id"]), desk.policy(tx, row["policy_version"]), now)
    promised = {clock["kind"]: clock for clock in told["clocks"] if clock["round"] == row["round"]}
    team = rules.teams.get(row["team_id"] or "")
    return {
        **{name: told[name] for name in ("status", "category", "category_label", "received_at")},
        "step": step_of(Status(row["status"])),
        "steps": [
            {"status": step.value, "at": present.time(at)} for step, at in zip(STEPS, reached(moves), strict=True)
        ],
        "team": team["name"] if team else None,
        "promises": {kind.value: _promise(promised.get(kind)) for kind in _PROMISES},
        "water": _water(tx, row["incident_id"]),
        "outages": outage_view.known_in(tx, rules, now, row["zone_id"]) if row["zone_id"] else [],
    }


def _water(tx: Tx, incident_id: int | None) -> dict[str, Any] | None:
    return None if incident_id is None else present.water_form(incidents.water(tx, [incident_id])[incident_id])


def _promise(clock: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if clock is None or clock["state"] == "void" else {name: clock[name] for name in _OF_PROMISE}


def _can_rate(tx: Tx, row: Mapping[str, Any]) -> bool:
    last = ratings.last(tx, row["id"])
    return Status(row["status"]) in FINISHED and (last is None or last["round"] != row["round"])


def rate(desk: Desk, number: str, stars: int, words: str, now: datetime) -> dict[str, Any]:
    """Keep what the caller thinks of the last round of work and return it; the same once more changes nothing.

    Args:
        desk: The process's desk.
        number: The ticket.
        stars: 1 to 5.
        words: May be empty.
        now: The server's time.

    Raises:
        NotFound: if there is no such ticket.
        IllegalTransition: if the work is not finished.
        AlreadyRated: if the round was rated before, otherwise.
    """
    check_text(words, "words")
    with desk.store.write() as tx:
        ticket = tickets.lock(tx, number)
        if ticket is None:
            raise NotFound(f"没有工单 {number}")
        if ticket.status not in FINISHED:
            raise IllegalTransition("完工之后才能评价")
        told = {"ticket_id": ticket.id, "round": ticket.round, "stars": stars, "words": words, "at": now}
        if ratings.add(tx, told):
            text = f"用户评价 {stars} 星" + (f": {words}" if words else "")
            tickets.note(tx, ticket, "rating", text, PUBLIC, now, at=now)
        kept = present.rating(ratings.last(tx, ticket.id))
    if kept is None or (kept["stars"], kept["words"]) != (stars, words):
        raise AlreadyRated("您已评价过这次服务")
    return kept
