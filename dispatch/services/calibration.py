"""How long ways really take: observed from 出发 to 到场, kept beside what was expected, and read as corrections."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.calibration import Correction, Corrections, Observed
from dispatch.domain.times import SHANGHAI
from dispatch.storage import ways
from dispatch.storage.db import Store

# Observations older than this say nothing of today's roads.
PERIOD = timedelta(days=30)
# So long a process keeps what it has found.
_KEPT = timedelta(minutes=10)
# Shorter is a button pressed late, longer a crew that did something else first.
_SHORTEST_S, _LONGEST_S = 30.0, 4 * 3600.0
BATCH = 200


@dataclass(frozen=True, slots=True)
class Where:
    """What a correction depends on: the grid and its branch, and the hour in Changsha."""

    zone_id: str | None
    branch: str | None
    hour: int


class Calibration:
    """One per process; shared by its threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._found: tuple[datetime, Corrections] | None = None

    def correction(self, kind: str, where: Where, now: datetime) -> Correction:
        """Return by how much an estimate of this kind is corrected there and then."""
        return self._corrections(now).of(kind, where.zone_id, where.branch, where.hour)

    def _corrections(self, now: datetime) -> Corrections:
        with self._lock:
            if self._found is None or abs(now - self._found[0]) >= _KEPT:
                with self._store.read() as tx:
                    observed = [_observed(row) for row in ways.observed(tx, now - PERIOD)]
                self._found = now, Corrections(observed)
            return self._found[1]

    def observe(self) -> int:
        """Note how long the ways of those who have arrived took, and return how many were looked at."""
        with self._store.read() as tx:
            rows = ways.ended(tx, BATCH)
        if rows:
            with self._store.write() as tx:
                for row in rows:
                    ways.keep(tx, row["id"], _taken_s(row))
        return len(rows)


def hour_of(at: datetime) -> int:
    """Return the hour of the day in Changsha."""
    return at.astimezone(SHANGHAI).hour


def _observed(row: Mapping[str, Any]) -> Observed:
    ratio = row["observed_s"] / row["estimate_s"]
    return Observed(row["zone_id"], row["branch"], hour_of(row["made_at"]), row["estimate_kind"], ratio)


def _taken_s(row: Mapping[str, Any]) -> float | None:
    """Return seconds from 出发 to 到场 of the team that the estimate was for; None where that cannot be said."""
    set_off_at, met_at = row["set_off_at"], row["met_at"]
    if set_off_at is None or met_at is None or set_off_at < row["assigned_at"] or row["team_id"] != row["has_it"]:
        return None
    taken_s = float((met_at - set_off_at).total_seconds())
    return taken_s if _SHORTEST_S <= taken_s <= _LONGEST_S else None
