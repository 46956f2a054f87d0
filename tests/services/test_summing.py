"""The kept days: they agree with a naive recount, whatever part of them is kept, and whoever keeps them."""

import random
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from dispatch.domain import facts as values
from dispatch.domain import figures as counting
from dispatch.domain.definitions import MEASURES
from dispatch.domain.facts import FORMAT, Facts
from dispatch.domain.figures import By, Group
from dispatch.domain.states import Verb
from dispatch.services import figures, summing
from dispatch.services.desk import Desk
from dispatch.services.figures import Asked, FiguresBehind
from dispatch.storage import figures as stored
from dispatch.storage.db import Store, Tx
from tests.support.cast import Cast, act, dispatched
from tests.support.history import History, history, recount
from tests.support.store import in_parallel, open_desk

DAY, SETTLED = timedelta(days=1), summing.SETTLED_AFTER
COUNT = 10_000


def sum_up(desk: Desk, now: datetime) -> int:
    """Two looks: on PostgreSQL the first one only sees what will be settled at the second."""
    total = summing.carry_on(desk, lambda: now, lambda: False)
    return total + summing.carry_on(desk, lambda: now + SETTLED, lambda: False)


def flat(group: Group) -> dict[str, Any]:
    """A group in the form of the naive count."""
    clocks = {
        kind.value: (
            one.judged, one.on_time, one.median_min, one.p90_min, one.late_median_min, one.late_p90_min
        )
        for kind, one in group.clocks.items()
    }  # fmt: skip
    measures = {one.value: (group.measures[one].value, group.measures[one].of) for one in MEASURES}
    return {"tickets": group.tickets, **clocks, **measures}


def check(counted: Mapping[str, Group], wanted: Mapping[str, Any]) -> None:
    assert list(counted) == list(wanted)
    for key, group in counted.items():
        assert rounded(flat(group)) == rounded(wanted[key])


def rounded(told: Mapping[str, Any]) -> dict[str, Any]:
    """Sums of floats differ in their last digits."""
    return {
        name: value if isinstance(value, int) else tuple(one and round(one, 6) for one in value)
        for name, value in told.items()
    }


def loaded(desk: Desk, cast: Cast, start: datetime, end: datetime) -> Facts:
    with desk.store.snapshot() as tx:
        return figures.load(tx, cast.supervisor, Asked(start=start, end=end))


