"""A surge: when it begins and ends, whose notices are gathered in it, and which clocks may be wider.

Nothing here drops anything: a step of the ladder fires as always, only its notice may come with others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.domain import sla
from dispatch.domain.call import check_text
from dispatch.domain.errors import DispatchError, InvalidInput
from dispatch.domain.sla import CLOCK_LABELS, Clock, ClockKind
from dispatch.domain.surge_policy import SurgePolicy
from dispatch.domain.times import SHANGHAI

# So many tickets are named in a digest; all of them are counted.
_WORST = 5


class SurgeConflict(DispatchError):
    """The surge does not stand as was thought: open already, over already, decided already."""

    code = "surge-conflict"
    status = 409


class How(StrEnum):
    """What began or ended a surge."""

    THRESHOLDS = "thresholds"
    HAND = "hand"


class Move(StrEnum):
    """What the thresholds ask for: begin, end, or note that it has become calm, or is so no longer."""

    ENTER = "enter"
    LEAVE = "leave"
    CALM = "calm"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand: whether a surge is open, whether a person holds it so, and since when it has been calm."""

    is_open: bool = False
    is_held: bool = False
    calm_since: datetime | None = None


def judge(standing: Standing, policy: SurgePolicy | None, calls: int, now: datetime) -> Move | None:
    """Return what the thresholds ask for, or None; nothing where a person holds the state, or the policy has none.

    Args:
        standing: How things stand.
        policy: The policy's section, or None.
        calls: How many came in its window.
        now: The moment.
    """
    if policy is None or standing.is_held:
        return None
    if not standing.is_open:
        return Move.ENTER if calls >= policy.enter_calls else None
    if calls >= policy.leave_calls:
        return None if standing.calm_since is None else Move.BUSY
    if standing.calm_since is None:
        return Move.CALM
    return Move.LEAVE if now - standing.calm_since >= policy.calm else None


# ---------------------------------------------------------------- digests


@dataclass(frozen=True, slots=True)
class Gathering:
    """What an open surge does to notices: its id, whose are gathered, the levels whose breaches are not, how often."""

    surge_id: int
    digest_to: tuple[str, ...]
    at_once: tuple[str, ...]
    every: timedelta

    def gathers(self, recipient: str, level: str, ratio: float) -> bool:
        """Tell whether the notice of a step to a recipient such as `branch_duty:城南` waits for the digest."""
        if level in self.at_once and ratio >= 1.0:
            return False
        return recipient.partition(":")[0] in self.digest_to

    def gathers_person(self, audience: str, level: str) -> bool:
        """Tell whether what somebody is told as one of an audience waits for his digest.

        A level in `at_once` wakes people by a message of its own before it is broken as well.
        """
        return level not in self.at_once and audience in self.digest_to


@dataclass(frozen=True, slots=True)
class Line:
    """One step in a digest."""

    number: str
    level: str
    clock: ClockKind
    ratio: float
    label: str


def digest_text(lines: Sequence[Line], since: datetime, until: datetime, link: str) -> str:
    """Return a digest in words: how many of each step, the worst tickets, and where to see all of them.

    Args:
        lines: At least one.
        since: From when.
        until: Up to when.
        link: Address of the board.
    """
    counts = Counter((CLOCK_LABELS[line.clock], f"{line.ratio:.0%}", line.label) for line in lines)
    steps = ", ".join(f"{clock} {ratio} {label} {count}" for (clock, ratio, label), count in counts.most_common())
    by_number: dict[str, Line] = {}
    for line in sorted(lines, key=lambda line: (line.level, -line.ratio, line.number)):
        by_number.setdefault(line.number, line)
    worst = ", ".join(
        f"{line.number} ({line.level} {CLOCK_LABELS[line.clock]} {line.ratio:.0%})"
        for line in list(by_number.values())[:_WORST]
    )
    span = f"{since.astimezone(SHANGHAI):%H:%M}–{until.astimezone(SHANGHAI):%H:%M}"
    return f"大流量汇总 {span}: 升级 {len(lines)} 步, 工单 {len(by_number)} 张: {steps}; 最急: {worst}; {link}"


# ---------------------------------------------------------------- wider clocks


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWidening:
    """Wider clocks, as somebody proposes them.

    Attributes:
        levels: Of which levels.
        clocks: Which of their clocks.
        factor: How many times as long, above 1.
        word: Why, as it stands on each ticket, such as `寒潮`.
        is_for_running: Whether tickets that are open already get them too.
    """

    levels: Sequence[str]
    clocks: Sequence[ClockKind]
    factor: float
    word: str
    is_for_running: bool = False


@dataclass(frozen=True, slots=True)
class Widening:
    """Wider clocks that hold."""

    id: int
    levels: tuple[str, ...]
    clocks: tuple[ClockKind, ...]
    factor: float
    word: str

    def covers(self, level: str, kind: ClockKind) -> bool:
        """Tell whether it holds for such a clock."""
        return level in self.levels and kind in self.clocks


def check_widening(told: NewWidening, policy: SurgePolicy | None) -> None:
    """Raise InvalidInput unless the policy allows it."""
    check_text(told.word, "word")
    if not told.word.strip():
        raise InvalidInput("请写明放宽的原因", field="word")
    if policy is None or not policy.levels:
        raise InvalidInput("现行政策不允许放宽时限", field="levels")
    _check_within(told.levels, policy.levels, "levels")
    _check_within(told.clocks, policy.clocks, "clocks")
    if not 1.0 < told.factor <= policy.most:
        raise InvalidInput(f"放宽倍数须大于 1, 不超过 {policy.most:g}", field="factor")


def _check_within(told: Sequence[str], allowed: Sequence[str], field: str) -> None:
    if not told or not set(told) <= set(allowed):
        raise InvalidInput(f"只能放宽: {', '.join(allowed)}", field=field)


def widen(clock: Clock, level: str, widenings: Sequence[Widening], now: datetime) -> Clock:
    """Return the clock under the last widening that covers it; one that is over, broken or wide already stays."""
    covering = [one for one in widenings if one.covers(level, clock.kind)]
    is_broken = clock.breached_at is not None or sla.is_breached(clock, now)
    if not covering or clock.widening_id is not None or not clock.is_running or is_broken:
        return clock
    by = covering[-1]
    more = (clock.original_due_at - clock.start_at) * (by.factor - 1.0)
    return replace(sla.extend(clock, clock.due_at + more), widening_id=by.id)


def widened_text(clocks: Sequence[Clock], widenings: Sequence[Widening]) -> str:
    """Say on a ticket which of its clocks are wider and why, e.g. `因寒潮放宽: 接单, 完工 ×2`; empty where none is."""
    by_id: Mapping[int, Widening] = {one.id: one for one in widenings}
    told: dict[int, list[str]] = {}
    for clock in clocks:
        if clock.widening_id is not None and clock.widening_id in by_id:
            told.setdefault(clock.widening_id, []).append(CLOCK_LABELS[clock.kind])
    return "; ".join(
        f"因{by_id[id_].word}放宽: {', '.join(names)} ×{by_id[id_].factor:g}" for id_, names in told.items()
    )
