"""Which clocks of the past would have been broken under another policy.

A clock keeps its start, its meeting, and by how much pauses, extensions and surges moved it; what it was promised is
asked of the other policy, for the ticket's own level. What that policy does not know, or does not promise, counts as
it was: a dry run shows what a change of limits does, not what people would have done differently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from dispatch.domain.policy import Area, Policy
from dispatch.domain.sla import Clock, ClockKind, is_breached


@dataclass(frozen=True, slots=True)
class Past:
    """A clock of the past, with what a policy asks of its ticket."""

    clock: Clock
    level: str
    category: str
    area: Area
    pipe_dn: int | None
    branch: str | None
    appointment_at: datetime | None


@dataclass(slots=True)
class Count:
    """Broken clocks as they were and as they would have been, by level and clock."""

    clocks: int = 0
    before: Counter[tuple[str, ClockKind]] = field(default_factory=Counter)
    after: Counter[tuple[str, ClockKind]] = field(default_factory=Counter)

    def add(self, past: Iterable[Past], policy: Policy, now: datetime) -> None:
        """Count some clocks; `now` is when one that was never met is judged."""
        for one in past:
            key = (one.level, one.clock.kind)
            self.clocks += 1
            self.before[key] += is_breached(one.clock, now)
            self.after[key] += is_breached(_under(one, policy), now)


def _under(past: Past, policy: Policy) -> Clock:
    clock = past.clock
    if past.level not in policy.levels:
        return clock
    limit = policy.limits_for(past.level, past.area, past.pipe_dn, past.category).get(clock.kind)
    if limit is None or clock.is_void:
        return clock
    due_at = limit.within.after(clock.start_at, policy.calendars, past.branch, past.appointment_at)
    if due_at is None:
        return clock
    return replace(clock, due_at=due_at + (clock.due_at - clock.original_due_at), breached_at=None)
