"""The disk is full while calls come in at once: whoever is answered is kept, whoever is refused may ask again."""

import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError

from dispatch.services import sealing
from dispatch.services.desk import Desk
from tests.support.cast import call, cast_of
from tests.support.due import flaws, unsealed
from tests.support.processes import utc_now
from tests.support.store import open_desk, sqlite_url

pytestmark = [pytest.mark.processes]

CLIENTS = 8
CALLS_EACH = 30


@pytest.fixture
def desk(sqlite_template: Path, tmp_path: Path) -> Desk:
    shutil.copyfile(sqlite_template, tmp_path / "dispatch.db")
    return open_desk(sqlite_url(tmp_path / "dispatch.db"))


def pages(desk: Desk) -> int:
    with desk.store.read() as tx:
        return int(tx.conn.execute(text("PRAGMA page_count")).scalar_one())


def test_calls_on_a_full_disk(desk: Desk) -> None:
    agent, now, room = cast_of(desk).agent, utc_now(), [pages(desk) + 10]
    given: dict[str, str] = {}
    refused: list[str] = []

    @event.listens_for(desk.store.engine, "begin")
    def _limit(conn: Connection) -> None:
        conn.exec_driver_sql(f"PRAGMA max_page_count={room[0]}")

    def register(cti_call_id: str) -> None:
        try:
            given[cti_call_id] = call(desk, agent, now, cti_call_id=cti_call_id).body["ticket"]["number"]
        except (OperationalError, sqlite3.OperationalError):
            refused.append(cti_call_id)

    def client(number: int) -> None:
        for n in range(CALLS_EACH):
            register(f"{number}-{n}")

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert given, "there was no room at all"
    assert refused, "there was room enough"

    room[0] = 2**30
    for cti_call_id in list(refused):
        register(cti_call_id)
    assert len(given) == CLIENTS * CALLS_EACH
    with desk.store.read() as tx:
        stored = tx.conn.execute(
            text("SELECT cti_call_id, number FROM calls JOIN tickets ON tickets.id = calls.ticket_id")
        ).all()
    assert dict(list(stored)) == given
    assert len(set(given.values())) == len(stored) == len(given)
    sealing.seal(desk)
    assert not unsealed(desk)
    assert flaws(desk) == {}
    desk.store.close()
