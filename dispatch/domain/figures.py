"""Count the figures of domain/definitions.py over facts, whatever they are grouped by and narrowed to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dispatch.domain.definitions import MEASURES, Figure
from dispatch.domain.facts import KINDS, Column, Facts, Judged, keep, microseconds
from dispatch.domain.sla import ClockKind

_HOUR_US, _DAY_US, _AHEAD_US = 3_600_000_000, 86_400_000_000, 8 * 3_600_000_000
_TENTHS_MIN = 600


class By(StrEnum):
    """What figures are grouped by; hour and day are those of 受理 in Changsha."""

    ZONE = "zone"
    HOUR = "hour"
    TEAM = "team"
    BRANCH = "branch"
    LEVEL = "level"
    CATEGORY = "category"
    STEWARD = "steward"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Value:
    """A figure of some tickets: `value`, None where there is nothing to measure, and how many it is `of`."""

    value: float | None
    of: int


@dataclass(frozen=True, slots=True)
class Kept:
    """How one kind of promise was kept; minutes are None where there are none.

    Attributes:
        judged: Clocks that were met, or broken by then.
        on_time: Those met in time.
        median_min: Median of the minutes taken, the pauses left out.
        p90_min: Their 90th percentile.
        late_median_min: Median of the minutes by which broken ones were late.
        late_p90_min: Their 90th percentile.
    """

    judged: int = 0
    on_time: int = 0
    median_min: float | None = None
    p90_min: float | None = None
    late_median_min: float | None = None
    late_p90_min: float | None = None

    @property
    def share(self) -> float | None:
        """The part that was met in time."""
        return self.on_time / self.judged if self.judged else None


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of what has one key: `tickets` received, each clock, each measure."""

    tickets: int
    clocks: Mapping[ClockKind, Kept]
    measures: Mapping[Figure, Value]


@dataclass(frozen=True, slots=True)
class Keys:
    """Into which group each ticket and each call falls; a call that has no such key falls into none (-1)."""

    names: tuple[str, ...]
    tickets: NDArray[np.int64]
    calls: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def keys_of(facts: Facts, by: By | None) -> Keys:
    """Return the groups; None: all in one."""
    if by is None:
        return Keys(("",), np.zeros(facts.count, np.int64), np.zeros(len(facts.calls["id"]), np.int64))
    if by in (By.HOUR, By.DAY):
        ticket_keys, call_keys = (_by_time(by, columns["at"]) for columns in (facts.tickets, facts.calls))
    else:
        ticket_keys = facts.tickets[by.value].astype(np.int64)
        calls = facts.calls.get(by.value)
        call_keys = np.full(len(facts.calls["id"]), -1) if calls is None else calls.astype(np.int64)
    found, places = np.unique(np.concatenate((ticket_keys, call_keys[call_keys >= 0])), return_inverse=True)
    split = len(ticket_keys)
    of_calls = np.full(len(call_keys), -1, dtype=np.int64)
    of_calls[call_keys >= 0] = places[split:]
    return Keys(tuple(_name(facts, by, int(key)) for key in found), places[:split], of_calls)


