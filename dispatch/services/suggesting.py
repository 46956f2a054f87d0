"""Suggestions where an unplaced ticket is, from geocoders on the network: lease, ask, mark, as delivery does.

A suggestion is a line of the timeline for the dispatcher and never a pin: nothing is routed by it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.address import LEVEL_LABELS
from dispatch.domain.roles import SYSTEM
from dispatch.services import lookup as geocoding
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.services.lookup import Answer, Lookup, label
from dispatch.storage import suggestions, tickets
from dispatch.storage.db import Tx
from dispatch.storage.suggestions import Question

# Longer than all four geocoders may take together.
LEASE_S = 120.0
# After each try with nobody there; then it is given up.
PAUSES_S = (20.0, 120.0, 600.0)
_PLAIN = ("state", "note", "label", "level", "lon", "lat", "zone_id", "confidence", "source")


@dataclass(slots=True)
class Suggested:
    """What a round did, in questions."""

    found: int = 0
    unknown: int = 0
    retried: int = 0
    dropped: int = 0


def suggest(
    desk: Desk, lookup: Lookup, clock: Callable[[], datetime], is_stopped: Callable[[], bool] = lambda: False
) -> Suggested:
    """Ask all that waits.

    Args:
        desk: The process's desk.
        lookup: Whom to ask.
        clock: Reads the time: asking takes some.
        is_stopped: Asked before each question, and before each geocoder.
    """
    done = Suggested()
    while not is_stopped() and _is_waiting(desk, clock()):
        with desk.store.write() as tx:
            question = suggestions.lease(tx, clock(), LEASE_S)
            is_wanted = question is not None and suggestions.is_wanted(tx, question.ticket_id)
        if question is None:  # another was faster
            break
        if not is_wanted:
            with desk.store.write() as tx:
                done.dropped += suggestions.mark(tx, question, {"state": "moot", "next_try_at": None})
            continue
        answer = geocoding.ask(desk, lookup, question.text, clock(), lambda: not is_stopped())
        if is_stopped() and answer.best is None:  # not everybody was asked: it waits as before
            with desk.store.write() as tx:
                left = {"state": "waiting", "attempts": question.attempts - 1, "next_try_at": clock()}
                suggestions.mark(tx, question, left)
            break
        with desk.store.write() as tx:
            _mark(tx, question, answer, clock(), done)
        geocoding.record(desk, lookup)
    return done


def _is_waiting(desk: Desk, now: datetime) -> bool:
    with desk.store.read() as tx:
        next_try_at = suggestions.next_try(tx)
    return next_try_at is not None and next_try_at <= now


def _mark(tx: Tx, question: Question, answer: Answer, now: datetime, done: Suggested) -> None:
    # The ticket's lock comes first, as everywhere.
    ticket = tickets.lock_id(tx, question.ticket_id)
    is_late = not suggestions.is_wanted(tx, question.ticket_id)
    values, words = _outcome(question, answer, now)
    if is_late:
        values, words = {"state": "moot", "next_try_at": None}, ""
    if not suggestions.mark(tx, question, values):
        return
    if words:
        tickets.note(tx, ticket, "suggest", words, SYSTEM, now, at=now)
    done.found += values["state"] == "suggested"
    done.unknown += values["state"] in ("unknown", "given_up")
    done.retried += values["state"] == "waiting"
    done.dropped += is_late


def _outcome(question: Question, answer: Answer, now: datetime) -> tuple[dict[str, Any], str]:
    """Return what is kept of an answer, and the line of the timeline; an outage is told once, and once more its end."""
    best = answer.best
    if best is not None and best.point is not None:
        where = f"{best.point.lon:.6f},{best.point.lat:.6f} (WGS-84)"
        words = (
            f"在线定位建议: {best.label}, {where}, {LEVEL_LABELS[best.level]}级, "
            f"来源{label(best.source)}, 置信 {best.confidence:.2f}; {best.reason}。请核实后派单"
        )
        kept: dict[str, Any] = {
            "label": best.label,
            "level": best.level.value,
            "confidence": best.confidence,
            "source": best.source,
        }
        kept |= {"lon": best.point.lon, "lat": best.point.lat, "zone_id": best.zone_id}
        return {**_closed("suggested", words, now), **kept}, words
    if not answer.is_down:
        words = f"在线定位没有可用的结果 ({answer.words}), 请人工定位"
        return _closed("unknown", words, now), words
    if question.attempts > len(PAUSES_S):
        words = f"在线定位一直不可用 ({answer.words}), 已停止尝试, 请人工定位"
        return _closed("given_up", words, now), words
    again_at = now + timedelta(seconds=PAUSES_S[question.attempts - 1])
    words = f"在线定位暂不可用 ({answer.words}), 稍后自动再试, 请先人工定位"
    waiting = {"state": "waiting", "next_try_at": again_at, "note": words}
    return waiting, words if question.attempts == 1 else ""


def _closed(state: str, words: str, now: datetime) -> dict[str, Any]:
    return {"state": state, "next_try_at": None, "answered_at": now, "note": words}


def shown(tx: Tx, ticket_id: int) -> dict[str, Any] | None:
    """Return the public form of what came of the question about a ticket, or None where none was put."""
    row = suggestions.of_ticket(tx, ticket_id)
    if row is None:
        return None
    return {**{name: row[name] for name in _PLAIN}, "answered_at": present.time(row["answered_at"])}
