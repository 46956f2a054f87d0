"""Whoever reads while others write sees one state: `doctor` raises no false alarm on a running system."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar

import pytest

from dispatch.domain.progress import Counted
from dispatch.domain.roles import SYSTEM
from dispatch.services import health, sealing
from dispatch.services.desk import Desk
from dispatch.services.escalation import Sweep
from dispatch.storage import health as beats
from tests.support.processes import utc_now

T = TypeVar("T")
pytestmark = [pytest.mark.processes]


def test_a_reader_does_not_see_what_is_committed_meanwhile(desk: Desk) -> None:
    now = utc_now()
    with desk.store.snapshot() as tx:
        assert beats.last_beat(tx, now) is None
        health.beat(desk, "elsewhere:1", now - timedelta(seconds=1), Sweep())
        assert beats.last_beat(tx, now) is None
    with desk.store.read() as tx:
        assert beats.last_beat(tx, now) is not None


def test_the_chain_holds_while_it_grows(desk: Desk) -> None:
    def grow_first(_label: str, items: Counted[T]) -> Iterable[T]:
        with desk.store.write() as tx:
            tx.audit(utc_now(), SYSTEM, "test", "grows while doctor looks")
        assert sealing.seal(desk) > 0
        return items

    doctor = {finding.what: finding.is_good for finding in health.examine(desk, utc_now(), grow_first)}
    assert doctor["audit"]
