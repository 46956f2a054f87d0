"""A night with real schedulers, a gateway that loses answers, and a kill in the middle: each person is told once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from dispatch.services import messages
from dispatch.services.desk import Desk
from dispatch.storage.db import Store
from dispatch.storage.escalations import ESCALATIONS
from dispatch.storage.messages import MESSAGES, USERS
from dispatch.storage.outbox import OUTBOX
from tests.support import sms_gateways
from tests.support.due import flaws, seed
from tests.support.night import PHONES, around_the_clock, set_up
from tests.support.processes import Site, utc_now, wait_for
from tests.support.sms_gateways import KEY_ID, LOST, SECRET, SIGN, Gateway

pytestmark = [pytest.mark.processes, pytest.mark.network]
URL = "https://dispatch.example"
# Of a ticket of this age three steps are due: accept (B), half of the arrival (A), 80 % of it (A and the area lead).
AGE = timedelta(minutes=25)
FIRST = ["a.night", "area", "crew.a", "crew.a"]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with sms_gateways.gateway("aliyun") as server:
        yield server


@pytest.fixture
def night(desk: Desk, tmp_path: Path, gateway: Gateway) -> Iterator[Site]:
    """An installation that sends by the gateway, with everybody on duty around the clock."""
    set_up(desk, utc_now() - timedelta(hours=1), around_the_clock())
    sms = {"GATEWAY": "aliyun", "KEY_ID": KEY_ID, "KEY_SECRET": SECRET, "SIGN": SIGN, "URL": gateway.url}
    environ = {f"DISPATCH_SMS_{name}": value for name, value in sms.items()}
    templates = {"DISPATCH_SMS_TEMPLATE": "SMS_1", "DISPATCH_SMS_ALERT_TEMPLATE": "SMS_3"}
    with Site(desk, tmp_path, **environ, **templates, DISPATCH_PUBLIC_URL=URL) as site:
        yield site


def told(store: Store) -> list[str]:
    """Who was told, in the order of the alphabet."""
    with store.read() as tx:
        query = select(USERS.c.login).join(MESSAGES, USERS.c.id == MESSAGES.c.user_id)
        return sorted(tx.conn.execute(query).scalars())


def pass_minutes(store: Store) -> None:
    """Let the time be over that people have to answer."""
    with store.write() as tx:
        tx.conn.execute(update(ESCALATIONS).where(ESCALATIONS.c.ask_at.is_not(None)).values(ask_at=utc_now()))


def are_through(store: Store) -> bool:
    """Whether every notice is through; the gateway is asked at once for what became of those in doubt."""
    with store.write() as tx:
        tx.conn.execute(update(OUTBOX).where(OUTBOX.c.state == "unknown").values(next_try_at=utc_now()))
        query = select(func.count()).where(OUTBOX.c.next_try_at.is_not(None))
        return not tx.conn.execute(query).scalar_one()


def test_each_is_told_once_though_schedulers_die_and_answers_are_lost(night: Site, gateway: Gateway) -> None:
    desk = night.desk
    victim, _survivor = night.scheduler(), night.scheduler()
    wait_for(lambda: night.beating(2), "both schedulers beat")
    gateway.answers += [LOST, LOST]  # taken, and the answer is lost on the way
    seed(desk, 1, utc_now() - AGE)
    wait_for(lambda: told(desk.store), "the first is told", every_s=0.002)
    victim.kill()
    night.scheduler()
    wait_for(lambda: told(desk.store) == FIRST, "the people of all three steps are told")
    wait_for(lambda: len(gateway.carried) == len(FIRST), "the gateway has their messages")
    area = next(one for one in gateway.carried if one.phone == PHONES["area"])
    answered = messages.answer(desk, area.params[-1], utc_now())
    assert answered["acknowledged_by"] == "测试片区长 (值班长) (短信链接)"
    # The accept step is answered by nobody: the next of the team. The half is a reminder, the 80 % is answered.
    pass_minutes(desk.store)
    wait_for(lambda: told(desk.store) == sorted([*FIRST, "crew.a"]), "the next one of the accept step is told")

    wait_for(lambda: are_through(desk.store), "every notice is through", every_s=0.2)
    sent = [(one.phone, *one.params) for one in gateway.carried]
    assert len(sent) == len(set(sent)) == len(FIRST) + 1
    assert len({one.key for one in gateway.carried}) == len(sent)
    assert flaws(desk) == {}
