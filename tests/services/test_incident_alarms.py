"""Forty callers of one burst are one alarm for each step: every breach is kept, and one ticket speaks for all."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from dispatch.domain.incident import id_of
from dispatch.services import arrival, board, escalation, incident_members, incidents, surge
from dispatch.services.desk import Desk
from dispatch.services.incidents import Wish
from dispatch.storage import health
from dispatch.storage.digests import ITEMS
from dispatch.storage.outbox import OUTBOX
from dispatch.storage.tickets import TICKETS
from tests.support.cast import TEAM_A, ZONE_A, Cast, dispatched
from tests.support.store import in_parallel, open_desk

MINUTE = timedelta(minutes=1)


def burst(desk: Desk, at: datetime, **changes: Any) -> str:
    return dispatched(desk, at, ZONE_A, category="burst", **changes)


def opened(desk: Desk, cast: Cast, now: datetime, lead: str, *others: str) -> str:
    return str(incidents.open_(Wish(desk, cast.dispatcher, {}, now), lead, others, "")["number"])


def notices(desk: Desk, *clocks: str) -> list[tuple[str, str]]:
    """(ticket, text) of the notices of steps."""
    query = select(TICKETS.c.number, OUTBOX.c.text).join(TICKETS, TICKETS.c.id == OUTBOX.c.ticket_id)
    keys = [OUTBOX.c.idempotency_key.like(f"%:{clock}:1:%") for clock in clocks or ("ack", "arrive")]
    with desk.store.read() as tx:
        rows = [row for key in keys for row in tx.conn.execute(query.where(key).order_by(OUTBOX.c.id))]
        assert set(health.orphans(tx).values()) == {0}
    return [(number, text) for number, text in rows]


def breaches(desk: Desk, cast: Cast, number: str, now: datetime) -> list[tuple[str, float, list[str]]]:
    told = board.ticket(desk, cast.supervisor, number, now)
    return sorted((step["clock"], step["ratio"], step["recipients"]) for step in told["escalations"])


def test_one_notice_for_each_step_and_every_breach_kept(desk: Desk, cast: Cast, now: datetime, url: str) -> None:
    lead, *others = (burst(desk, now + n * timedelta(seconds=1)) for n in range(40))
    number = opened(desk, cast, now + MINUTE, lead, *others)
    later = now + 32 * MINUTE
    sweepers = [open_desk(url) for _ in range(3)]
    in_parallel([lambda one=one: escalation.sweep(one, later) for one in sweepers])  # type: ignore[misc]
    for one in sweepers:
        one.store.close()
    escalation.sweep(desk, later)
    told = notices(desk)
    assert [ticket for ticket, _ in told] == [lead] * 4
    assert all(text.endswith(f"; 事件 {number} 共 40 张工单, 牵头工单 {lead}") for _, text in told), told
    steps = [(clock, ratio) for clock, ratio, _ in breaches(desk, cast, lead, later)]
    assert steps == [("ack", 1.0), ("arrive", 0.5), ("arrive", 0.8), ("arrive", 1.0)]
    for other in others:
        assert breaches(desk, cast, other, later) == [(*step, []) for step in steps]
    shown = board.ticket(desk, cast.supervisor, others[0], later)
    assert shown["timeline"][-1]["text"].endswith(f"; 随事件 {number}, 由工单 {lead} 一并通知")
    assert {step["acknowledged_by"] for step in shown["escalations"]} == {f"随事件 {number}"}
    waiting = board.fired(desk, cast.supervisor, is_unanswered=True, after=0, limit=99)["items"]
    assert {step["number"] for step in waiting} == {lead}


def test_who_was_promised_more_is_not_kept_waiting_by_the_lead(desk: Desk, cast: Cast, now: datetime) -> None:
    """The lead's clocks run longer: the first of those that follow speaks, for all of its kind."""
    lead = dispatched(desk, now, ZONE_A, category="no_water")
    first, second = burst(desk, now), burst(desk, now)
    number = opened(desk, cast, now, lead, first, second)
    escalation.sweep(desk, now + 6 * MINUTE)  # 5 minutes to accept a burst, 10 for no water
    ((ticket, text),) = notices(desk)
    assert ticket == first
    assert text.endswith(f"通知B角和调度; 系统晚发 1 分 00 秒; 事件 {number} 共 3 张工单, 牵头工单 {lead}")
    escalation.sweep(desk, now + 11 * MINUTE)
    assert [ticket for ticket, _ in notices(desk)] == [first]
    assert len(breaches(desk, cast, lead, now)) == 1


def test_a_ticket_on_its_own_again_speaks_for_itself(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other, third = burst(desk, now), burst(desk, now), burst(desk, now)
    number = opened(desk, cast, now, lead, other, third)
    incident_members.split(Wish(desk, cast.dispatcher, {}, now), number, other, TEAM_A, "另一处漏水")
    escalation.sweep(desk, now + 5 * MINUTE)
    assert [(ticket, "共 2 张工单" in text) for ticket, text in notices(desk)] == [(lead, True), (other, False)]


def test_in_a_surge_one_line_of_the_digest_is_for_all(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = (dispatched(desk, now, ZONE_A, category="no_water") for _ in range(2))
    opened(desk, cast, now, lead, other)
    surge.enter(desk, cast.supervisor, "寒潮", {}, now)
    escalation.sweep(desk, now + 31 * MINUTE)
    with desk.store.read() as tx:
        assert set(tx.conn.execute(select(ITEMS.c.number)).scalars()) == {lead}


def test_no_way_is_estimated_to_a_ticket_that_goes_along(desk: Desk, cast: Cast, now: datetime) -> None:
    lead, other = burst(desk, now), burst(desk, now)
    number = opened(desk, cast, now, lead, other)
    assert id_of(number) is not None
    assert (arrival.look(desk, now), arrival.look(desk, now)) == (1, 0)
    incident_members.split(Wish(desk, cast.dispatcher, {}, now), number, other, TEAM_A, "另一处漏水")
    assert arrival.look(desk, now) == 1
