"""Event streams on the real server: places, the end of either side, and news between processes."""

from __future__ import annotations

import http.client
import json
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from dispatch.domain.roles import SYSTEM
from dispatch.services import live, setup
from dispatch.services.desk import Desk
from tests.support.cast import received
from tests.support.due import seed
from tests.support.pg import PostgresServer
from tests.support.processes import Site, utc_now, wait_for
from tests.support.store import furnish, open_desk
from tests.support.streams import Client, clients

pytestmark = [pytest.mark.network, pytest.mark.processes]
on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
STOPS_WITHIN_S = 5.0


def token_for(desk: Desk, expires_at: datetime | None = None) -> str:
    return setup.create_token(desk, SYSTEM, login="agent", label="test", expires_at=expires_at, now=utc_now())


def begun(opened: list[Client]) -> bool:
    return all(client.of("pulse") for client in opened)


def is_told(client: Client, number: str) -> bool:
    return any(ticket["number"] == number for ticket in client.of("ticket"))


@on_sqlite
def test_a_stop_waits_for_no_stream(desk: Desk, site: Site) -> None:
    web = site.web().wait_until_up()
    with clients(site.port, token_for(desk), 50) as opened:
        wait_for(lambda: begun(opened), "all streams have begun")
        stopped_at = time.monotonic()
        assert web.stop(STOPS_WITHIN_S) == 0
        assert time.monotonic() - stopped_at < STOPS_WITHIN_S
        wait_for(lambda: all(client.is_over for client in opened), "all streams have ended")


@on_sqlite
def test_who_has_gone_frees_its_place(desk: Desk, tmp_path: Path) -> None:
    token = token_for(desk)
    with Site(desk, tmp_path, DISPATCH_THREADS="10") as site:
        web = site.web().wait_until_up()
        with clients(site.port, token, 6) as opened:
            assert {client.status for client in opened} == {200}
            assert Client(site.port, token).status == 503
            assert web.health() is not None, "the other threads do their work"
        wait_for(lambda: Client(site.port, token).status == 200, "a place is free", within_s=10, every_s=0.5)


@on_sqlite
def test_three_hundred_streams_hear_of_a_call(desk: Desk, tmp_path: Path) -> None:
    """Nobody's message is lost; how fast they come is measured by bench/streams.py."""
    token = token_for(desk)
    with Site(desk, tmp_path, DISPATCH_THREADS="512") as site:
        web = site.web().wait_until_up()
        with clients(site.port, token, 300) as opened:
            assert {client.status for client in opened} == {200}
            wait_for(lambda: begun(opened), "all streams have begun")
            number = received(desk, utc_now())
            wait_for(lambda: all(is_told(client, number) for client in opened), "all are told", every_s=0.1)
            assert not [client for client in opened if client.is_over]
            assert web.health() is not None, "the other threads do their work"


@on_sqlite
def test_a_token_that_expires_ends_its_stream(desk: Desk, site: Site) -> None:
    site.web().wait_until_up()
    with clients(site.port, token_for(desk, utc_now() + timedelta(seconds=3)), 1) as (client,):
        wait_for(lambda: client.is_over, "the stream has ended", within_s=20)


def test_a_change_by_any_process_is_told(desk: Desk, site: Site) -> None:
    """What this process commits, and the steps that the scheduler fires."""
    site.web().wait_until_up()
    with clients(site.port, token_for(desk), 1) as (client,):
        wait_for(lambda: begun([client]), "the stream has begun")
        number = received(desk, utc_now())
        wait_for(lambda: is_told(client, number), "the ticket is told", within_s=5)
        seed(desk, 1, utc_now() - timedelta(minutes=31))
        wait_for(lambda: any(one["unanswered"] for one in client.of("ticket")), "a step is told", within_s=10)


@on_postgresql
def test_processes_tell_each_other(desk: Desk, tmp_path: Path) -> None:
    """Calls taken by one web process are told by the other, long before its look a second later."""
    token = token_for(desk)
    with Site(desk, tmp_path) as one, Site(desk, tmp_path) as other:
        webs = [one.web(), other.web()]
        for web in webs:
            web.wait_until_up()
        with clients(one.port, token, 1) as (client,):
            wait_for(lambda: begun([client]), "the stream has begun")
            lags = sorted(lag(client, other.port, token) for _ in range(9))
    assert lags[4] < 0.5


def lag(client: Client, port: int, token: str) -> float:
    """Seconds from the answer of one process to the message of the other."""
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    told = {"called_at": utc_now().isoformat(), "category": "no_water", "address": "坡子街 12 号"}
    conn.request("POST", "/api/v1/calls", json.dumps(told), {"Authorization": f"Bearer {token}"})
    number = json.loads(conn.getresponse().read())["ticket"]["number"]
    answered_at = time.monotonic()
    conn.close()
    wait_for(lambda: is_told(client, number), "it is told", within_s=5)
    return (client.heard_at(number) or 0.0) - answered_at


def test_a_stream_outlives_a_crash_of_the_database(tmp_path: Path) -> None:
    server = PostgresServer(durable=True)
    server.start()
    try:
        furnish(server.url("postgres"))
        desk = open_desk(server.url("postgres"))
        with Site(desk, tmp_path) as site:
            site.web().wait_until_up()
            with clients(site.port, token_for(desk), 1) as (client,):
                wait_for(lambda: begun([client]), "the stream has begun")
                server.crash()
                time.sleep(1)
                server.start()
                wait_for(lambda: announce(desk), "the database is back")
                wait_for(lambda: client.of("signal"), "the stream goes on", within_s=15)
                assert not client.is_over
        desk.store.close()
    finally:
        server.stop()


def announce(desk: Desk) -> bool:
    try:
        with desk.store.write() as tx:
            live.tell(tx, "outage", "1", utc_now())
    except OperationalError:
        return False
    return True
