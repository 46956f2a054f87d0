"""Calls under load: callers who never give up, and a count of what became of the calls that were acknowledged."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import select

from dispatch.domain.place import Wgs84Point
from dispatch.services import setup
from dispatch.services.desk import Desk
from dispatch.storage import calls, tickets
from tests.support.cast import ZONE_A, cast_of, spot
from tests.support.due import doubles
from tests.support.processes import WITHIN_S, Site, utc_now, wait_for


@dataclass(slots=True)
class Load:
    """Clients that register calls one after another and ask again, with the same ids, until each is acknowledged.

    Attributes:
        port: Of the web server.
        token: Bearer token of an agent.
        place: Where the callers are.
        clients: How many call at once.
        acknowledged: Ticket numbers by CTI call id, one for each acknowledgement: a repeated call has several.
        answers: How often each HTTP status came; None counts broken connections.
    """

    port: int
    token: str
    place: Wgs84Point
    clients: int = 4
    acknowledged: dict[str, list[str]] = field(default_factory=dict)
    answers: Counter[int | None] = field(default_factory=Counter)
    _is_patient: bool = True
    _stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self, *, is_patient: bool = True) -> Iterator[Self]:
        """Call for as long as the body runs; then wait for the last acknowledgements, or hang up."""
        self._is_patient = is_patient
        threads = [threading.Thread(target=self._client, args=(n,), daemon=True) for n in range(self.clients)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            deadline = time.monotonic() + WITHIN_S
            for thread in threads:
                thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in threads):
            raise AssertionError(f"a call was never acknowledged; answers: {dict(self.answers)}")

    def wait_for_more(self, calls_: int) -> None:
        """Wait until so many more calls are acknowledged."""
        target = len(self.acknowledged) + calls_
        try:
            wait_for(lambda: len(self.acknowledged) >= target, f"{calls_} more calls are acknowledged")
        except AssertionError as error:
            raise AssertionError(f"{error}; answers: {dict(self.answers)}") from None

    def _client(self, number: int) -> None:
        made = 0
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while not self._stopping.is_set():
            made += 1
            cti_call_id = f"load-{number}-{made}"
            body = self._body(cti_call_id)
            # Telephone systems repeat themselves: every fourth call comes twice.
            for _ in range(2 if made % 4 == 0 else 1):
                self._insist(connection, cti_call_id, body)
        connection.close()

    def _body(self, cti_call_id: str) -> bytes:
        told = {
            "called_at": utc_now().isoformat(),
            "category": "no_water",
            "description": cti_call_id,
            "cti_call_id": cti_call_id,
            "location": {"lon": self.place.lon, "lat": self.place.lat, "datum": "wgs84"},
        }
        return json.dumps(told).encode()

    def _insist(self, connection: http.client.HTTPConnection, cti_call_id: str, body: bytes) -> None:
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline and (self._is_patient or not self._stopping.is_set()):
            status, answer = self._post(connection, cti_call_id, body)
            with self._lock:
                self.answers[status] += 1
                if status in (200, 201):
                    self.acknowledged.setdefault(cti_call_id, []).append(json.loads(answer)["ticket"]["number"])
                    return
            time.sleep(0.02)  # nobody there, or too early: ask again
        if self._is_patient:
            raise AssertionError(f"{cti_call_id} was never acknowledged")

    def _post(self, connection: http.client.HTTPConnection, key: str, body: bytes) -> tuple[int | None, bytes]:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            connection.request("POST", "/api/v1/calls", body, headers)
            with connection.getresponse() as answer:
                return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return None, b""


def load_on(site: Site, clients: int = 4) -> Load:
    """A load of calls on a site, from one spot in a grid."""
    now = utc_now()
    token = setup.create_token(
        site.desk, cast_of(site.desk).admin, login="agent", label="load", expires_at=None, now=now
    )
    return Load(site.port, token, spot(site.desk, ZONE_A, now), clients)


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the calls that were acknowledged."""

    acknowledged: int
    lost: int
    duplicates: int


def kept(desk: Desk, load: Load) -> Kept:
    """Look every acknowledged call up: it is there under its number, once, and was never answered differently."""
    call_, ticket = calls.CALLS.c, tickets.TICKETS.c
    with desk.store.read() as tx:
        joined = select(call_.cti_call_id, ticket.number).join(tickets.TICKETS, ticket.id == call_.ticket_id)
        stored = list(map(tuple, tx.conn.execute(joined.where(call_.cti_call_id.is_not(None)))))
        told = select(ticket.description).where(ticket.description.like("load-%"))
        described = list(tx.conn.execute(told).scalars())
        numbers = list(tx.conn.execute(select(ticket.number)).scalars())
    found = dict(stored)
    said = {cti_call_id: set(answers) for cti_call_id, answers in load.acknowledged.items()}
    return Kept(
        acknowledged=len(said),
        lost=sum(found.get(cti_call_id) not in answers for cti_call_id, answers in said.items()),
        duplicates=doubles(stored) + doubles(described) + doubles(numbers) + sum(len(a) - 1 for a in said.values()),
    )
