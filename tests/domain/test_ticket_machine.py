"""All of it in any order: random verbs, phones without signal, and sweeps that come when they like."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dispatch.domain import sla
from dispatch.domain.errors import IllegalTransition, InvalidInput
from dispatch.domain.policy import Area
from dispatch.domain.sla import Clock, ClockKind
from dispatch.domain.states import ACTIVE, ENDED, RULES, Status, Verb
from tests.domain.walk import KINDS, START, TEAM_A, TEAM_B, TEAM_C, at, do, received, swept


@dataclass
class Judge:
    """What the machine believes of one clock, kept apart from the code under test."""

    original_due_at: datetime
    fired: list[int] = field(default_factory=list)


VERBS = st.sampled_from(sorted(Verb))
MINUTES = st.one_of(st.integers(0, 40), st.integers(0, 60 * 30))


class TicketMachine(RuleBasedStateMachine):
    """Random verbs, phones without signal, and sweeps that come when they like."""

    @initialize(
        kind=st.sampled_from([row[:4] for row in KINDS]),
        appointment=st.one_of(st.none(), st.integers(1, 3000)),
    )
    def receive(self, kind: tuple[str, str, Area, int | None], appointment: int | None) -> None:
        self.now = START
        self.ticket = received(*kind, appointment_at=None if appointment is None else at(appointment))
        self.judges: dict[tuple[ClockKind, int], Judge] = {}
        self.rounds = [1]
        self.voided_at: dict[tuple[ClockKind, int], datetime] = {}
        self.ended: Mapping[tuple[ClockKind, int], Clock] = {}

    @rule(minutes=MINUTES)
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def wait_for_the_next_step(self) -> None:
        due = [clock.next_fire_at for clock in self.ticket.clocks if clock.next_fire_at]
        self.now = max(self.now, min(due, default=self.now))

    @rule()
    def sweep(self) -> None:
        for clock in self.ticket.clocks:
            if clock.paused_at and clock.resume_at and clock.resume_at <= self.now:
                self.ticket = do(self.ticket, Verb.RESUME, clock.resume_at)
        self.ticket, fired = swept(self.ticket, self.now)
        for clock, step in fired:
            assert step.scheduled_at <= self.now
            assert step.late_s == (self.now - step.scheduled_at).total_seconds()
            self.judges[clock.kind, clock.round].fired.append(step.index)
        for clock in self.ticket.clocks:
            assert clock.next_fire_at is None or clock.next_fire_at > self.now, "left behind"

    @rule(verb=VERBS, ago=st.one_of(st.none(), st.integers(-10, 60 * 30)), flag=st.booleans(), team=st.integers(0, 2))
    def act(self, verb: Verb, ago: int | None, flag: bool, team: int) -> None:
        more: dict[str, Any] = {"device_at": None if ago is None else self.now - timedelta(minutes=ago)}
        if verb in (Verb.DISPATCH, Verb.REASSIGN, Verb.ASSIST):
            more |= {"assignment": (TEAM_A, TEAM_B, TEAM_C)[team], "is_ruled": flag}
        if verb is Verb.CALLBACK:
            more |= {"is_reached": flag, "is_solved": team == 0}
        before = self.ticket
        try:
            self.ticket = do(before, verb, self.now, **more)
        except IllegalTransition:
            # Either the state does not fit, or the verb's own rule stands in the way.
            return
        except InvalidInput:
            assert before.status in RULES[verb].sources
        else:
            assert before.status in RULES[verb].sources
            assert self.ticket.version == before.version + 1
            assert self.ticket.moved_at >= before.moved_at
            assert verb is not Verb.RETURN or before.team_id != before.ruled_team_id
            if verb is Verb.RELEVEL:
                self.promise_anew()

    def promise_anew(self) -> None:
        """The clocks are those of another level: tests/domain/test_level_change.py says which."""
        for clock in self.ticket.clocks:
            judge = self.judges.setdefault((clock.kind, clock.round), Judge(clock.original_due_at))
            judge.original_due_at = clock.original_due_at

    @precondition(lambda self: self.ticket.status in ACTIVE - {Status.ON_HOLD, Status.RECEIVED, Status.RETURNED})
    @rule()
    def hurry(self) -> None:
        """Take the next step of the main road, so that long lives are common."""
        road = (Verb.ACCEPT, Verb.ARRIVE, Verb.ARRIVE, Verb.WORK, Verb.DONE)
        states = (Status.DISPATCHED, Status.ACCEPTED, Status.EN_ROUTE, Status.ON_SITE, Status.WORKING)
        self.ticket = do(self.ticket, road[states.index(self.ticket.status)], self.now)

    @invariant()
    def clocks_are_what_they_were_promised_to_be(self) -> None:
        keys = [(clock.kind, clock.round) for clock in self.ticket.clocks]
        assert len(set(keys)) == len(keys)
        for key, clock in zip(keys, self.ticket.clocks, strict=True):
            judge = self.judges.setdefault(key, Judge(clock.original_due_at))
            assert clock.original_due_at == judge.original_due_at
            assert judge.fired == list(range(clock.next_step)), "fired twice, or out of order"
            assert clock.due_at >= clock.original_due_at or clock.kind is not ClockKind.FIX
            assert clock.due_at == clock.original_due_at or clock.kind is ClockKind.FIX
            assert clock.paused_at is None or clock.kind is ClockKind.FIX
            assert clock.is_running or clock.next_fire_at is None
            assert clock.round <= self.ticket.round

    @invariant()
    def breaches_are_what_the_times_say(self) -> None:
        for clock in self.ticket.clocks:
            assert (clock.breached_at is None) is (clock.noticed_at is None)
            if clock.breached_at:
                assert clock.original_due_at <= clock.breached_at <= clock.due_at
                assert clock.breached_at <= (clock.noticed_at or START) <= self.now
                assert sla.is_breached(clock, self.now)
            if clock.met_at:
                assert (clock.breached_at is not None) is (clock.met_at > (clock.breached_at or clock.due_at))
            elif clock.is_void:
                # Ended or stopped in time or not: no sweep need have seen it.
                ended_at = self.voided_at.setdefault((clock.kind, clock.round), self.now)
                stopped_at = clock.paused_at or ended_at
                assert (clock.breached_at is not None) is (stopped_at >= (clock.breached_at or clock.due_at))
            elif clock.paused_at is not None:
                assert (clock.breached_at is not None) is (clock.paused_at >= (clock.breached_at or clock.due_at))
            else:
                assert sla.is_breached(clock, self.now) is (self.now >= (clock.breached_at or clock.due_at))

    @invariant()
    def rounds_only_grow(self) -> None:
        if self.ticket.round != self.rounds[-1]:
            self.rounds.append(self.ticket.round)
        assert self.rounds == list(range(1, len(self.rounds) + 1))

    @invariant()
    def an_ended_ticket_is_left_alone(self) -> None:
        if self.ticket.status not in ENDED:
            return
        assert all(not clock.is_running and clock.next_fire_at is None for clock in self.ticket.clocks)
        clocks = {(clock.kind, clock.round): clock for clock in self.ticket.clocks}
        self.ended = self.ended or clocks
        assert clocks == self.ended

    @invariant()
    def only_a_hold_stops_a_clock(self) -> None:
        running = [clock for clock in self.ticket.clocks if clock.is_running]
        is_paused = any(clock.paused_at for clock in running)
        assert is_paused is (self.ticket.status is Status.ON_HOLD)
        # Nothing of an older round runs on.
        assert all(clock.round == self.ticket.round for clock in running)


TicketMachine.TestCase.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
test_any_life_of_a_ticket = TicketMachine.TestCase
