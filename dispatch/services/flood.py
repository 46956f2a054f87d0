"""A labelled simulation of a surge: many times the usual calls, a burst on one address, crews who act, late or never.

As in services/simulation.py everything runs through the real services on simulated time; besides, the surge is watched
and notices are delivered each simulated minute, as a scheduler would, and the board is asked as a supervisor would.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from dispatch.domain.call import NewCall
from dispatch.domain.roles import Actor, Role
from dispatch.domain.surge import Move
from dispatch.domain.zones import Zone
from dispatch.notify.port import Channel
from dispatch.services import delivery, escalation, intake, queue, surge
from dispatch.services.desk import Desk
from dispatch.services.simulation import Hour, made_up
from dispatch.storage import health, tally
from dispatch.storage.board import Filter
from dispatch.storage.db import Store

# A usual day, from DESIGN's real utility.
DAILY = 5_000
_BURST_LASTS_S = 600.0
# Of so many calls the telephone platform tells one twice.
_ONE_TWICE_OF = 50
_BOSS = Actor(0, "模拟值班长", Role.SUPERVISOR)
# A night of frost, made up: of 100 calls so many of each kind, and what is said.
_FROST = {
    "no_water": (36, "水管冻住了, 家里没水"),
    "leak": (18, "水表冻裂, 一直在漏水"),
    "repair": (20, "水表箱里的阀门冻坏了"),
    "pressure": (8, "水压很小"),
    "other": (8, "反映防冻问题"),
    "billing": (5, "冻裂漏水后的水费怎么算"),
    "inquiry": (5, "水管冻了怎么办"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How many calls come in each minute, and when the burst begins with how many."""

    per_minute: Sequence[int]
    burst_at: timedelta
    burst_calls: int = 200

    @property
    def calls(self) -> int:
        """All calls."""
        return sum(self.per_minute) + self.burst_calls


# An hour at 20 calls a minute, with a burst.
HOUR = Plan([20] * 60, timedelta(minutes=20))
# Calls a minute in each hour of a day with four times the usual calls, one hour of them at 20 a minute.
_DAY = (5, 5, 5, 5, 5, 5, 11, 16, 19, 19, 20, 19, 19, 19, 19, 19, 19, 19, 19, 19, 17, 13, 9, 5)
DAY = Plan([rate for rate in _DAY for _ in range(60)], timedelta(hours=10, minutes=20))


@dataclass(slots=True)
class Flooded:
    """What the surge brought, as the simulation saw it.

    Attributes:
        taken: Calls, each counted once.
        repeats: Calls that were told twice, and counted once.
        outcomes: What became of them.
        moves: When it began and ended.
        looks_s: How long each look at the board took.
        burst: The number of the burst's ticket.
        until: Up to when it was played.
        is_complete: Whether that is its end.
    """

    until: datetime
    taken: int = 0
    repeats: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    moves: list[tuple[datetime, Move]] = field(default_factory=list)
    looks_s: list[float] = field(default_factory=list)
    burst: str = ""
    is_complete: bool = True