def test_figures_of_ten_thousand_agree_with_a_naive_recount(desk: Desk, cast: Cast, now: datetime) -> None:
    """Half of them kept in days, half read anew; a tenth has moved since it was kept."""
    since, dice = now - 20 * DAY, random.Random(7)
    made = history(dice, COUNT // 2, since, 10)
    made.write(desk)
    assert sum_up(desk, now) >= COUNT // 2
    move(desk, made, dice, now)
    later = history(dice, COUNT // 2, since + 9 * DAY, 11, first=COUNT // 2 + 1)
    later.write(desk)
    for name in vars(made):
        getattr(made, name).extend(getattr(later, name))
    start, end = since + timedelta(hours=5), now - timedelta(hours=7)
    seen = loaded(desk, cast, start, end)
    for by in (By.ZONE, By.HOUR, By.CATEGORY, By.STEWARD):
        check(counting.count(seen, by, now), recount(made, by, start, end, now))
    sum_up(desk, now + DAY)
    with desk.store.read() as tx:
        assert stored.moved_since(tx, stored.mark(tx), since, now, 9) == ([], [])
    kept = loaded(desk, cast, start, end)
    assert counting.count(kept, By.TEAM, now) == counting.count(seen, By.TEAM, now)


def move(desk: Desk, made: History, dice: random.Random, now: datetime) -> None:
    """Some tickets are finished late, and go to another team."""
    some = dice.sample(made.tickets, len(made.tickets) // 10)
    told = {"status": "closed", "team_id": "team-x", "round": 2}
    events = [{**made.events[0], "ticket_id": row["id"], "kind": "arrive"} for row in some]
    for row in some:
        row.update(told)
    made.events.extend(events)
    with desk.store.write() as tx:
        moved = stored.TICKETS.c.id.in_([row["id"] for row in some])
        tx.conn.execute(update(stored.TICKETS).where(moved).values(told))
        tx.conn.execute(stored.EVENTS.insert(), events)


def test_a_late_change_of_an_old_ticket_is_seen(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    for verb in (Verb.ACCEPT, Verb.ARRIVE, Verb.DONE):
        act(desk, cast.dispatcher, number, verb, now)
    sum_up(desk, now)
    asked = Asked(start=now, end=now + DAY)
    first = figures.on_time(desk, cast.supervisor, asked, now + 40 * DAY)
    assert first["total"]["fix"]["judged"] == 1
    act(desk, cast.dispatcher, number, Verb.REWORK, now + 30 * DAY, note="又漏了")
    seen = figures.on_time(desk, cast.supervisor, asked, now + 40 * DAY)
    assert seen["total"]["fix"] == {**first["total"]["fix"], **seen["total"]["fix"], "judged": 2}
    sum_up(desk, now + 31 * DAY)
    assert figures.on_time(desk, cast.supervisor, asked, now + 40 * DAY) == seen


def test_a_running_clock_is_judged_when_it_is_asked_for(desk: Desk, cast: Cast, now: datetime) -> None:
    """Nobody has touched the ticket, and no sweep has seen it: it breaks all the same."""
    dispatched(desk, now)
    sum_up(desk, now)
    asked = Asked(start=now, end=now + DAY)
    told = [figures.on_time(desk, cast.supervisor, asked, now + timedelta(minutes=n)) for n in (9, 10, 40)]
    assert [one["total"]["ack"]["judged"] for one in told] == [0, 1, 1]
    assert [one["total"]["ack"]["late_median_min"] for one in told] == [None, 0.0, 30.0]


def test_nothing_to_do_writes_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    dispatched(desk, now)
    assert sum_up(desk, now) == 2  # a ticket and its call
    with desk.store.read() as tx:
        before = stored.mark(tx)
    assert sum_up(desk, now + DAY) == 0
    with desk.store.read() as tx:
        assert stored.mark(tx) == before


def test_a_long_history_is_read_in_batches_and_can_be_stopped(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summing, "BATCH", 4)
    for n in range(5):
        dispatched(desk, now + n * DAY)
    summing.batch(desk, now)
    assert summing.carry_on(desk, lambda: now + SETTLED, lambda: True) > 0
    with desk.store.read() as tx:
        assert stored.moved_since(tx, stored.mark(tx), now, now + 9 * DAY, 9)[0] != []
    summing.carry_on(desk, lambda: now + 3 * SETTLED, lambda: False)
    with desk.store.read() as tx:
        assert stored.moved_since(tx, stored.mark(tx), now, now + 9 * DAY, 9) == ([], [])
    told = figures.on_time(desk, cast.supervisor, Asked(start=now, end=now + 9 * DAY, by=By.DAY), now)
    assert [item["key"] for item in told["items"]] == [f"2026-11-{24 + n}" for n in range(5)]


def test_two_schedulers_at_once_keep_one_truth(desk: Desk, cast: Cast, now: datetime, url: str) -> None:
    for n in range(6):
        dispatched(desk, now + timedelta(minutes=n))
    desks = [desk, open_desk(url)]
    for at in (now, now + SETTLED, now + 3 * SETTLED):
        done = in_parallel([lambda one=one, at=at: summing.batch(one, at) for one in desks])  # type: ignore[misc]
        assert not [one for one in done if isinstance(one, Exception)]
    with desk.store.read() as tx:
        (page,) = stored.days(tx, stored.mark(tx), now.date(), now.date())
    assert sorted(values.unpack(page).tickets["id"].tolist()) == [1, 2, 3, 4, 5, 6]
    desks[1].store.close()


def test_whoever_was_overtaken_lets_go(
    desk: Desk, cast: Cast, now: datetime, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, real = open_desk(url), stored.facts_of
    dispatched(desk, now)
    summing.batch(desk, now)
    dispatched(desk, now)

    def overtaken(tx: Tx, tickets: Collection[int], calls: Collection[int]) -> Facts:
        monkeypatch.undo()
        summing.batch(other, now + SETTLED)
        return real(tx, tickets, calls)

    monkeypatch.setattr(stored, "facts_of", overtaken)
    assert summing.batch(desk, now + SETTLED) == (0, False)
    assert loaded(desk, cast, now, now + DAY).count == 2
    other.store.close()


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_what_commits_late_is_not_passed_over(desk: Desk, cast: Cast, now: datetime, store: Store) -> None:
    """An event whose number was drawn before others were committed: the mark waits for its transaction."""
    number = dispatched(desk, now)
    sum_up(desk, now)
    with store.write() as tx:
        row = {
            "ticket_id": 1, "at": now, "effective_at": now, "time_source": "server", "kind": "return",
            "from_status": None, "to_status": "dispatched", "actor_id": 0, "text": "",
        }  # fmt: skip
        tx.conn.execute(stored.EVENTS.insert(), row)
        act(desk, cast.dispatcher, dispatched(desk, now), Verb.ACCEPT, now)
        for n in range(1, 4):
            summing.batch(desk, now + n * SETTLED)
    assert number
    told = figures.on_time(desk, cast.supervisor, Asked(start=now, end=now + DAY), now)
    assert told["total"]["tickets"] == 2
    seen = loaded(desk, cast, now, now + DAY)
    assert seen.tickets["returns"].sum() == 1
    sum_up(desk, now + 9 * SETTLED)
    sum_up(desk, now + 19 * SETTLED)
    assert loaded(desk, cast, now, now + DAY).tickets["returns"].sum() == 1
    with store.read() as tx:
        assert stored.moved_since(tx, stored.mark(tx), now, now + DAY, 9) == ([], [])


def test_days_of_another_format_are_packed_anew(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatched(desk, now)
    sum_up(desk, now)
    with desk.store.write() as tx:
        tx.conn.execute(update(stored.MARK).values(format=FORMAT + 1))
        tx.conn.execute(update(stored.DAYS).values(facts=b"of another time"))
    sum_up(desk, now + DAY)
    assert loaded(desk, cast, now, now + DAY).count == 1


def test_too_much_to_read_anew_is_refused(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "_MOST_MOVED", 2)
    for _ in range(3):
        dispatched(desk, now)
    asked = Asked(start=now, end=now + DAY)
    with pytest.raises(FiguresBehind):
        figures.on_time(desk, cast.supervisor, asked, now)
    sum_up(desk, now)
    assert figures.on_time(desk, cast.supervisor, asked, now)["total"]["tickets"] == 3