def _by_time(by: By, at: Column) -> NDArray[np.int64]:
    local = at + _AHEAD_US
    return (local // _HOUR_US) % 24 if by is By.HOUR else local // _DAY_US


def _name(facts: Facts, by: By, key: int) -> str:
    if by is By.HOUR:
        return f"{key:02d}"
    return str(np.datetime64(key, "D")) if by is By.DAY else facts.names[key]


def narrowed(facts: Facts, wanted: Mapping[str, str]) -> Facts:
    """Return the tickets with these values of DIMENSIONS; of the calls those of the category, where it is asked for."""
    if not wanted:
        return facts
    tickets, calls = np.ones(facts.count, bool), np.ones(len(facts.calls["id"]), bool)
    places = {name: n for n, name in enumerate(facts.names)}
    for name, value in wanted.items():
        place = places.get(value, -1)
        tickets &= facts.tickets[name] == place
        calls &= facts.calls[name] == place if name in facts.calls else False
    return keep(facts, tickets, calls)


def count(facts: Facts, by: By | None, now: datetime) -> dict[str, Group]:
    """Return all figures of each group by its key, in the order of keys."""
    keys = keys_of(facts, by)
    lateness = _late_by(facts, now), broken(facts, now)
    clocks = {kind: _kept(facts, keys, kind, *lateness) for kind in KINDS}
    measures = {figure: work(facts, keys) for figure, work in _WORK.items()}
    tickets = np.bincount(keys.tickets, minlength=len(keys.names))
    groups = {
        name: Group(
            int(tickets[n]), {kind: clocks[kind][n] for kind in KINDS}, {one: measures[one][n] for one in MEASURES}
        )
        for n, name in enumerate(keys.names)
    }
    return dict(sorted(groups.items()))


# ---------------------------------------------------------------- clocks


def broken(facts: Facts, now: datetime) -> Column:
    """Return which clocks are broken at `now`."""
    state: Column = facts.clocks["state"]
    is_due: Column = (state == Judged.OPEN) & (_late_by(facts, now) >= 0)
    is_over: Column = (state == Judged.LATE) | (state == Judged.LOST)
    return is_due | is_over


def _late_by(facts: Facts, now: datetime) -> NDArray[np.int64]:
    """Return by how many tenths of a second each clock is late, as if it were met now."""
    since = (microseconds(now) - facts.tickets["at"][facts.clocks["row"]]) // 100_000
    return since - facts.clocks["edge"].astype(np.int64)


def _kept(facts: Facts, keys: Keys, kind: ClockKind, late_by: Column, broken_now: Column) -> list[Kept]:
    some = facts.clocks["kind"] == KINDS.index(kind)
    state, groups = facts.clocks["state"][some], keys.tickets[facts.clocks["row"][some]]
    taken, size = facts.clocks["taken"][some], len(keys.names)
    is_broken = broken_now[some]
    is_met = state <= Judged.LATE
    late = np.where(state == Judged.LATE, facts.clocks["edge"][some], late_by[some])
    has_end = is_broken & (state != Judged.LOST)
    on_time = np.bincount(groups[state == Judged.KEPT], minlength=size)
    lost = np.bincount(groups[is_broken], minlength=size)
    taken_min, late_min = (
        spread(groups[mask], values[mask], size) for mask, values in ((is_met, taken), (has_end, late))
    )
    return [Kept(int(on_time[n] + lost[n]), int(on_time[n]), *taken_min[n], *late_min[n]) for n in range(size)]


def nearest_rank(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def spread(groups: Column, values: Column, size: int) -> list[tuple[float | None, float | None]]:
    """Return of each group the median and the 90th percentile (the smallest value that 90 % do not exceed).

    Args:
        groups: The group of each value.
        values: Tenths of a second; the answer is in minutes.
        size: How many groups there are.
    """
    ordered = np.sort((groups.astype(np.int64) << 32) | values.astype(np.int64)) & 0xFFFF_FFFF
    found: list[tuple[float | None, float | None]] = []
    start = 0
    for number in np.bincount(groups, minlength=size).tolist():
        if not number:
            found.append((None, None))
            continue
        middle = (ordered[start + (number - 1) // 2] + ordered[start + number // 2]) / 2
        last = ordered[start + (9 * number + 9) // 10 - 1]
        found.append((float(middle) / _TENTHS_MIN, float(last) / _TENTHS_MIN))
        start += number
    return found


# ---------------------------------------------------------------- measures


def _sums(groups: Column, weights: Column, size: int) -> Column:
    return np.bincount(groups, weights=weights, minlength=size)


def _values(amounts: Column, of: Column) -> list[Value]:
    return [Value(float(amount) / int(n) if n else None, int(n)) for amount, n in zip(amounts, of, strict=True)]


def _finished(facts: Facts, keys: Keys, amount: Column, among: Column) -> list[Value]:
    """Return an amount for each ticket that was finished and is among these."""
    some, size = (facts.tickets["is_finished"] == 1) & among, len(keys.names)
    groups = keys.tickets[some]
    return _values(_sums(groups, amount[some], size), np.bincount(groups, minlength=size))


def _is_first_fix(facts: Facts) -> Column:
    told = facts.tickets
    is_once: Column = (told["visits"] <= 1) & (told["rounds"] == 1)
    is_whole: Column = (told["reworks"] == 0) & (told["is_temporary"] == 0)
    return is_once & is_whole


def _own(facts: Facts) -> Column:
    is_own: Column = facts.tickets["is_carried"] == 0
    return is_own


def _handovers(facts: Facts) -> Column:
    return np.maximum(facts.tickets["given"].astype(np.int64) - 1, 0)


def _callers(amount: str, of: str) -> Callable[[Facts, Keys], list[Value]]:
    """Return a measure of the callers of finished tickets."""

    def work(facts: Facts, keys: Keys) -> list[Value]:
        some, size = facts.tickets["is_finished"] == 1, len(keys.names)
        sums = [_sums(keys.tickets[some], facts.tickets[name][some], size) for name in (amount, of)]
        return _values(sums[0], sums[1])

    return work


def _calls(which: str) -> Callable[[Facts, Keys], list[Value]]:
    def work(facts: Facts, keys: Keys) -> list[Value]:
        some, size = keys.calls >= 0, len(keys.names)
        groups = keys.calls[some]
        return _values(_sums(groups, facts.calls[which][some], size), np.bincount(groups, minlength=size))

    return work


def _returned(facts: Facts, keys: Keys) -> list[Value]:
    size = len(keys.names)
    amounts = _sums(keys.tickets, facts.tickets["returns"] > 0, size)
    return _values(amounts, np.bincount(keys.tickets, minlength=size))


def _acknowledged(facts: Facts, keys: Keys) -> list[Value]:
    some, size = facts.steps["is_answered"] == 1, len(keys.names)
    groups = keys.tickets[facts.steps["row"][some]]
    medians = spread(groups, facts.steps["taken"][some], size)
    counts = np.bincount(groups, minlength=size)
    return [Value(median, int(n)) for (median, _), n in zip(medians, counts, strict=True)]


_WORK: Mapping[Figure, Callable[[Facts, Keys], list[Value]]] = {
    Figure.FIRST_FIX: lambda facts, keys: _finished(facts, keys, _is_first_fix(facts), _own(facts)),
    Figure.VISITS: lambda facts, keys: _finished(facts, keys, facts.tickets["visits"], _own(facts)),
    Figure.HANDOVERS: lambda facts, keys: _finished(facts, keys, _handovers(facts), _own(facts)),
    Figure.RETURNED: _returned,
    Figure.CALLED_BACK: _callers("heard", "ringable"),
    Figure.SATISFIED: _callers("satisfied", "judged"),
    Figure.ANSWERED: _calls("is_answered"),
    Figure.REPEATED: _calls("is_repeat"),
    Figure.ACKNOWLEDGED: _acknowledged,
}


def change(before: Value, after: Value) -> float | None:
    """Return the part by which a figure has grown (-0.5: halved); None where there is nothing to compare."""
    if not before.value or after.value is None:
        return None
    return after.value / before.value - 1
