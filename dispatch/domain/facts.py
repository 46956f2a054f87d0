"""What the figures are made of: a few numbers for each ticket, clock, escalation step and call, in columns.

Facts are what happened, not how it looks at some moment: a clock that runs keeps when it is due, so that whoever counts
judges it by a time of their own, and a day's facts change only when one of its tickets does. A year of a big city is
some million rows: numpy counts them in less than a second, whatever they are grouped by and narrowed to.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dispatch.domain import sla
from dispatch.domain.sla import Clock, ClockKind

Column = NDArray[Any]
# Raise it with every change of a column: days that were packed before are then packed anew.
FORMAT = 1
KINDS = tuple(ClockKind)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
TENTH_S = timedelta(seconds=0.1)
MOST_32, MOST_16 = 2**32 - 1, 2**16 - 1


class Judged(IntEnum):
    """How a clock stands: kept; met too late; ended unmet after it was broken; or to be judged by its due time."""

    KEPT = 0
    LATE = 1
    LOST = 2
    OPEN = 3


# Whose values are places in `names`.
DIMENSIONS = ("zone", "team", "branch", "steward", "level", "category")
# `at`: microseconds since 1970; `row`: the ticket's place; `taken`, `edge`: tenths of a second. `edge` is by how much a
# late clock was late, and how long after 受理 an open one is due.
_TICKET_COUNTS = ("visits", "given", "rounds", "reworks", "returns", "ringable", "heard", "judged", "satisfied")
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "tickets": {
        "id": "<i8",
        "at": "<i8",
        **dict.fromkeys(DIMENSIONS, "<u2"),
        **dict.fromkeys(("is_finished", "is_carried", "is_temporary"), "u1"),
        **dict.fromkeys(_TICKET_COUNTS, "<u2"),
    },
    "clocks": {"row": "<u4", "kind": "u1", "state": "u1", "taken": "<u4", "edge": "<u4"},
    "steps": {"row": "<u4", "is_answered": "u1", "taken": "<u4"},
    "calls": {"id": "<i8", "at": "<i8", "category": "<u2", "is_answered": "u1", "is_repeat": "u1"},
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of some tickets and calls; `names[0]` is empty and stands for none."""

    names: tuple[str, ...]
    tickets: Mapping[str, Column]
    clocks: Mapping[str, Column]
    steps: Mapping[str, Column]
    calls: Mapping[str, Column]

    @property
    def count(self) -> int:
        """How many tickets there are."""
        return len(self.tickets["id"])

    def of(self, kind: str) -> Mapping[str, Column]:
        """Return the columns of `tickets`, `clocks`, `steps` or `calls`."""
        columns: Mapping[str, Column] = getattr(self, kind)
        return columns


class Gatherer:
    """Takes rows one by one, and gives them back as facts."""

    def __init__(self) -> None:
        self._names = {"": 0}
        self._rows: dict[str, list[tuple[Any, ...]]] = {kind: [] for kind in COLUMNS}
        self._places: dict[int, tuple[int, datetime]] = {}

    def ticket(
        self, ticket_id: int, received_at: datetime, dimensions: Sequence[str | None], rest: Iterable[int]
    ) -> None:
        """Add a ticket: `dimensions` in the order of DIMENSIONS, `rest` in that of the columns after them."""
        self._places[ticket_id] = (len(self._rows["tickets"]), received_at)
        named = (self._place(name) for name in dimensions)
        counts = (min(int(value), MOST_16) for value in rest)
        self._rows["tickets"].append((ticket_id, microseconds(received_at), *named, *counts))

    def clock(self, ticket_id: int, clock: Clock) -> None:
        """Add a clock of a ticket that was added; one that ended unbroken, or rests so, says nothing."""
        row, received_at = self._places[ticket_id]
        state, edge = _standing(clock, received_at)
        if state is None:
            return
        taken = timedelta()
        if clock.met_at is not None:
            taken = clock.met_at - clock.start_at - timedelta(seconds=clock.paused_s)
        self._rows["clocks"].append((row, KINDS.index(clock.kind), state, _tenths(taken), _tenths(edge)))

    def step(self, ticket_id: int, fired_at: datetime, acknowledged_at: datetime | None) -> None:
        """Add a step of the ladder of a ticket that was added."""
        taken = timedelta() if acknowledged_at is None else acknowledged_at - fired_at
        row = self._places[ticket_id][0]
        self._rows["steps"].append((row, acknowledged_at is not None, _tenths(taken)))

    def call(self, call_id: int, called_at: datetime, category: str, *, is_answered: bool, is_repeat: bool) -> None:
        """Add a call."""
        row = (call_id, microseconds(called_at), self._place(category), is_answered, is_repeat)
        self._rows["calls"].append(row)

    def facts(self) -> Facts:
        """Return all that was added."""
        return Facts(tuple(self._names), **{kind: _columns(kind, rows) for kind, rows in self._rows.items()})

    def _place(self, name: str | None) -> int:
        return self._names.setdefault(name or "", len(self._names))


