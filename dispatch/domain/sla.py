"""The five clocks of a ticket. A clock is a value: every rule here returns a new one.

All times are aware UTC datetimes. A breach is decided by timestamps alone, never by when somebody looked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.domain.calendar import Calendar


class ClockKind(StrEnum):
    """The five clocks of DESIGN §3."""

    ACK = "ack"
    ARRIVE = "arrive"
    ISOLATE = "isolate"
    FIX = "fix"
    CALLBACK = "callback"


CLOCK_LABELS = {
    ClockKind.ACK: "接单",
    ClockKind.ARRIVE: "到场",
    ClockKind.ISOLATE: "止水",
    ClockKind.FIX: "完工",
    ClockKind.CALLBACK: "回访",
}

# From there on a promise is in danger, and still to be kept: the supervisor's first list.
RESCUE_RATIO = 0.8
# How often the way to a place is estimated anew, and how long before an arrival is due it is looked at for the first
# time: an appointment of next week says nothing of where crews will be.
TRAVEL_EVERY = timedelta(minutes=1)
TRAVEL_AHEAD = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise of one round.

    Attributes:
        kind: Which promise.
        round: 1 for the first visit, one more for each rework.
        start_at: 受理, or the start of the rework; for callback the 完工.
        due_at: When it is due now, pauses and extensions counted.
        original_due_at: When it was due at first; never changes.
        met_at: When it was met, or None.
        breached_at: `due_at` as it stood when the clock was found broken, or None.
        noticed_at: When that was noticed; the difference is how late the watch was.
        paused_at: Since when it stands still, or None.
        resume_at: When a pause ends by itself, or None.
        paused_s: Seconds it has stood still in all, the current pause not counted.
        pause_moved_s: Seconds by which that has moved `due_at`, where working time is measured; None: `paused_s`.
        is_void: The ticket ended without it (merged, cancelled), or the promise moved to another round.
        next_step: How many steps have fired, of whatever ladder.
        ladder_from: The number that the first step of the present ladder would have: steps that fired at another level
            keep theirs. Below 0 where it was entered higher up.
        next_fire_at: When the sweep must look at it next, or None.
        travel_s: Seconds that whoever has the ticket is expected to need to the place, or None where nobody can say.
        travel_kind: What that estimate was found on: road, line or service.
        travel_due_at: When it must be estimated (again), or None.
        widening_id: The widening of a surge that has moved `due_at`, or None.
    """

    kind: ClockKind
    round: int
    start_at: datetime
    due_at: datetime
    original_due_at: datetime
    met_at: datetime | None = None
    breached_at: datetime | None = None
    noticed_at: datetime | None = None
    paused_at: datetime | None = None
    resume_at: datetime | None = None
    paused_s: float = 0.0
    is_void: bool = False
    next_step: int = 0
    next_fire_at: datetime | None = None
    travel_s: float | None = None
    travel_kind: str | None = None
    travel_due_at: datetime | None = None
    widening_id: int | None = None
    pause_moved_s: float | None = None
    ladder_from: int = 0

    @property
    def is_running(self) -> bool:
        """Whether it can still be met, paused or not."""
        return self.met_at is None and not self.is_void

    @property
    def budget(self) -> timedelta:
        """The working length of the promise: from start to due without the pauses."""
        return self.due_at - self.start_at - timedelta(seconds=self.moved_s)

    @property
    def moved_s(self) -> float:
        """By how many seconds pauses have moved `due_at`."""
        return self.paused_s if self.pause_moved_s is None else self.pause_moved_s

    def at_ratio(self, ratio: float) -> datetime:
        """Return when `ratio` of the budget is used up; 1.0 is `due_at` itself."""
        return self.due_at - self.budget * (1.0 - ratio)

    @property
    def rescue_at(self) -> datetime:
        """From when it counts as still rescuable, until it is due: at 80 %, or earlier where the way is longer."""
        late = self.at_ratio(RESCUE_RATIO)
        return late if self.travel_s is None else min(late, self.due_at - timedelta(seconds=self.travel_s))


