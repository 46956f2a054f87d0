"""What the other tests count with does count: damage done by hand is found."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, update

from dispatch.services import escalation, sealing, surge
from dispatch.services.desk import Desk
from dispatch.storage import audit, digests, escalations, outbox, tickets
from tests.support.cast import ZONE_A, call, cast_of, spot
from tests.support.due import due_steps, fired, flaws, seed
from tests.support.load import Load, kept
from tests.support.processes import utc_now

pytestmark = [pytest.mark.processes]


def test_doubled_missing_and_early_steps_are_counted(desk: Desk) -> None:
    now = utc_now()
    due = due_steps(desk, seed(desk, 3, now - timedelta(minutes=50)), now)
    escalation.sweep(desk, now)
    assert fired(desk, due).is_exact
    event = tickets.EVENTS
    with desk.store.write() as tx:
        (line, *_) = tx.conn.execute(select(event).where(event.c.kind == "escalate")).mappings()
        tx.conn.execute(insert(event).values({name: value for name, value in line.items() if name != "id"}))
    assert fired(desk, due).doubled == 1
    with desk.store.write() as tx:
        tx.conn.execute(delete(outbox.OUTBOX).where(outbox.OUTBOX.c.idempotency_key.like("%:arrive:%:2:console")))
    assert fired(desk, due).missing == 3
    with desk.store.write() as tx:
        tx.conn.execute(update(escalations.ESCALATIONS).where(escalations.ESCALATIONS.c.step == 3).values(step=4))
    found = fired(desk, due)
    assert (found.missing, found.early) == (6, 3)


def test_a_step_is_told_by_a_notice_or_by_a_digest_and_to_everybody(desk: Desk) -> None:
    now = utc_now()
    due = due_steps(desk, seed(desk, 3, now - timedelta(minutes=50)), now)
    surge.enter(desk, cast_of(desk).supervisor, "寒潮", {}, now)
    escalation.sweep(desk, now)
    assert fired(desk, due).is_exact
    item, notice = digests.ITEMS.c, outbox.OUTBOX
    with desk.store.write() as tx:  # of 80 % the crew alone has heard then
        tx.conn.execute(
            delete(digests.ITEMS).where(item.clock == "arrive", item.step == 1, item.recipient == "dispatcher")
        )
    assert fired(desk, due).missing == 3
    with desk.store.write() as tx:  # and the director has a notice beside the digest
        one = (
            tx.conn.execute(select(notice).where(notice.c.idempotency_key.like("%:arrive:%:1:console")))
            .mappings()
            .first()
        )
        assert one is not None
        key = one["idempotency_key"].replace(":1:console", ":3:console")
        told = {name: value for name, value in one.items() if name != "id"}
        tx.conn.execute(insert(notice).values(told | {"idempotency_key": key, "recipients": ["hotline_director"]}))
    assert fired(desk, due).doubled == 1


def test_lost_and_doubled_calls_are_counted(desk: Desk) -> None:
    agent, now = cast_of(desk).agent, utc_now()
    load = Load(port=0, token="", place=spot(desk, ZONE_A, now))
    for cti_call_id in ("load-1", "load-2", "load-3"):
        receipt = call(desk, agent, now, cti_call_id=cti_call_id, description=cti_call_id)
        load.acknowledged[cti_call_id] = [receipt.body["ticket"]["number"]]
    assert (kept(desk, load).lost, kept(desk, load).duplicates) == (0, 0)
    load.acknowledged["load-1"].append("GD20261124-999999")
    assert kept(desk, load).duplicates == 1
    load.acknowledged["load-4"] = ["GD20261124-999999"]
    assert kept(desk, load).lost == 1
    call(desk, agent, now, cti_call_id="other", description="load-3")
    assert kept(desk, load).duplicates == 2


def test_orphans_and_a_broken_chain_are_found(desk: Desk) -> None:
    seed(desk, 1, utc_now())
    sealing.seal(desk)
    assert flaws(desk) == {}
    with desk.store.write() as tx:
        tx.conn.execute(delete(tickets.EVENTS))
        tx.conn.execute(update(audit.AUDIT).where(audit.AUDIT.c.seq == 2).values(actor="nobody"))
    assert flaws(desk) == {"tickets without a timeline": 2, "audit chain broken at": 2}
