"""A ticket gets another level: its promises are those of the new one, from 受理 on (docs/adr/0015-level-change.md).

- A promise that can still be kept counts from 受理, with the pauses there were.
- One that would be broken already when nobody had promised it begins at the change, and is not due later than before.
- What was met or broken stays as it was; what the new level does not promise ends.
- A lower level takes away no time that was given.
- Alarms whose time had passed before anybody knew of the new level are not given.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dispatch.domain import ladder, sla
from dispatch.domain.policy import Limit, Policy
from dispatch.domain.sla import CLOCK_LABELS, Clock, ClockKind
from dispatch.domain.surge import Widening, widen
from dispatch.domain.times import shanghai_text


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChange:
    """What a change of level needs to know.

    Attributes:
        policy: The ticket's own version.
        before: The level that it had.
        after: The level that it gets.
        limits: The promises of that one, by clock.
        round: The ticket's round.
        at: When it changes, aware.
        branch: Whose working hours count.
        appointment_at: The appointment, or None.
        passed: Clocks that the ticket's state has left behind: they are not begun.
        widenings: Wider clocks that hold.
    """

    policy: Policy
    before: str
    after: str
    limits: Mapping[ClockKind, Limit]
    round: int
    at: datetime
    branch: str | None = None
    appointment_at: datetime | None = None
    passed: Collection[ClockKind] = ()
    widenings: Sequence[Widening] = ()

    @property
    def is_raised(self) -> bool:
        """Whether the new level is the more urgent one."""
        urgency = list(self.policy.levels).index
        return urgency(self.after) < urgency(self.before)

    def clocks(self, present: Sequence[Clock]) -> tuple[Clock, ...]:
        """Return those of the round's clocks that change, and the new ones; callback starts at 完工 as ever."""
        known = {clock.kind: clock for clock in present if clock.round == self.round}
        received_at = min(clock.start_at for clock in known.values())
        changed = (
            self._changed(known.get(kind), kind, received_at) for kind in ClockKind if kind is not ClockKind.CALLBACK
        )
        return tuple(clock for clock in changed if clock is not None)

    def _changed(self, clock: Clock | None, kind: ClockKind, received_at: datetime) -> Clock | None:
        limit = self.limits.get(kind)
        if clock is None:
            is_wanted = limit is not None and kind not in self.passed
            return self._promise(None, limit, received_at) if limit and is_wanted else None
        if clock.met_at is not None or (clock.is_void and (limit is None or clock.breached_at is not None)):
            return None
        if limit is None:
            return sla.void(clock, self.at)
        if not clock.is_void and (clock.breached_at is not None or sla.is_breached(clock, self.at)):
            return self._still_broken(clock)
        return self._promise(clock, limit, received_at) or sla.void(clock, self.at)

    def _promise(self, clock: Clock | None, limit: Limit, received_at: datetime) -> Clock | None:
        """Return the clock under the new promise, or None for an appointment that nobody made."""
        paused_s = clock.paused_s if clock else 0.0
        promised_at = self._after(limit, received_at)
        if promised_at is None:
            return None
        # To a clock that stands still, it is still the moment at which it was stopped.
        moment = (clock.paused_at if clock else None) or self.at
        begin, due_at = received_at, promised_at + timedelta(seconds=paused_s)
        if due_at <= moment:
            begin, due_at, paused_s = moment, self._from_now(clock, limit, moment), 0.0
            promised_at = due_at
        if clock and not clock.is_void and not self.is_raised:
            due_at = max(due_at, clock.due_at)
        fresh = sla.start(limit.clock, self.round, begin, promised_at)
        kept = fresh if clock is None else replace(clock, start_at=begin, original_due_at=promised_at, is_void=False)
        moved = replace(kept, due_at=due_at, paused_s=paused_s, pause_moved_s=None, widening_id=None)
        wide = widen(moved, self.after, self.widenings, moment)
        steps = self.policy.steps(self.after, limit.clock)
        return self._on_ladder(wide, sum(wide.at_ratio(step.ratio) <= moment for step in steps))

    def _from_now(self, clock: Clock | None, limit: Limit, moment: datetime) -> datetime:
        """Return the promise counted from the change; a running clock keeps its due time where that comes first."""
        due_at = self._after(limit, moment)
        if clock is None or clock.is_void:
            # An appointment of yesterday: whoever comes now comes as soon as the level's arrival would have it.
            return due_at if due_at and due_at > moment else moment + timedelta(days=1)
        return min(due_at, clock.due_at) if due_at and due_at > moment else clock.due_at

    def _after(self, limit: Limit, start_at: datetime) -> datetime | None:
        return limit.within.after(start_at, self.policy.calendars, self.branch, self.appointment_at)

    def _still_broken(self, clock: Clock) -> Clock:
        """The breach is history; from the next rung on, who is told is a matter of the new level."""
        fired = self.policy.steps(self.before, clock.kind)[: clock.next_step - clock.ladder_from]
        climbed = fired[-1].ratio if fired else 0.0
        steps = self.policy.steps(self.after, clock.kind)
        return self._on_ladder(sla.notice_breach(clock, self.at), sum(step.ratio <= climbed for step in steps))

    def _on_ladder(self, clock: Clock, index: int) -> Clock:
        on = replace(clock, ladder_from=clock.next_step - index)
        return ladder.schedule(on, self.policy.steps(self.after, clock.kind))

    def _since(self, clock: Clock) -> str:
        return " (自改级起算)" if clock.start_at == self.at else ""

    def text(self, clocks: Sequence[Clock]) -> str:
        """Say what changes, e.g. `P3 一般 → P1 特急; 到场 2026-11-24 14:35`."""
        label = {id_: f"{id_} {self.policy.levels[id_].label}" for id_ in (self.before, self.after)}
        running = [clock for clock in clocks if clock.is_running and clock.breached_at is None]
        dues = [f"{CLOCK_LABELS[clock.kind]} {shanghai_text(clock.due_at)}{self._since(clock)}" for clock in running]
        return "; ".join([f"{label[self.before]} → {label[self.after]}", ", ".join(dues)]).rstrip("; ")
