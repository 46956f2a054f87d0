"""On-time figures: of what was promised, how much was kept, and how long it took, by grid, hour, team or branch.

By timestamps alone: what a sweep noticed and when does not matter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Any

from dispatch.domain import sla
from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import Actor, Permission, check_permitted, team_seen
from dispatch.domain.sla import Clock, ClockKind
from dispatch.domain.times import SHANGHAI
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.storage import directory, figures
from dispatch.storage.board import Filter

KINDS = (ClockKind.ACK, ClockKind.ARRIVE, ClockKind.FIX)
# Each clock of the period is read: half a million a month in a big city.
MOST = timedelta(days=31)


class By(StrEnum):
    """What the figures are grouped by; the hour is that of 受理 in Changsha."""

    ZONE = "zone"
    HOUR = "hour"
    TEAM = "team"
    BRANCH = "branch"


@dataclass(slots=True)
class _Sum:
    judged: int = 0
    on_time: int = 0
    minutes: list[float] = field(default_factory=list)

    def add(self, clock: Clock, now: datetime) -> None:
        """Count a clock that is met or broken; one that runs on or ended unbroken says nothing yet."""
        is_broken = sla.is_breached(clock, now)
        if clock.met_at is None and not is_broken:
            return
        self.judged += 1
        self.on_time += not is_broken
        if clock.met_at is not None:
            taken = clock.met_at - clock.start_at - timedelta(seconds=clock.paused_s)
            self.minutes.append(taken.total_seconds() / 60)

    def told(self) -> dict[str, Any]:
        """Return the counts, and the share and the minutes where there are any."""
        return {
            "judged": self.judged,
            "on_time": self.on_time,
            "share": round(self.on_time / self.judged, 4) if self.judged else None,
            "median_min": round(median(self.minutes), 1) if self.minutes else None,
            "p90_min": round(nearest_rank(self.minutes, 0.9), 1) if self.minutes else None,
        }


def nearest_rank(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def on_time(desk: Desk, actor: Actor, by: By, start: datetime, end: datetime, now: datetime) -> dict[str, Any]:
    """Return the figures of tickets received from `start` to before `end`: `{by, from, to, items, total}`.

    Each item has `key`, `label` and, for `ack`, `arrive` and `fix`: `judged` (met, or broken by `now`), `on_time`,
    `share`, and median and 90th percentile of the minutes from 受理 to met, the pauses left out.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the period is empty or longer than MOST.
    """
    check_permitted(actor, Permission.READ)
    check_period(start, end)
    sums: dict[str, dict[ClockKind, _Sum]] = {}
    total = {kind: _Sum() for kind in KINDS}
    wanted = Filter(visible_to_team=team_seen(actor))
    with desk.store.read() as tx:
        for place, clock in figures.clocks(tx, wanted, KINDS, start, end, now):
            group = sums.setdefault(key_of(by, place), {kind: _Sum() for kind in KINDS})
            for of_kind in (group, total):
                of_kind[clock.kind].add(clock, now)
        names = {team["id"]: team["name"] for team in directory.teams(tx)}
    return {
        "by": by.value,
        "from": present.time(start),
        "to": present.time(end),
        "items": [{"key": key, "label": names.get(key, key), **_told(sums[key])} for key in sorted(sums)],
        "total": _told(total),
    }


def check_period(start: datetime, end: datetime) -> None:
    """Raise InvalidInput for a period that is empty or longer than MOST."""
    if end <= start:
        raise InvalidInput("结束时间须晚于开始时间", field="to")
    if end - start > MOST:
        raise InvalidInput(f"一次最多统计 {MOST.days} 天", field="to")


def key_of(by: By, place: Mapping[str, Any]) -> str:
    """Return the key of the group that a ticket of this time and place belongs to; empty for none."""
    if by is By.HOUR:
        return f"{place['received_at'].astimezone(SHANGHAI):%H}"
    column = by.value if by is By.BRANCH else f"{by.value}_id"
    return place[column] or ""


def _told(sums: Mapping[ClockKind, _Sum]) -> dict[str, Any]:
    return {kind.value: one.told() for kind, one in sums.items()}
