"""A main bursts: 200 callers, eight agents at once over HTTP, one incident, one crew job, and no clock is reset."""

from __future__ import annotations

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from dispatch.domain.place import Wgs84Point
from dispatch.domain.sla import ClockKind
from dispatch.services import present, setup
from dispatch.services.desk import Desk
from dispatch.storage import callbacks, calls, incidents, tickets
from tests.support.cast import TEAM_A, ZONE_A, cast_of, spot
from tests.support.processes import Site, utc_now

pytestmark = [pytest.mark.processes, pytest.mark.network]

AGENTS, CALLS = 8, 200
# Calls that an agent attaches with one key, once there is a job to attach them to.
EVERY = 5
BURST_S = 600
# However busy the machine is; an idle one needs five.
WITHIN_S = 100


class Client:
    """Somebody with a token; what was answered with an error is kept."""

    def __init__(self, site: Site, login: str) -> None:
        made = {"login": login, "label": "burst", "expires_at": None, "now": utc_now()}
        self._token = setup.create_token(site.desk, cast_of(site.desk).admin, **made)  # type: ignore[arg-type]
        self._port = site.port
        self.refused: list[tuple[int, str, Any]] = []

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        with closing(connection):
            connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            told = json.loads(answer.read())
        if answer.status >= 400:
            self.refused.append((answer.status, path, told.get("detail")))
        return answer.status, told


class Burst:
    """The street, its callers, and what the agents were answered."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._begun_at = utc_now() - timedelta(seconds=BURST_S)
        self._here = spot(site.desk, ZONE_A, utc_now())
        self.dispatcher = Client(site, "dispatcher")
        self.lead: str | None = None
        self.made: dict[str, list[Any]] = {}
        self._over = threading.Event()

    def run(self) -> list[Client]:
        """Let everybody work at once, until every call is in the incident."""
        agents = [Client(self._site, "agent") for _ in range(AGENTS)]
        with ThreadPoolExecutor(AGENTS + 1) as pool:
            steering = pool.submit(self._steer)
            list(pool.map(self._take, agents, range(AGENTS)))
            self._over.set()
            steering.result(WITHIN_S)
        return agents

    def _take(self, agent: Client, first: int) -> None:
        for n in range(first, CALLS, AGENTS):
            lead = self.lead if n % EVERY == 0 else None
            status, told = agent.ask("POST", "/calls", self.body(n) | ({"attach_to": lead} if lead else {}))
            if status == 201 and lead is None:
                self.made[told["ticket"]["number"]] = dues(told["ticket"])

    def body(self, n: int) -> dict[str, Any]:
        """What the nth caller tells."""
        place = Wgs84Point(self._here.lon + (n % 10) * 0.0001, self._here.lat + (n % 7) * 0.0001)
        return {
            "called_at": (self._begun_at + timedelta(seconds=n * BURST_S / CALLS)).isoformat(),
            "category": "burst" if n % 3 else "no_water",
            "description": "路面冒水, 家里没水",
            "cti_call_id": f"burst-{n}",
            "caller_phone": f"1300000{n:04d}",
            "location": {"lon": place.lon, "lat": place.lat, "datum": "wgs84"},
            "address": "天心区坡子街",
        }

    def _steer(self) -> None:
        """Confirm what the system proposes, and let in what it suggests from then on."""
        number, deadline = None, time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            is_last = self._over.is_set()
            _, found = self.dispatcher.ask("GET", "/incidents?status=proposed,open")
            for one in found["items"]:
                number = one["number"]
                self._let_in(number)
            if is_last and number is not None and self._is_whole(number):
                return
            time.sleep(0.2)
        raise AssertionError(f"never whole: {found}")

    def _let_in(self, number: str) -> None:
        _, incident = self.dispatcher.ask("GET", f"/incidents/{number}")
        suggested = [one["number"] for one in incident["suggested"]]
        if suggested:
            what = "confirm" if incident["status"] == "proposed" else "join"
            _, told = self.dispatcher.ask("POST", f"/incidents/{number}/{what}", {"tickets": suggested})
            self.lead = told.get("lead", self.lead)

    def _is_whole(self, number: str) -> bool:
        _, incident = self.dispatcher.ask("GET", f"/incidents/{number}")
        return len(incident["tickets"]) == len(self.made)


def dues(ticket: dict[str, Any]) -> list[Any]:
    return sorted((c["kind"], c["due_at"], c["original_due_at"]) for c in ticket["clocks"] if c["kind"] != "callback")


def test_two_hundred_calls_are_one_job(site: Site, desk: Desk) -> None:
    site.web().wait_until_up()
    burst = Burst(site)
    clients = burst.run()
    crew, lead = Client(site, "crew.a"), burst.lead
    _, (jobs) = crew.ask("GET", "/crew/jobs")
    assert [job["number"] for job in jobs["items"]] == [lead]
    assert jobs["items"][0]["incident"]["callers"] == CALLS
    for verb in ("accept", "depart", "arrive", "work"):
        assert crew.ask("POST", f"/tickets/{lead}/{verb}", {"note": "手机无定位"})[0] == 200
    _, page = burst.dispatcher.ask("GET", "/incidents?status=open")
    ((number, callers),) = [(one["number"], one["callers"]) for one in page["items"]]
    status, closed = burst.dispatcher.ask("POST", f"/incidents/{number}/close", {"note": "已修复", "is_done": True})
    assert (status, callers, {one["status"] for one in closed["tickets"]}) == (200, CALLS, {"done"})
    assert [refused for one in (*clients, crew, burst.dispatcher) for refused in one.refused] == []
    # Whoever calls now joins nothing that has ended, and is not lost.
    late = Client(site, "agent")
    assert late.ask("POST", "/calls", burst.body(CALLS) | {"attach_to": lead})[0] == 422
    assert late.ask("POST", "/calls", burst.body(CALLS))[0] == 201

    with desk.store.read() as tx:
        one_call = select(calls.CALLS.c.caller_phone).where(calls.CALLS.c.cti_call_id.like("burst-%"))
        phones = list(tx.conn.execute(one_call).scalars())
        many = tx.conn.execute(select(func.count()).select_from(incidents.INCIDENTS)).scalar_one()
        rung = list(tx.conn.execute(select(callbacks.CALLBACKS.c.phone)).scalars())
        found = tickets.lock_all(tx, lambda: incidents.ticket_ids(tx, 1))
    assert (len(phones), len(set(phones)), many) == (CALLS + 1, CALLS + 1, 1)
    # And each of the 200 is called back, once.
    assert sorted(rung) == [f"1300000{n:04d}" for n in range(CALLS)]
    assert {ticket.team_id for ticket in found.values()} == {TEAM_A}
    for ticket in found.values():
        after = [(c.kind.value, present.time(c.due_at), present.time(c.original_due_at)) for c in ticket.clocks]
        assert sorted(one for one in after if one[0] != "callback") == burst.made[ticket.number]
        assert ticket.running(ClockKind.CALLBACK) is not None
