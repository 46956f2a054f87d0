"""The escalation ladder: which steps of a clock are due, and when to look again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatch.domain import sla
from dispatch.domain.sla import CLOCK_LABELS, Clock, ClockKind
from dispatch.domain.times import span_text


@dataclass(frozen=True, slots=True)
class Step:
    """One rung.

    Attributes:
        ratio: Share of the clock's budget after which it fires; 1.0 is the breach.
        to: Audiences that are told, e.g. `crew`, `branch_duty`.
        label: What it is called on screen.
        opens_supervision: Whether 督办 opens with it.
        answer_within: Who is told has so long to answer, then the next one is told; None: nobody else is.
    """

    ratio: float
    to: tuple[str, ...]
    label: str
    opens_supervision: bool = False
    answer_within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Fired:
    """A step that has come due.

    Attributes:
        index: Its number, from 0; unique for its clock and round, whatever the level.
        step: The rung itself.
        scheduled_at: When it should have fired.
        late_s: How much later it did, in seconds.
    """

    index: int
    step: Step
    scheduled_at: datetime
    late_s: float


def schedule(clock: Clock, steps: tuple[Step, ...]) -> Clock:
    """Set `next_fire_at` from what has fired so far; the only place that computes it for a running clock."""
    if not clock.is_running:
        return replace(clock, next_fire_at=None)
    if clock.paused_at is not None:
        return replace(clock, next_fire_at=clock.resume_at)
    index = clock.next_step - clock.ladder_from
    if index >= len(steps):
        return replace(clock, next_fire_at=None)
    return replace(clock, next_fire_at=clock.at_ratio(steps[index].ratio))


def climb(clock: Clock, steps: tuple[Step, ...], now: datetime) -> tuple[Clock, tuple[Fired, ...]]:
    """Fire every step that is due at `now`, in order, each exactly once.

    After downtime all missed steps fire, each with how late it is.

    Returns:
        The clock after them (breach noticed, `next_fire_at` set) and what fired.
    """
    if not clock.is_running or clock.paused_at is not None:
        return clock, ()
    fired: list[Fired] = []
    for step in steps[clock.next_step - clock.ladder_from :]:
        scheduled_at = clock.at_ratio(step.ratio)
        if scheduled_at > now:
            break
        fired.append(Fired(clock.next_step + len(fired), step, scheduled_at, (now - scheduled_at).total_seconds()))
    climbed = replace(clock, next_step=clock.next_step + len(fired))
    return schedule(sla.notice_breach(climbed, now), steps), tuple(fired)


def step_text(kind: ClockKind, ratio: float, label: str) -> str:
    """Say in words what a step means, e.g. `到场时限已用 80%: 仍可挽回`."""
    return f"{CLOCK_LABELS[kind]}时限已用 {ratio:.0%}: {label}"


def fired_text(clock: Clock, fired: Fired) -> str:
    """Say what a step means that has fired, and how late it did."""
    used = step_text(clock.kind, fired.step.ratio, fired.step.label)
    return used if fired.late_s < 1 else f"{used}; 系统晚发 {span_text(fired.late_s)}"
