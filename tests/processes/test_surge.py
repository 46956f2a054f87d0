"""Two schedulers in a surge, one of them killed: every step fires once, and its notices are in exactly one digest."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from dispatch.services import surge
from dispatch.services.desk import Desk
from dispatch.storage import health, outbox, surges
from dispatch.storage.digests import ITEMS
from dispatch.storage.messages import MESSAGES, USERS
from tests.support.cast import Cast
from tests.support.due import due_steps, escalation_count, seed
from tests.support.night import around_the_clock, set_up
from tests.support.processes import Site, utc_now, wait_for

pytestmark = [pytest.mark.processes]
AGE = timedelta(minutes=50)


def rounds(desk: Desk) -> int:
    with desk.store.read() as tx:
        return int(tx.conn.execute(select(func.max(ITEMS.c.digest))).scalar() or 0)


def test_a_killed_scheduler_leaves_no_step_untold_and_none_told_twice(desk: Desk, cast: Cast, site: Site) -> None:
    surge.enter(desk, cast.supervisor, "寒潮", {}, utc_now())
    with desk.store.write() as tx:  # a digest with every look
        tx.conn.execute(update(surges.SURGES).values(digest_every_s=0.01, digest_at=utc_now()))
    victim, _survivor = site.scheduler(), site.scheduler()
    wait_for(lambda: site.beating(2), "both schedulers beat")
    due = due_steps(desk, seed(desk, 300, utc_now() - AGE), utc_now())
    wait_for(lambda: rounds(desk) >= 1, "a digest has gone out", every_s=0.002)
    victim.kill()
    due |= due_steps(desk, seed(desk, 300, utc_now() - AGE), utc_now())
    wait_for(lambda: escalation_count(desk) >= len(due), "all is fired")
    surge.leave(desk, cast.supervisor, "回落", 1, utc_now())
    with desk.store.read() as tx:
        items = tx.conn.execute(select(ITEMS)).all()
        keys = tx.conn.execute(select(outbox.OUTBOX.c.idempotency_key)).scalars().all()
        wrong = {name: count for name, count in health.orphans(tx).items() if count}
    assert escalation_count(desk) == len(due)
    assert wrong == {}
    # Accept missed, 80 %, arrival missed, supervision: of five steps one is for the crew alone, one for two audiences.
    assert len(items) == len(due)
    told = {key.removesuffix(":console") for key in keys if key.startswith("digest:")}
    assert told == {f"digest:{item.surge_id}:{item.digest}:{item.recipient}" for item in items}
    assert len(told) == len([key for key in keys if key.startswith("digest:")])


def test_a_killed_scheduler_leaves_each_person_one_digest_of_each_step(desk: Desk, cast: Cast, site: Site) -> None:
    set_up(desk, utc_now() - timedelta(hours=1), around_the_clock())
    surge.enter(desk, cast.supervisor, "寒潮", {}, utc_now())
    with desk.store.write() as tx:  # a digest with every look
        tx.conn.execute(update(surges.SURGES).values(digest_every_s=0.01, digest_at=utc_now()))
    victim, _survivor = site.scheduler(), site.scheduler()
    wait_for(lambda: site.beating(2), "both schedulers beat")
    due = due_steps(desk, seed(desk, 60, utc_now() - AGE), utc_now())
    wait_for(lambda: rounds(desk) >= 1, "a digest has gone out", every_s=0.002)
    victim.kill()
    due |= due_steps(desk, seed(desk, 60, utc_now() - AGE), utc_now())
    wait_for(lambda: escalation_count(desk) >= len(due), "all is fired")
    surge.leave(desk, cast.supervisor, "回落", 1, utc_now())
    with desk.store.read() as tx:
        items = tx.conn.execute(select(ITEMS).where(ITEMS.c.recipient.startswith("user:"))).all()
        query = select(USERS.c.login, MESSAGES.c.key, MESSAGES.c.step).join(USERS, USERS.c.id == MESSAGES.c.user_id)
        told = tx.conn.execute(query).all()
        wrong = {name: count for name, count in health.orphans(tx).items() if count}
    assert wrong == {}
    digests = [one.key for one in told if one.step is None]
    assert sorted(digests) == sorted({f"digest:{one.surge_id}:{one.digest}:{one.recipient}" for one in items})
    # 80 %, missed, supervision: one step of each ticket for each of the three; none of them was told of one alone.
    assert Counter(one.recipient for one in items) == {"user:area": 120, "user:duty": 120, "user:director": 120}
    alone = Counter(one.login for one in told if one.step is not None)
    assert {login: alone[login] for login in ("area", "duty", "director")} == dict.fromkeys(
        ("area", "duty", "director"), 120
    )
