"""What has been written is sealed, in batches, by whoever comes first."""

from datetime import datetime

import pytest

from dispatch.domain.states import Status
from dispatch.services import sealing
from dispatch.services.desk import Desk
from dispatch.storage import audit
from tests.support.cast import ticket_at
from tests.support.store import in_parallel


def unsealed(desk: Desk) -> datetime | None:
    with desk.store.read() as tx:
        return audit.unsealed_since(tx.conn)


def test_everything_is_sealed_once(desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    sealing.seal(desk)
    assert sealing.seal(desk) == 0
    monkeypatch.setattr(sealing, "BATCH", 3)
    ticket_at(desk, Status.WORKING, now)
    assert unsealed(desk) == now
    assert sealing.seal(desk) == 6
    assert (unsealed(desk), sealing.seal(desk)) == (None, 0)
    with desk.store.read() as tx:
        assert audit.broken_at(tx.conn) is None


def test_several_sealers_make_one_chain(desk: Desk, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    sealing.seal(desk)
    monkeypatch.setattr(sealing, "BATCH", 2)
    ticket_at(desk, Status.CLOSED, now)
    results = in_parallel([lambda: sealing.seal(desk)] * 4)
    assert all(isinstance(result, int) for result in results)
    assert unsealed(desk) is None
    with desk.store.read() as tx:
        assert audit.broken_at(tx.conn) is None
