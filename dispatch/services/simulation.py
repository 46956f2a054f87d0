"""A labelled simulation: an hour of made-up calls, a burst with many callers, and crews who act, late or never.

Everything runs through the real services on simulated time: intake, fieldwork, the sweep at every due moment, and
delivery. Only the people are made up.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import shapely

from dispatch.domain.call import NewCall
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import Actor, Role
from dispatch.domain.states import Verb
from dispatch.domain.zones import Zone
from dispatch.notify.port import Channel
from dispatch.services import delivery, escalation, fieldwork, intake
from dispatch.services.actions import Action
from dispatch.services.desk import Desk
from dispatch.services.escalation import Sweep

# One hour of a busy hotline, by kind of call; the proportions are those of DESIGN's real utility.
MIX = {"billing": 140, "no_water": 138, "repair": 100, "pressure": 6, "quality": 5, "other": 217}
# On top of the mix, and made up: questions that the agent answers at once, so that no ticket is owed.
INQUIRIES = 60
BURST_CALLERS = 24
BURST_AT = timedelta(minutes=12)
_SAID = {
    "billing": "水费比上月高很多, 请核对",
    "no_water": "家里没水了",
    "repair": "水表后阀门关不严",
    "pressure": "高层水压不足",
    "quality": "自来水发白, 请咨询",
    "other": "反映供水服务",
    "inquiry": "咨询办理流程",
}
# Minutes from one verb to the next: least, most, and where most lie.
_PACE = {
    Verb.ACCEPT: (0.5, 14.0, 3.0),
    Verb.DEPART: (0.5, 4.0, 1.0),
    Verb.ARRIVE: (5.0, 40.0, 16.0),
    Verb.WORK: (0.5, 3.0, 1.0),
    Verb.DONE: (8.0, 60.0, 20.0),
}
# Of so many crews one has its phone switched off: its tickets climb the whole ladder.
_ONE_SILENT_OF = 12


# In 大写: an address is read up to a number in digits, and all grids of a district would be one estate.
_NUMERALS = str.maketrans(dict(zip("0123456789", "零壹贰叁肆伍陆柒捌玖", strict=True)) | {"-": None})


def made_up(zone: Zone) -> str:
    """Return the name of a place that is in this grid alone: made up, and says so."""
    return "模拟" + zone.name.removesuffix("网格").translate(_NUMERALS)


@dataclass(slots=True)
class Outcome:
    """What the hour brought."""

    outcomes: Counter[str] = field(default_factory=Counter)
    actions: int = 0
    by_category: Counter[str] = field(default_factory=Counter)
    sweep: Sweep = field(default_factory=Sweep)
    burst: str = ""


class Hour:
    """One simulated hour.

    Args:
        desk: The process's desk.
        agent: Who takes the calls.
        zones: Where people live.
        start: When the hour begins.
        rng: The dice; seeded, so that the hour is the same each time.
        channels: Where notices go.
        tell: Called with the simulated time and a line for people.
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
    ) -> None:
        self._desk, self._agent, self._zones, self._rng = desk, agent, zones, rng
        self._channels, self._tell = channels, tell
        self._start, self._now, self._end = start, start, start + timedelta(hours=1)
        self._order = itertools.count()
        self._queue: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._silent = {zone.team_id for zone in zones if rng.randrange(_ONE_SILENT_OF) == 0}
        self._done = Outcome()

    @property
    def burst(self) -> str:
        """Return the number of the burst's ticket; empty before its first call."""
        return self._done.burst

    def run(self) -> Outcome:
        """Play the hour and return what it brought."""
        self._plan_calls()
        self._plan_burst()
        while self._queue and self._queue[0][0] <= self._end:
            at, _, act = heapq.heappop(self._queue)
            self._sweep_until(at)
            act(at)
        self._sweep_until(self._end)
        return self._done

    def plan(self, when: datetime, act: Callable[[datetime], None]) -> None:
        """Let something happen at a moment of the simulated time; what lies behind its end does not."""
        heapq.heappush(self._queue, (when, next(self._order), act))

    def _plan_calls(self) -> None:
        for category in Counter(MIX | {"inquiry": INQUIRIES}).elements():
            when = self._start + timedelta(seconds=self._rng.uniform(0, 3600))
            self.plan(when, lambda at, category=category: self._call(at, category))  # type: ignore[misc]

    def _plan_burst(self) -> None:
        zone = self._rng.choice([zone for zone in self._zones if zone.is_in_circle])
        place = self._point_in(zone)
        for caller in range(BURST_CALLERS):
            when = self._start + BURST_AT + timedelta(seconds=self._rng.expovariate(1 / 120) if caller else 0)
            self.plan(when, lambda at: self._burst_call(at, place, f"{made_up(zone)}大道"))

    def _point_in(self, zone: Zone) -> Wgs84Point:
        west, south, east, north = zone.geometry.bounds
        while True:
            lon, lat = self._rng.uniform(west, east), self._rng.uniform(south, north)
            if shapely.intersects_xy(zone.geometry, lon, lat):
                return Wgs84Point(lon, lat)

    def _house(self) -> tuple[Wgs84Point, str]:
        """Draw a house anywhere in the city: where it stands, and its made-up address."""
        zone = self._rng.choice(self._zones)
        return self._point_in(zone), f"{made_up(zone)}小区 {self._rng.randrange(1, 40)} 栋"

    def _call(self, at: datetime, category: str) -> None:
        point, address = self._house()
        call = NewCall(called_at=at, category=category, description=_SAID[category], point=point, address=address)
        self._register(at, replace(call, answer="已答复办理流程") if category == "inquiry" else call)

    def _burst_call(self, at: datetime, point: Wgs84Point, address: str) -> None:
        near = Wgs84Point(point.lon + self._rng.gauss(0, 5e-4), point.lat + self._rng.gauss(0, 5e-4))
        call = NewCall(
            called_at=at, category="burst", description="路面大量冒水, 疑似爆管", point=near, address=address
        )
        call = replace(call, attach_to=self._done.burst) if self._done.burst else replace(call, pipe_dn=300)
        ticket = self._register(at, call)["ticket"]
        if not self._done.burst:
            self._done.burst = ticket["number"]
            who = ticket["steward"] or ticket["team_id"]
            self._tell(at, f"爆管! {ticket['number']} → {who}; 之后的来电都并入这一张工单")

    def _register(self, at: datetime, call: NewCall) -> dict[str, Any]:
        reply = intake.register(self._desk, self._agent, call, {}, at).body
        self._done.by_category[call.category] += 1
        self._done.outcomes[reply["outcome"]] += 1
        if reply["outcome"] == "ticket":
            self._plan_crew(at, reply["ticket"])
        return reply

    def _plan_crew(self, at: datetime, ticket: dict[str, Any]) -> None:
        team_id = ticket["team_id"]
        if team_id is None or team_id in self._silent:
            return
        crew = Actor(0, f"模拟水管家 {team_id}", Role.CREW, team_id)
        here = Wgs84Point(ticket["lon"], ticket["lat"])  # a grid's team has it: it has a point
        for verb, (least, most, mode) in _PACE.items():
            at += timedelta(minutes=self._rng.triangular(least, most, mode))
            action = Action(verb=verb, point=here if verb is Verb.ARRIVE else None)
            self.plan(at, lambda when, action=action: self._act(when, crew, ticket["number"], action))  # type: ignore[misc]

    def _act(self, at: datetime, crew: Actor, number: str, action: Action) -> None:
        fieldwork.act(self._desk, crew, number, action, at)
        self._done.actions += 1

    def _sweep_until(self, at: datetime) -> None:
        """Let time pass to `at`: the clocks fire at their own moments, as under a scheduler."""
        done = escalation.sweep_until(self._desk, self._now, at)
        self._done.sweep.add(done)
        self._now = at
        if done.fired:
            delivery.deliver(self._desk, self._channels, lambda: at)
