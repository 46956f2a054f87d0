"""The jobs of one process: a slow channel holds up no other, and the audit is sealed without being asked."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from dispatch.domain.outage import NewOutage
from dispatch.domain.sla import ClockKind
from dispatch.domain.surge import NewWidening
from dispatch.domain.times import shanghai_day
from dispatch.notify.port import Parcel
from dispatch.scheduler import jobs as scheduling
from dispatch.scheduler.jobs import Jobs
from dispatch.services import escalation, report_mail, summing, surge, widening
from dispatch.services.desk import Desk
from dispatch.services.figures import FiguresBehind
from dispatch.storage import audit, figures, surges
from dispatch.storage.db import Store
from dispatch.storage.escalations import ESCALATIONS
from dispatch.storage.outbox import OUTBOX
from tests.support.cast import ZONE_A, Cast, call, spot
from tests.support.outages import announce

SOON_S = 10.0


class Stuck:
    """A channel whose other side never answers until it is let go."""

    def __init__(self) -> None:
        self.is_asked, self.let_go = threading.Event(), threading.Event()

    def send(self, parcel: Parcel, now: datetime) -> None:
        self.is_asked.set()
        self.let_go.wait(SOON_S)


class Quick:
    """A channel that takes at once."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []

    def send(self, parcel: Parcel, now: datetime) -> None:
        self.parcels.append(parcel)


def fired(desk: Desk) -> list[datetime]:
    with desk.store.read() as tx:
        return list(tx.conn.execute(select(ESCALATIONS.c.fired_at)).scalars())


def soon(is_so: Callable[[], object], within_s: float = SOON_S) -> bool:
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture
def two_channels(desk: Desk) -> Desk:
    settings = replace(desk.settings, webhook_url="http://127.0.0.1:9/", webhook_secret="s")
    return Desk(desk.store, settings)


def test_a_stuck_channel_holds_up_no_other(desk: Desk, two_channels: Desk, cast: Cast) -> None:
    stuck, quick = Stuck(), Quick()
    jobs = Jobs(two_channels, {"console": quick, "webhook": stuck})
    jobs.start()
    try:
        point = spot(desk, ZONE_A, datetime.now(UTC))
        call(two_channels, cast.agent, datetime.now(UTC), point=point)
        assert soon(stuck.is_asked.is_set)
        call(two_channels, cast.agent, datetime.now(UTC), point=point)
        assert soon(lambda: len(quick.parcels) == 2)
    finally:
        stuck.let_go.set()
        jobs.stop()


def test_any_number_of_stuck_channels_holds_up_neither_each_other_nor_the_sweep(desk: Desk, cast: Cast) -> None:
    stuck = {f"channel-{n}": Stuck() for n in range(12)}
    now = datetime.now(UTC)
    with desk.store.write() as tx:
        told = {"recipients": ["crew"], "text": "t", "state": "queued", "attempts": 0, "created_at": now}
        rows = [told | {"channel": name, "idempotency_key": name, "next_try_at": now} for name in stuck]
        tx.conn.execute(insert(OUTBOX), rows)
    jobs = Jobs(desk, stuck)
    jobs.start()
    try:
        assert soon(lambda: all(one.is_asked.is_set() for one in stuck.values()))
        call(desk, cast.agent, now - timedelta(minutes=31), point=spot(desk, ZONE_A, now))
        assert soon(lambda: fired(desk))
    finally:
        for one in stuck.values():
            one.let_go.set()
        jobs.stop()


def test_the_names_of_places_are_at_hand_before_the_first_call(desk: Desk) -> None:
    assert desk.gazetteers.at_hand() is None
    jobs = Jobs(desk, {})
    jobs.start()
    try:
        assert soon(desk.gazetteers.at_hand)
    finally:
        jobs.stop()


def test_a_surge_begins_and_ends_by_itself(desk: Desk, cast: Cast) -> None:
    """And what waits for a digest, or for wider clocks, is done meanwhile."""
    now = datetime.now(UTC)
    call(desk, cast.agent, now, category="pressure", point=spot(desk, ZONE_A, now))
    row = {
        "outcome": "answered", "called_at": now, "logged_at": now, "taken_by": 1, "category": "inquiry",
        "description": "", "address": "", "answers": {},
    }  # fmt: skip
    with desk.store.write() as tx:
        tx.conn.execute(insert(surges.CALLS), [row] * 150)
    jobs = Jobs(desk, {"console": Quick()})
    jobs.start()
    try:
        assert soon(lambda: surge.state(desk, cast.supervisor, now)["surge"])
        told = NewWidening(levels=["P3"], clocks=[ClockKind.FIX], factor=2.0, word="寒潮", is_for_running=True)
        proposed = widening.propose(desk, cast.supervisor, told, {}, now)
        widening.decide(desk, cast.admin, proposed["id"], is_approved=True, note="", now=now)
        assert soon(lambda: surge.state(desk, cast.supervisor, now)["surge"]["widenings"][0]["widened"] == 1)
        with desk.store.write() as tx:
            tx.conn.execute(update(surges.CALLS).values(logged_at=now - timedelta(hours=1)))
        assert soon(lambda: surge.state(desk, cast.supervisor, now)["surge"]["calm_since"])
        with desk.store.write() as tx:
            surges.note(tx, 1, calm_since=now - timedelta(hours=1))
        assert soon(lambda: surge.state(desk, cast.supervisor, now)["surge"] is None)
    finally:
        jobs.stop()


