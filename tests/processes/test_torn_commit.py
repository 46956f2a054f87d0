"""The connection breaks after the database has committed, before it could say so: nobody knows, nothing breaks."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from dispatch.services.desk import Desk
from dispatch.storage.db import Store, Tx
from tests.support.cast import call, cast_of
from tests.support.due import flaws
from tests.support.processes import utc_now

pytestmark = [pytest.mark.processes]


class Torn(Exception):
    """What a driver raises when the server is gone."""


@contextmanager
def torn_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    whole = store.write

    @contextmanager
    def write() -> Iterator[Tx]:
        with whole() as tx:
            yield tx
        raise Torn

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", write)
        yield


def test_a_number_that_may_be_in_use_is_not_given_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    agent, now = cast_of(desk).agent, utc_now()
    first = call(desk, agent, now, cti_call_id="1").body["ticket"]["number"]
    with torn_commit(desk.store, monkeypatch), pytest.raises(Torn):
        call(desk, agent, now, cti_call_id="2")
    again = call(desk, agent, now, cti_call_id="2")
    assert again.is_repeat
    third = call(desk, agent, now, cti_call_id="3").body["ticket"]["number"]
    assert len({first, again.body["ticket"]["number"], third}) == 3
    assert flaws(desk) == {}