def _columns(kind: str, rows: Sequence[tuple[Any, ...]]) -> dict[str, Column]:
    values = list(zip(*rows, strict=True)) if rows else [()] * len(COLUMNS[kind])
    return {
        name: np.array(column, dtype=type_) for (name, type_), column in zip(COLUMNS[kind].items(), values, strict=True)
    }


def _standing(clock: Clock, received_at: datetime) -> tuple[Judged | None, timedelta]:
    """Return how a clock stands, and its edge; None where it says nothing."""
    broken_at = clock.breached_at or clock.due_at
    if clock.met_at is not None:
        is_late = sla.is_breached(clock, clock.met_at)
        return (Judged.LATE, clock.met_at - broken_at) if is_late else (Judged.KEPT, timedelta())
    if clock.is_void:
        return (None if clock.breached_at is None else Judged.LOST), timedelta()
    if clock.paused_at is not None and clock.breached_at is None:
        return None, timedelta()
    return Judged.OPEN, broken_at - received_at


def _tenths(span: timedelta) -> int:
    return min(max(span // TENTH_S, 0), MOST_32)


def microseconds(at: datetime) -> int:
    """Return a time as the facts keep it."""
    return (at - _EPOCH) // _MICROSECOND


NOTHING = Gatherer().facts()


# ---------------------------------------------------------------- parts and wholes


def keep(facts: Facts, tickets: Column, calls: Column) -> Facts:
    """Return the tickets and calls that two masks name, with all that hangs on them."""
    places = np.cumsum(tickets) - 1
    parts: dict[str, dict[str, Column]] = {
        "tickets": {name: column[tickets] for name, column in facts.tickets.items()},
        "calls": {name: column[calls] for name, column in facts.calls.items()},
    }
    for kind in ("clocks", "steps"):
        columns = facts.of(kind)
        stays = tickets[columns["row"]]
        parts[kind] = {name: column[stays] for name, column in columns.items()}
        parts[kind]["row"] = places[parts[kind]["row"]].astype("<u4")
    return Facts(facts.names, **parts)


def without(facts: Facts, ticket_ids: Collection[int], call_ids: Collection[int]) -> Facts:
    """Return all but some tickets and calls."""
    gone = [np.isin(facts.of(kind)["id"], list(ids)) for kind, ids in (("tickets", ticket_ids), ("calls", call_ids))]
    return keep(facts, ~gone[0], ~gone[1]) if any(mask.any() for mask in gone) else facts


def within(facts: Facts, start: datetime, end: datetime) -> Facts:
    """Return what was received, and who called, from `start` to before `end`."""
    first, last = microseconds(start), microseconds(end)
    masks = [(facts.of(kind)["at"] >= first) & (facts.of(kind)["at"] < last) for kind in ("tickets", "calls")]
    return facts if all(mask.all() for mask in masks) else keep(facts, masks[0], masks[1])


def join(parts: Sequence[Facts]) -> Facts:
    """Return the facts of all parts."""
    if len(parts) == 1:
        return parts[0]
    names: dict[str, int] = {"": 0}
    found: dict[str, dict[str, list[Column]]] = {
        kind: {name: [np.empty(0, dtype=type_)] for name, type_ in columns.items()} for kind, columns in COLUMNS.items()
    }
    count = 0
    for part in parts:
        places = np.array([names.setdefault(name, len(names)) for name in part.names], dtype="<u2")
        for kind, columns in found.items():
            for name, collected in columns.items():
                column = part.of(kind)[name]
                if name in DIMENSIONS:
                    column = places[column]
                collected.append(column + np.uint32(count) if name == "row" else column)
        count += part.count
    whole = {kind: {name: np.concatenate(some) for name, some in columns.items()} for kind, columns in found.items()}
    return Facts(tuple(names), **whole)


# ---------------------------------------------------------------- kept as bytes


def pack(facts: Facts) -> bytes:
    """Return facts as bytes: a head of JSON, then the columns, one after another, compressed."""
    counts = {kind: len(next(iter(facts.of(kind).values()))) for kind in COLUMNS}
    head = json.dumps({"names": facts.names, "counts": counts}, ensure_ascii=False).encode()
    columns = [facts.of(kind)[name].astype(type_) for kind, those in COLUMNS.items() for name, type_ in those.items()]
    return zlib.compress(b"".join((head, b"\n", *(column.tobytes() for column in columns))), 1)


def unpack(data: bytes) -> Facts:
    """Return what `pack` was given; of the same FORMAT."""
    raw = zlib.decompress(data)
    at = raw.index(b"\n") + 1
    head = json.loads(raw[:at])
    parts: dict[str, dict[str, Column]] = {}
    for kind, columns in COLUMNS.items():
        parts[kind] = {}
        for name, type_ in columns.items():
            parts[kind][name] = np.frombuffer(raw, dtype=type_, count=head["counts"][kind], offset=at)
            at += parts[kind][name].nbytes
    return Facts(tuple(head["names"]), **parts)
