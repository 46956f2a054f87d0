"""A fresh installation, brought up by several at once, is brought up once."""

from datetime import datetime
from pathlib import Path

import pytest

from dispatch.services import bootstrap
from dispatch.services.desk import NotReady
from dispatch.storage import directory, schema
from tests.support.store import in_parallel, open_desk

DATA = Path(__file__).parents[2] / "data"


def test_three_at_once_bring_it_up_once(empty_url: str, now: datetime) -> None:
    desks = [open_desk(empty_url) for _ in range(3)]
    done = in_parallel([lambda desk=desk: bootstrap.bring_up(desk, DATA, now) for desk in desks])  # type: ignore[misc]
    assert sorted(map(len, done)) == [0, 0, 2]  # type: ignore[arg-type]
    with desks[0].store.read() as tx:
        assert len(directory.zone_sets(tx)) == 1
    for desk in desks:
        desk.store.close()


def test_a_database_of_another_version_is_not_ready(empty_url: str) -> None:
    desk = open_desk(empty_url)
    with pytest.raises(NotReady, match="init"):
        bootstrap.check_ready(desk)
    schema.upgrade(desk.store)
    bootstrap.check_ready(desk)
    desk.store.close()