def start(kind: ClockKind, round_: int, start_at: datetime, due_at: datetime) -> Clock:
    """Return a fresh running clock."""
    return Clock(kind, round_, start_at, due_at, due_at)


def is_breached(clock: Clock, now: datetime) -> bool:
    """Tell whether the promise is broken at `now`: met too late, or due and still unmet.

    A breach that was noticed is judged by the due time of then: no later pause makes it good.
    """
    broken_at = clock.breached_at or clock.due_at
    if clock.met_at is not None:
        return clock.met_at > broken_at
    if clock.is_void or clock.paused_at is not None:
        return clock.breached_at is not None
    return now >= broken_at


def notice_breach(clock: Clock, now: datetime) -> Clock:
    """Record a breach with both times, once: the first one stays."""
    if clock.breached_at is not None or not is_breached(clock, now):
        return clock
    return replace(clock, breached_at=clock.due_at, noticed_at=now)


def meet(clock: Clock, met_at: datetime, now: datetime) -> Clock:
    """Meet the promise at `met_at`, which may lie before `now` (a crew without signal).

    A breach that the sweep noticed while the crew had no signal is withdrawn when the trusted time shows that
    the promise was kept; what was fired for it stays in the history.
    """
    met = replace(clock, met_at=met_at, paused_at=None, resume_at=None, next_fire_at=None, travel_due_at=None)
    if is_breached(met, now):
        return notice_breach(met, now)
    return replace(met, breached_at=None, noticed_at=None)


def void(clock: Clock, now: datetime) -> Clock:
    """End a running clock unmet; what is broken at `now` stays broken, whether a sweep has seen it or not."""
    if not clock.is_running:
        return clock
    return replace(notice_breach(clock, now), is_void=True, next_fire_at=None, travel_due_at=None)


def pause(clock: Clock, now: datetime, resume_at: datetime) -> Clock:
    """Stop the clock, whose breach by `now` stays; the sweep wakes at `resume_at` to start it again."""
    return replace(notice_breach(clock, now), paused_at=now, resume_at=resume_at, next_fire_at=resume_at)


def resume(clock: Clock, at: datetime, calendar: Calendar | None = None) -> Clock:
    """Start a paused clock again; its due time moves by the length of the pause, never backwards.

    Where it is measured in a calendar, by the working time of the pause: a night that does not count anyway is not
    given a second time.
    """
    if clock.paused_at is None:
        return clock
    gap = max(at - clock.paused_at, timedelta())
    running = replace(clock, paused_s=clock.paused_s + gap.total_seconds(), paused_at=None, resume_at=None)
    if calendar is None:
        moved_s = None if clock.pause_moved_s is None else clock.pause_moved_s + gap.total_seconds()
        return replace(running, due_at=clock.due_at + gap, pause_moved_s=moved_s)
    due_at = calendar.add_working(clock.due_at, calendar.working_between(clock.paused_at, at))
    return replace(running, due_at=due_at, pause_moved_s=clock.moved_s + (due_at - clock.due_at).total_seconds())


def assign(clock: Clock, at: datetime) -> Clock:
    """Forget who was on the way: somebody else has the ticket from `at` on, and their way is estimated in time."""
    look_at = max(at, clock.due_at - TRAVEL_AHEAD)
    return replace(clock, travel_s=None, travel_kind=None, travel_due_at=look_at)


def estimate(clock: Clock, travel_s: float | None, kind: str | None, now: datetime) -> Clock:
    """Take the newest estimate of the way; it is made again after a while, as long as the clock can be kept."""
    again_at = now + TRAVEL_EVERY
    return replace(
        clock, travel_s=travel_s, travel_kind=kind, travel_due_at=again_at if again_at < clock.due_at else None
    )


def extend(clock: Clock, due_at: datetime) -> Clock:
    """Move the due time; the original one is kept."""
    return replace(clock, due_at=due_at)
