"""Anything the cast may do, in any order, with sweeps and crashes between: the laws hold after every step."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from sqlalchemy import select, text

from dispatch.domain.errors import DispatchError, IdempotencyMismatch
from dispatch.domain.roles import Actor
from dispatch.domain.states import ENDED, RULES, Status, Verb, legal_verbs
from dispatch.services import delivery, escalation
from dispatch.services.intake import Receipt
from dispatch.storage import audit, clocks, health
from dispatch.storage.calls import CALLS
from dispatch.storage.escalations import ESCALATIONS
from dispatch.storage.outbox import OUTBOX
from dispatch.storage.tickets import EVENTS, TICKETS
from tests.support.cast import TEAM_A, TEAM_B, ZONE_A, ZONE_B, Spy, act, call, cast_of, spot, ticket_at
from tests.support.store import NOW, open_desk, sqlite_url

WHO = ("agent", "crew_a", "crew_b", "lead_a", "dispatcher", "supervisor", "admin", "auditor", "integration")
CATEGORIES = ("burst", "no_water", "repair", "billing", "install")
MINUTES = st.integers(0, 40) | st.integers(0, 60 * 30)


class PowerCut(Exception):
    """The process ends before its commit."""


class Desk96533(RuleBasedStateMachine):
    """The model is small: what was acknowledged, and the time."""

    numbers = Bundle("numbers")
    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        shutil.copyfile(self.template, self.folder / "dispatch.db")
        self.desk = open_desk(sqlite_url(self.folder / "dispatch.db"))
        self.cast = cast_of(self.desk)
        self.places = [None, spot(self.desk, ZONE_A, NOW), spot(self.desk, ZONE_B, NOW)]
        self.now = NOW
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.spy = Spy()

    def teardown(self) -> None:
        self.desk.store.close()
        shutil.rmtree(self.folder)

    @contextmanager
    def power(self, is_cut: bool) -> Iterator[None]:
        """Run the body, or let it end after its last statement and before its commit."""
        if not is_cut:
            yield
            return
        with patch.object(audit, "append", side_effect=PowerCut), suppress(PowerCut):
            yield

    # ------------------------------------------------------------ what people do

    @initialize(target=numbers)
    def first_calls(self) -> Any:
        self.calls("burst", 1, None, is_cut=False)
        (fresh,) = (str(body["ticket"]["number"]) for body in self.acknowledged.values())
        further = (Status.RECEIVED, Status.WORKING, Status.ON_HOLD, Status.DONE)
        return multiple(fresh, *(ticket_at(self.desk, status, self.now, category="burst") for status in further))

    @rule(
        target=numbers,
        category=st.sampled_from(CATEGORIES),
        place=st.integers(0, 2),
        cti=st.none() | st.integers(0, 3),
        is_cut=st.booleans(),
    )
    def calls(self, category: str, place: int, cti: int | None, is_cut: bool) -> Any:
        cti_call_id = None if cti is None else f"cti-{cti}"
        appointment = self.now + timedelta(hours=2) if category == "install" else None
        changes: dict[str, Any] = {"category": category, "point": self.places[place], "cti_call_id": cti_call_id}
        receipts: list[Receipt] = []
        with self.power(is_cut), suppress(IdempotencyMismatch):
            receipts.append(call(self.desk, self.cast.integration, self.now, appointment_at=appointment, **changes))
        for receipt in receipts:
            first = self.acknowledged.setdefault(cti_call_id or f"call {receipt.body['call_id']}", receipt.body)
            assert receipt.body == first
            assert receipt.is_repeat is (receipt.body is not first)
        return multiple(*(str(receipt.body["ticket"]["number"]) for receipt in receipts if not receipt.is_repeat))

    @rule(number=numbers, is_cut=st.booleans())
    def joins(self, number: str, is_cut: bool) -> None:
        with self.power(is_cut):
            self.attempt(lambda: call(self.desk, self.cast.agent, self.now, attach_to=number))

    @rule(
        number=numbers,
        other=numbers,
        who=st.sampled_from(WHO),
        verb=st.sampled_from(Verb),
        team=st.sampled_from([TEAM_A, TEAM_B]),
        device=st.none() | st.integers(-30, 5),
        is_cut=st.booleans(),
    )
    def acts(self, number: str, other: str, who: str, verb: Verb, team: str, device: int | None, is_cut: bool) -> None:
        self.do(getattr(self.cast, who), number, verb, other, team, device, is_cut)

    @rule(number=numbers, other=numbers, pick=st.integers(0, 11), is_cut=st.booleans())
    def does_what_fits(self, number: str, other: str, pick: int, is_cut: bool) -> None:
        """Somebody who may do everything does one of the verbs that fit."""
        with self.desk.store.read() as tx:
            row = tx.conn.execute(select(TICKETS.c.status, TICKETS.c.team_id).where(TICKETS.c.number == number)).one()
        if verbs := legal_verbs(Status(row.status)):
            team = TEAM_A if row.team_id == TEAM_B else TEAM_B
            self.do(self.cast.admin, number, verbs[pick % len(verbs)], other, team, None, is_cut)

    @rule(number=numbers, steps=st.integers(1, 5), minutes=st.integers(0, 20))
    def works(self, number: str, steps: int, minutes: int) -> None:
        """The crew in charge does what comes next."""
        for verb in (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.WORK, Verb.DONE)[:steps]:
            with self.desk.store.read() as tx:
                row = tx.conn.execute(select(TICKETS.c.team_id).where(TICKETS.c.number == number)).one()
            crew = self.cast.crew_b if row.team_id == TEAM_B else self.cast.crew_a
            self.now += timedelta(minutes=minutes)
            self.do(crew, number, verb, number, TEAM_A, None, False)

    def do(
        self, actor: Actor, number: str, verb: Verb, other: str, team: str, device: int | None, is_cut: bool
    ) -> None:
        told: dict[str, Any] = {"note": "原因", "reason": self.reason(verb)}
        if verb in (Verb.DISPATCH, Verb.REASSIGN, Verb.ASSIST):
            told["team_id"] = team
        if verb in (Verb.HOLD, Verb.EXTEND):
            told["until"] = self.now + timedelta(hours=3 if verb is Verb.HOLD else 200)
        if verb is Verb.MERGE:
            told["into"] = other
        if verb is Verb.CALLBACK:
            told |= {"is_solved": team == TEAM_A, "is_reached": device is None}
        if device is not None:
            told["device_at"] = self.now + timedelta(minutes=device)
        with self.power(is_cut):
            self.attempt(lambda: act(self.desk, actor, number, verb, self.now, **told))

    @staticmethod
    def reason(verb: Verb) -> str | None:
        codes = {Verb.HOLD: "wait_user", Verb.EXTEND: "hard_site", Verb.RETURN: "not_ours", Verb.CANCEL: "test"}
        return codes.get(verb)

    def attempt(self, deed: Any) -> None:
        """Whatever is not allowed is refused in words of the one error tree, below 500."""
        try:
            deed()
        except DispatchError as error:
            if error.status not in (403, 404, 409, 422):
                raise

    # ------------------------------------------------------------ time passes

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(minutes=MINUTES, is_cut=st.booleans())
    def sweeps(self, minutes: int, is_cut: bool) -> None:
        self.now += timedelta(minutes=minutes)
        if is_cut:
            with patch.object(audit, "append", side_effect=PowerCut):
                try:
                    escalation.sweep(self.desk, self.now)
                except PowerCut:
                    return
        done = escalation.sweep(self.desk, self.now)
        assert done.errors == []
        assert done.next_due_at is None or done.next_due_at > self.now
        assert escalation.sweep(self.desk, self.now).fired == 0

    @rule()
    def the_clock_is_set_back(self) -> None:
        before = self.count_fired()
        escalation.sweep(self.desk, self.now - timedelta(hours=1))
        assert self.count_fired() >= before

    @rule()
    def delivers(self) -> None:
        delivery.deliver(self.desk, {"console": self.spy}, lambda: self.now)

    def count_fired(self) -> int:
        with self.desk.store.read() as tx:
            return int(tx.conn.execute(text("SELECT count(*) FROM escalations")).scalar_one())

    # ------------------------------------------------------------ what always holds

    @invariant()
    def nothing_is_orphaned(self) -> None:
        with self.desk.store.read() as tx:
            assert {name: count for name, count in health.orphans(tx).items() if count} == {}

    @invariant()
    def the_audit_is_whole(self) -> None:
        with self.desk.store.write() as tx:
            audit.seal(tx.conn, 10_000)
        with self.desk.store.read() as tx:
            assert audit.broken_at(tx.conn) is None

    @invariant()
    def every_step_fired_once_and_none_early(self) -> None:
        with self.desk.store.read() as tx:
            rows = tx.conn.execute(select(ESCALATIONS)).all()
            notices = Counter(tx.conn.execute(select(OUTBOX.c.idempotency_key)).scalars())
        keys = Counter((row.ticket_id, row.clock, row.round, row.step) for row in rows)
        assert set(keys.values()) <= {1}
        assert all(row.scheduled_at <= row.fired_at and row.late_s >= 0 for row in rows)
        assert all(notices[":".join(map(str, (*key, "console")))] == 1 for key in keys)

    @invariant()
    def every_timeline_is_legal(self) -> None:
        with self.desk.store.read() as tx:
            tickets = {row.id: row for row in tx.conn.execute(select(TICKETS))}
            events = tx.conn.execute(select(EVENTS).order_by(EVENTS.c.id)).all()
        where = dict.fromkeys(tickets, Status.RECEIVED)
        moves: Counter[int] = Counter()
        for event in events:
            source, target = Status(event.from_status), Status(event.to_status)
            assert source is where[event.ticket_id]
            if event.kind in RULES and (event.kind != "merge" or source is not target):
                rule_of = RULES[Verb(event.kind)]
                assert source in rule_of.sources
                assert target is (rule_of.target or source)
                moves[event.ticket_id] += 1
            else:
                assert source is target
            where[event.ticket_id] = target
        for ticket_id, row in tickets.items():
            assert row.status == where[ticket_id]
            assert row.version == moves[ticket_id] + 1
            assert (row.status in ENDED) == (row.ended_at is not None)

    @invariant()
    def no_clock_is_forgotten(self) -> None:
        """Clocks of a ticket that is over stand still; a breach is where it was due."""
        with self.desk.store.read() as tx:
            rows = {row.id: row.status for row in tx.conn.execute(select(TICKETS.c.id, TICKETS.c.status))}
            values = clocks.of_tickets(tx, list(rows))
        for ticket_id, status in rows.items():
            for clock in values[ticket_id]:
                assert clock.breached_at is None or clock.noticed_at is not None
                assert not (clock.met_at and clock.is_void)
                if status in ENDED:
                    assert not clock.is_running
                    assert clock.next_fire_at is None

    @invariant()
    def no_acknowledged_call_is_lost(self) -> None:
        with self.desk.store.read() as tx:
            known = {row.id: row.ticket_id for row in tx.conn.execute(select(CALLS.c.id, CALLS.c.ticket_id))}
            numbers = {row.id: row.number for row in tx.conn.execute(select(TICKETS.c.id, TICKETS.c.number))}
        for body in self.acknowledged.values():
            ticket_id = known[body["call_id"]]
            assert numbers[ticket_id] == body["ticket"]["number"]
        assert len(set(numbers.values())) == len(numbers)

    @invariant()
    def no_merge_goes_round(self) -> None:
        with self.desk.store.read() as tx:
            into = dict(tuple(row) for row in tx.conn.execute(select(TICKETS.c.number, TICKETS.c.merged_into)))
        for number in into:
            seen = {number}
            step = into[number]
            while step is not None:
                assert step not in seen
                seen.add(step)
                step = into[step]


def test_the_laws_hold_whatever_happens(sqlite_template: Path) -> None:
    Desk96533.template = sqlite_template
    machine = Desk96533.TestCase
    machine.settings = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine().runTest()
