"""Two schedulers in a surge, one of them killed: every step fires once, and its notices are in exactly one digest."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from dispatch.services import surge
from dispatch.services.desk import Desk
from dispatch.storage import health, outbox, surges
from dispatch.storage.digests import ITEMS
from tests.support.cast import Cast
from tests.support.due import due_steps, escalation_count, seed
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
