"""The real server: `python run.py`, with TCP connections and everything between."""

from __future__ import annotations

import http.client
import json
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispatch.domain.roles import SYSTEM
from dispatch.services import setup
from dispatch.services.desk import Desk
from tests.support.processes import Site, Web
from tests.web.conftest import a_call

pytestmark = [pytest.mark.network, pytest.mark.processes]
BIG = 100_000_000
BLOCK = b"x" * 65536
# Threads and allocators take a few; the body would take a hundred.
FLAT_MB = 16


@dataclass
class Server:
    """A running server and a token for it."""

    web: Web
    desk: Desk
    token: str

    def post(self, body: bytes, path: str = "/api/v1/calls") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=20)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        told = answer.status, answer.read()
        connection.close()
        return told

    def memory_mb(self) -> float:
        """The most that any of its processes ever held."""
        peaks = []
        for pid in self.web.members():
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            peaks += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
        return max(peaks)


@pytest.fixture
def server(desk: Desk, tmp_path: Path) -> Iterator[Server]:
    now = datetime.now(UTC)
    token = setup.create_token(desk, SYSTEM, login="cti", label="test", expires_at=None, now=now)
    with Site(desk, tmp_path) as site:
        yield Server(site.web().wait_until_up(), desk, token)


def test_fifty_copies_of_one_call_are_one_ticket(server: Server) -> None:
    body = json.dumps(a_call(datetime.now(UTC), cti_call_id="cti-1")).encode()
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: server.post(body), range(50)))
    assert Counter(status for status, _ in answers) == {201: 1, 200: 49}
    first, *others = [json.loads(told) for _, told in answers]
    assert [told for told in others if told != first] == []
    with server.desk.store.read() as tx:
        counts = [tx.conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() for table in ("calls", "tickets")]
    assert counts == [1, 1]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_huge_body_ends_in_413_with_flat_memory(server: Server) -> None:
    assert server.post(b"{}")[0] == 422
    before = server.memory_mb()
    for is_chunked in (False, True):
        status, sent = upload(server, is_chunked)
        assert status == 413
        assert sent < BIG
    assert server.memory_mb() - before < FLAT_MB
    assert server.post(b"{}")[0] == 422


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_endless_nesting_leaves_the_server_alive(server: Server) -> None:
    for data in (b"[" * 900_000, b'{"a":' * 150_000):
        status, told = server.post(data)
        assert (status, json.loads(told)["code"]) == (400, "bad-json")
    assert server.web.health() == 200


def upload(server: Server, is_chunked: bool) -> tuple[int, int]:
    """Send a huge body until the server hangs up, as clients do; return the status and how much was sent."""
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {BIG}"
    head = f"POST /api/v1/calls HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token}\r\n{length}\r\n\r\n"
    block = b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK) if is_chunked else BLOCK
    sent = 0
    with socket.create_connection(("127.0.0.1", server.web.port), timeout=20) as connection:
        connection.sendall(head.encode())
        try:
            while sent < BIG:
                connection.sendall(block)
                sent += len(BLOCK)
        except ConnectionError:
            pass  # what a client sees who does not listen while it sends
        return int(connection.recv(4096).split()[1]), sent
