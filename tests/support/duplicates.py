"""The labelled calls of tests/data/duplicates.toml, taken one after the other, each earlier one an open ticket."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from dispatch.domain.call import NewCall
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import Actor
from dispatch.services import intake, similar
from dispatch.services.desk import Desk

FILE = Path(__file__).parents[1] / "data" / "duplicates.toml"
Pair = frozenset[str]


@dataclass(frozen=True)
class Outcome:
    """Pairs of ids: those that are one problem, and those that were suggested."""

    same: frozenset[Pair]
    suggested: frozenset[Pair]

    @property
    def precision(self) -> float:
        return len(self.same & self.suggested) / len(self.suggested)

    @property
    def recall(self) -> float:
        return len(self.same & self.suggested) / len(self.same)


def labelled() -> list[dict[str, Any]]:
    """The calls in the order in which they come."""
    calls: list[dict[str, Any]] = tomllib.loads(FILE.read_text("utf-8"))["call"]
    return sorted(calls, key=lambda call: call["minute"])


def same_pairs(calls: Sequence[Mapping[str, Any]]) -> frozenset[Pair]:
    """Every two calls of one group."""
    return frozenset(
        frozenset((one["id"], other["id"]))
        for n, one in enumerate(calls)
        for other in calls[:n]
        if one.get("group") is not None and one.get("group") == other.get("group")
    )


def replay(desk: Desk, agent: Actor, begin: datetime) -> Outcome:
    """Let the calls come in one by one; before each is saved, what it may be about is asked."""
    calls, ids, suggested = labelled(), dict[str, str](), set[Pair]()
    for told in calls:
        now = begin + timedelta(minutes=told["minute"])
        call = _call(told, now)
        with desk.store.read() as tx:
            found = similar.find(tx, desk, _probe(call), now, limit=50)
        suggested |= {frozenset((told["id"], ids[one.number])) for one in found}
        body = intake.register(desk, agent, call, {"id": told["id"]}, now).body
        if body["ticket"]:
            ids[body["ticket"]["number"]] = told["id"]
    return Outcome(same_pairs(calls), frozenset(suggested))


def _call(told: Mapping[str, Any], now: datetime) -> NewCall:
    point = Wgs84Point(told["lon"], told["lat"]) if "lon" in told else None
    return NewCall(
        called_at=now,
        category=told["category"],
        description=told["text"],
        caller_phone=told.get("phone"),
        point=point,
        is_approximate=True,
        address=told["address"],
        answer="已答复" if told["category"] == "inquiry" else None,
    )


def _probe(call: NewCall) -> similar.Probe:
    assert call.point is None or isinstance(call.point, Wgs84Point)
    return similar.Probe(
        point=call.point,
        address=call.address,
        category=call.category,
        description=call.description,
        caller_phone=call.caller_phone,
        called_at=call.called_at,
    )