class Flood(Hour):
    """One simulated surge.

    Args:
        desk: The process's desk.
        agent: Who takes the calls.
        zones: Where people live.
        start: When it begins.
        rng: The dice.
        channels: Where notices go.
        tell: Called with the simulated time and a line for people.
        plan: How many calls come when.
        timer: Reads seconds, to time the board.
        is_stopped: Asked between two steps; once it says yes, nothing more happens.
        progress: Called with 1 for each call.
    """

    def __init__(
        self,
        desk: Desk,
        agent: Actor,
        zones: Sequence[Zone],
        start: datetime,
        rng: Random,
        channels: Mapping[str, Channel],
        tell: Callable[[datetime, str], object],
        *,
        plan: Plan,
        timer: Callable[[], float],
        is_stopped: Callable[[], bool] = lambda: False,
        progress: Callable[[int], object] = lambda _count: None,
    ) -> None:
        super().__init__(desk, agent, zones, start, rng, channels, tell)
        self._plan, self._timer, self._is_stopped, self._progress = plan, timer, is_stopped, progress
        self._end = start + timedelta(minutes=len(plan.per_minute))
        self.flooded = Flooded(until=start)

    def play(self) -> Flooded:
        """Let it happen, until its end or a stop, and return what it brought."""
        self._plan_calls()
        self._plan_burst()
        for minute in range(len(self._plan.per_minute) + 1):
            self.plan(self._start + timedelta(minutes=minute), self._look)
        while self._queue and self._queue[0][0] <= self._end and not self._is_stopped():
            at, _, act = heapq.heappop(self._queue)
            self._sweep_until(at)
            act(at)
        self.flooded.until, self.flooded.is_complete = self._now, self._now == self._end
        self.flooded.burst = self._done.burst
        self.flooded.outcomes = self._done.outcomes
        return self.flooded

    def _plan_calls(self) -> None:
        kinds, weights = list(_FROST), [share for share, _ in _FROST.values()]
        for minute, count in enumerate(self._plan.per_minute):
            for category in self._rng.choices(kinds, weights, k=count):
                when = self._start + timedelta(minutes=minute, seconds=self._rng.uniform(0, 60))
                self.plan(when, lambda at, category=category: self._call(at, category))  # type: ignore[misc]

    def _plan_burst(self) -> None:
        zone = self._rng.choice([zone for zone in self._zones if zone.is_in_circle])
        place, address = self._point_in(zone), f"{made_up(zone)}大道"
        for _ in range(self._plan.burst_calls):
            when = self._start + self._plan.burst_at + timedelta(seconds=self._rng.uniform(0, _BURST_LASTS_S))
            self.plan(when, lambda at: self._burst_call(at, place, address))

    def _call(self, at: datetime, category: str) -> None:
        point, address = self._house()
        call = NewCall(called_at=at, category=category, description=_FROST[category][1], point=point, address=address)
        self._register(at, replace(call, answer="已告知防冻办法") if category == "inquiry" else call)

    def _register(self, at: datetime, call: NewCall) -> dict[str, Any]:
        """Take a call; now and then it is told twice, as telephone platforms do."""
        self.flooded.taken += 1
        told = replace(call, cti_call_id=f"flood-{self.flooded.taken}")
        reply = super()._register(at, told)
        if self.flooded.taken % _ONE_TWICE_OF == 0:
            self.flooded.repeats += intake.register(self._desk, self._agent, told, {}, at).is_repeat
        self._progress(1)
        return reply

    def _look(self, at: datetime) -> None:
        """What a scheduler and a supervisor do each minute."""
        move = surge.watch(self._desk, lambda: at).move
        if move in (Move.ENTER, Move.LEAVE):
            self.flooded.moves.append((at, move))
            self._tell(at, "进入大流量模式: 升级通知改为汇总" if move is Move.ENTER else "退出大流量模式")
        delivery.deliver(self._desk, self._channels, lambda: at)
        begun = self._timer()
        queue.board(self._desk, _BOSS, Filter(), after=0, limit=100, now=at)
        self.flooded.looks_s.append(self._timer() - begun)

    def _sweep_until(self, at: datetime) -> None:
        """Let the clocks fire at their own moments; notices go out with the next look."""
        self._done.sweep.add(escalation.sweep_until(self._desk, self._now, at))
        self._now = at


# ---------------------------------------------------------------- what is left behind


@dataclass(frozen=True, slots=True)
class Found:
    """What the database says of it.

    Attributes:
        lost: Calls that were taken and are not there, or have neither ticket nor answer.
        doubled: Calls or tickets that are there twice.
        overdue: Clocks whose step is due and was not fired.
        steps: Steps that fired.
        single: Notices of steps that went out singly.
        gathered: Notices that went into digests instead.
        digests: Digests that went out.
        surges: Surges that began.
        left: Surges that ended.
        wrong: Rows that break a law, by kind.
    """

    lost: int
    doubled: int
    overdue: int
    steps: int
    single: int
    gathered: int
    digests: int
    surges: int
    left: int
    wrong: Mapping[str, int]

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, doubled or left out."""
        return not (self.lost or self.doubled or self.overdue or self.wrong)


def check(store: Store, flooded: Flooded) -> Found:
    """Compare what the database holds with what was taken; it must hold nothing else."""
    with store.read() as tx:
        counts = tally.of_flood(tx, flooded.until)
        wrong = {name: count for name, count in health.orphans(tx).items() if count}
    twice = counts.pop("calls") - flooded.taken, counts.pop("calls_of_tickets") - counts.pop("tickets")
    lost = max(0, flooded.taken - counts.pop("settled"))
    return Found(lost=lost, doubled=sum(max(0, count) for count in twice), wrong=wrong, **counts)
