"""PostgreSQL crashes and comes back while everybody works: they recover by themselves, nothing is lost."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dispatch.services.desk import Desk
from tests.support.due import Step, due_steps, escalation_count, fired, flaws, seed, unsealed
from tests.support.load import kept, load_on
from tests.support.pg import PostgresServer
from tests.support.processes import Site, utc_now, wait_for
from tests.support.store import furnish, open_desk

pytestmark = [pytest.mark.processes, pytest.mark.network]


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A durable server of its own."""
    started = PostgresServer(durable=True)
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture
def desk(server: PostgresServer) -> Iterator[Desk]:
    furnish(server.url("postgres"))
    opened = open_desk(server.url("postgres"))
    yield opened
    opened.store.close()


def test_web_and_schedulers_survive_a_crash_of_the_database(server: PostgresServer, desk: Desk, tmp_path: Path) -> None:
    with Site(desk, tmp_path) as site:
        web = site.web().wait_until_up()
        scheduler = site.scheduler()
        wait_for(lambda: site.beating(2), "both beat")
        load = load_on(site)
        now, due = utc_now(), set[Step]()
        with load.running():
            for crash in range(3):
                load.wait_for_more(20)
                due |= due_steps(desk, seed(desk, 400, now - timedelta(minutes=50)), now)
                time.sleep(crash * 0.05)  # each time at another moment of the sweep
                server.crash()
                server.start()
            load.wait_for_more(20)
            wait_for(lambda: escalation_count(desk) >= len(due), "the schedulers have caught up")
        wait_for(lambda: web.health() == 200, "the lamp is green")
        assert scheduler.members()
        wait_for(lambda: not unsealed(desk), "the audit is sealed")
    result = kept(desk, load)
    assert (result.lost, result.duplicates) == (0, 0), result
    assert set(load.answers) - {200, 201}, "nobody noticed the crashes"
    found = fired(desk, due)
    assert found.is_exact, found
    assert flaws(desk) == {}
