"""The sender ends between send and mark: every notice is sent again under the same key, and counts once."""

import io
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import select

from dispatch.notify.console import Console
from dispatch.notify.port import Channel
from dispatch.notify.webhook import Webhook
from dispatch.services import delivery
from dispatch.services.desk import Desk
from dispatch.storage import outbox
from tests.support.due import due_steps, escalation_count, seed
from tests.support.processes import Site, utc_now

pytestmark = [pytest.mark.processes, pytest.mark.network]

SECRET = "loopback"  # not a secret
STOPS_WITHIN_S = 5.0


class Receiver(ThreadingHTTPServer):
    """Takes notices; from the `hold_at`-th on it has taken the notice but does not answer until released."""

    daemon_threads = True

    def __init__(self, hold_at: int) -> None:
        super().__init__(("127.0.0.1", 0), Taker)
        self.keys: list[str] = []
        self.released = threading.Event()
        self._hold_at = hold_at

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/notices"

    @property
    def is_holding(self) -> bool:
        return len(self.keys) >= self._hold_at and not self.released.is_set()


class Taker(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.keys.append(self.headers["Idempotency-Key"])
        if self.server.is_holding:
            self.server.released.wait(30)
            return  # the sender waits no more
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver(hold_at=7) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def test_a_sender_killed_between_send_and_mark(desk: Desk, receiver: Receiver, tmp_path: Path) -> None:
    now = utc_now()
    due = due_steps(desk, seed(desk, 4, now - timedelta(minutes=50)), now)
    with Site(desk, tmp_path, DISPATCH_WEBHOOK_URL=receiver.url, DISPATCH_WEBHOOK_SECRET=SECRET) as site:
        sender = site.scheduler()
        sender.wait_for(lambda: receiver.is_holding, "a notice is sent and not answered")
        sender.kill()
        assert escalation_count(desk) == len(due)
        receiver.released.set()
        first = list(receiver.keys)
        assert len(first) == len(set(first)) == 7
        # The next sender waits for the lease to run out: a minute, which passes here at once.
        later = timedelta(seconds=delivery.LEASE_S + 1)
        channels: dict[str, Channel] = {"webhook": Webhook(receiver.url, SECRET), "console": Console(io.StringIO())}
        done = delivery.deliver(desk, channels, lambda: utc_now() + later)
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(outbox.OUTBOX.c.channel, outbox.OUTBOX.c.state)).all()
        keys = tx.conn.execute(
            select(outbox.OUTBOX.c.idempotency_key).where(outbox.OUTBOX.c.channel == "webhook")
        ).scalars()
        wanted = set(keys)
    assert {row.state for row in rows} == {"sent"}
    assert done.failed == done.retried == 0
    assert set(first) < wanted
    assert len(wanted) == len(due)
    # By key, as a receiver does it, every notice came exactly once; without it, the seven came twice.
    assert set(receiver.keys) == wanted
    assert len(receiver.keys) == len(wanted) + len(first)


def test_told_to_stop_a_scheduler_waits_for_no_receiver_that_hangs(
    desk: Desk, receiver: Receiver, tmp_path: Path
) -> None:
    now = utc_now()
    due = due_steps(desk, seed(desk, 4, now - timedelta(minutes=50)), now)
    with Site(desk, tmp_path, DISPATCH_WEBHOOK_URL=receiver.url, DISPATCH_WEBHOOK_SECRET=SECRET) as site:
        sender = site.scheduler()
        sender.wait_for(lambda: receiver.is_holding, "a notice is sent and not answered")
        begin = time.monotonic()
        assert sender.stop() == 0
        assert time.monotonic() - begin < STOPS_WITHIN_S
    with desk.store.read() as tx:
        table = outbox.OUTBOX.c
        query = select(table.idempotency_key, table.state, table.attempts, table.error)
        rows = tx.conn.execute(query.where(table.channel == "webhook")).all()
    *answered, hanging = receiver.keys
    assert len(rows) == len(due)
    assert {row.idempotency_key for row in rows if row.state == "sent"} == set(answered)
    # The one in flight keeps its lease; the others wait as before.
    assert [(row.idempotency_key, row.attempts) for row in rows if row.state == "leased"] == [(hanging, 1)]
    assert all(
        (row.state, row.attempts, row.error) == ("queued", 0, None)
        for row in rows
        if row.state not in ("sent", "leased")
    )