def test_the_days_of_the_figures_are_summed_up_by_themselves(
    desk: Desk, cast: Cast, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((scheduling, "_SUM_EVERY"), (summing, "SETTLED_AFTER")):
        monkeypatch.setattr(module, name, timedelta())
    jobs = Jobs(desk, {"console": Quick()})
    jobs.start()
    try:
        now = datetime.now(UTC)
        call(desk, cast.agent, now)

        def is_summed_up() -> bool:
            with store.read() as tx:
                return figures.days(tx, figures.mark(tx), shanghai_day(now), shanghai_day(now)) != []

        assert soon(is_summed_up)
    finally:
        jobs.stop()


def test_the_audit_is_sealed_by_itself(desk: Desk, cast: Cast, store: Store) -> None:
    jobs = Jobs(desk, {"console": Quick()})
    jobs.start()
    try:
        call(desk, cast.agent, datetime.now(UTC))

        def is_sealed() -> bool:
            with store.read() as tx:
                return audit.unsealed_since(tx.conn) is None

        assert soon(is_sealed)
    finally:
        jobs.stop()
    with store.read() as tx:
        assert audit.broken_at(tx.conn) is None


def test_an_outage_that_ends_soon_is_asked_about_once(desk: Desk, cast: Cast) -> None:
    now = datetime.now(UTC)
    told = NewOutage(
        title="抢修",
        place="坡子街",
        is_planned=False,
        zone_ids=[ZONE_A],
        starts_at=now,
        ends_at=now + timedelta(minutes=9),
    )
    quick = Quick()
    both = [Jobs(desk, {"console": quick}) for _ in range(2)]
    for jobs in both:
        jobs.start()
    try:
        announce(desk, told, now)
        assert soon(lambda: quick.parcels)
        time.sleep(1.2)  # each has looked again
    finally:
        for jobs in both:
            jobs.stop()
    assert [parcel.text.count("能否按时恢复") for parcel in quick.parcels] == [1]


def test_a_stop_waits_for_no_receiver_that_does_not_answer(desk: Desk, two_channels: Desk, cast: Cast) -> None:
    stuck = Stuck()
    jobs = Jobs(two_channels, {"console": Quick(), "webhook": stuck})
    jobs.start()
    try:
        call(two_channels, cast.agent, datetime.now(UTC), point=spot(desk, ZONE_A, datetime.now(UTC)))
        assert soon(stuck.is_asked.is_set)
        begin = time.monotonic()
    finally:
        jobs.stop()
    assert time.monotonic() - begin < 5.0
    with desk.store.read() as tx:
        (row,) = tx.conn.execute(select(OUTBOX).where(OUTBOX.c.channel == "webhook")).all()
    assert (row.state, row.attempts, row.sent_at, row.error) == ("leased", 1, None, None)
    stuck.let_go.set()


def test_a_stop_waits_a_moment_for_an_answer(desk: Desk, two_channels: Desk, cast: Cast) -> None:
    stuck = Stuck()
    jobs = Jobs(two_channels, {"console": Quick(), "webhook": stuck})
    jobs.start()
    try:
        call(two_channels, cast.agent, datetime.now(UTC), point=spot(desk, ZONE_A, datetime.now(UTC)))
        assert soon(stuck.is_asked.is_set)
        threading.Timer(0.5, stuck.let_go.set).start()
    finally:
        jobs.stop()
    with desk.store.read() as tx:
        states = tx.conn.execute(select(OUTBOX.c.state).where(OUTBOX.c.channel == "webhook")).scalars().all()
    assert states == ["sent"]


def test_each_batch_of_a_catch_up_says_its_own_time(desk: Desk, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escalation, "BATCH", 1)
    ago = datetime.now(UTC) - timedelta(minutes=11)  # acceptance is overdue, and nothing else
    for _ in range(5):
        call(desk, cast.agent, ago, point=spot(desk, ZONE_A, ago))
    jobs = Jobs(desk, {"console": Quick()})
    jobs.start()
    try:
        assert soon(lambda: len(fired(desk)) == 5)
    finally:
        jobs.stop()
    assert len(set(fired(desk))) == 5


def test_the_report_goes_out_in_the_morning_and_waits_for_figures_that_are_behind(
    desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look finds them behind; a minute later, by the clock of the job, it goes out, once."""
    settings = replace(desk.settings, smtp_host="127.0.0.1", mail_from="96533@example.cn", report_to="boss@example.cn")
    posting = Desk(desk.store, settings)
    at, mail = [now + timedelta(days=1)], Quick()
    asked: list[datetime] = []
    real = report_mail.send

    def send(desk: Desk, moment: datetime) -> int:
        asked.append(moment)
        if len(asked) == 1:
            raise FiguresBehind("历史工单正在汇总")
        return real(desk, moment)

    monkeypatch.setattr(report_mail, "send", send)
    jobs = Jobs(posting, {"email": mail}, now=lambda: at[0])
    jobs.start()
    try:
        # All jobs begin at once, and the names of all places are read beside.
        assert soon(lambda: asked, 60)
        at[0] += timedelta(seconds=59)
        time.sleep(3 * desk.settings.sweep_cap_s)
        assert (len(asked), mail.parcels) == (1, [])
        at[0] += timedelta(seconds=1)
        assert soon(lambda: mail.parcels, 60)
        at[0] += timedelta(minutes=2)
        assert soon(lambda: len(asked) == 3, 60)
    finally:
        jobs.stop()
    (parcel,) = mail.parcels
    assert parcel.recipients == ("email:boss@example.cn",)
    assert parcel.html is not None
