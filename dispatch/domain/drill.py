"""From a figure down to its tickets: which ones are behind a number, by the same facts that it was counted from."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import numpy as np

from dispatch.domain.facts import KINDS, Column, Facts, Judged
from dispatch.domain.figures import By, broken, keys_of
from dispatch.domain.sla import ClockKind


class Which(StrEnum):
    """Which clocks of a kind are meant."""

    JUDGED = "judged"
    ON_TIME = "on_time"
    LATE = "late"


def behind(facts: Facts, by: By, key: str | None, clock: ClockKind | None, which: Which, now: datetime) -> list[int]:
    """Return the ids of the tickets behind a figure, newest first.

    Args:
        facts: What was counted.
        by: What it was grouped by.
        key: Whose figure; None: the total.
        clock: Of which clock; None: all tickets, whatever their clocks.
        which: Which clocks of that kind.
        now: When it was counted.
    """
    some = np.ones(facts.count, bool)
    if key is not None:
        keys = keys_of(facts, by)
        some &= keys.tickets == (keys.names.index(key) if key in keys.names else -1)
    if clock is not None:
        meant = (facts.clocks["kind"] == KINDS.index(clock)) & _which(facts, which, now)
        has_one = np.zeros(facts.count, bool)
        has_one[facts.clocks["row"][meant]] = True
        some &= has_one
    return sorted((int(one) for one in facts.tickets["id"][some]), reverse=True)


def _which(facts: Facts, which: Which, now: datetime) -> Column:
    kept: Column = facts.clocks["state"] == Judged.KEPT
    is_late = broken(facts, now)
    if which is Which.JUDGED:
        return kept | is_late
    return is_late if which is Which.LATE else kept
