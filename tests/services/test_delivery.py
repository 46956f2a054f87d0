"""A notice is sent until it is taken: retried where that helps, given up where it does not, never sent unleased."""

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import pytest
import urllib3
from sqlalchemy import select

from dispatch.notify import webhook
from dispatch.notify.console import Console
from dispatch.notify.port import Channel, DeliveryError, Parcel
from dispatch.notify.webhook import Webhook
from dispatch.services import delivery
from dispatch.services.delivery import BATCH, LEASE_S, MAX_ATTEMPTS, Delivered, deliver, pause_s
from dispatch.services.desk import Desk
from dispatch.storage import outbox
from dispatch.storage.outbox import OUTBOX
from tests.support.cast import TEAM_A, Spy, dispatched
from tests.support.store import in_parallel


@dataclass
class Clock:
    """A clock that tests move."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


def later() -> DeliveryError:
    return DeliveryError("HTTP 500", is_permanent=False)


def rows(desk: Desk) -> list[dict[str, Any]]:
    with desk.store.read() as tx:
        return [dict(row) for row in tx.conn.execute(select(OUTBOX).order_by(OUTBOX.c.id)).mappings()]


def queue(desk: Desk, now: datetime, count: int, channel: str = "console") -> None:
    made = [
        {
            "ticket_id": None,
            "channel": channel,
            "recipients": ["dispatcher"],
            "text": f"通知 {n}",
            "idempotency_key": f"{channel}:{n}",
            "state": "queued",
            "attempts": 0,
            "created_at": now,
            "next_try_at": now,
        }
        for n in range(count)
    ]
    with desk.store.write() as tx:
        outbox.put(tx, made)


def test_nothing_waits(desk: Desk, clock: Clock) -> None:
    assert deliver(desk, {}, clock) == Delivered()


def test_a_notice_is_sent_once(desk: Desk, now: datetime, clock: Clock) -> None:
    number = dispatched(desk, now)
    spy = Spy()
    assert deliver(desk, {"console": spy}, clock) == Delivered(sent=1)
    assert deliver(desk, {"console": spy}, clock) == Delivered()
    (parcel,) = spy.parcels
    assert (parcel.recipients, parcel.created_at) == ((f"crew:{TEAM_A}",), now)
    assert parcel.text.startswith(f"新工单 {number}: ")
    (row,) = rows(desk)
    assert (row["state"], row["sent_at"], row["attempts"]) == ("sent", now, 1)


def test_more_than_one_batch(desk: Desk, now: datetime, clock: Clock) -> None:
    queue(desk, now, BATCH + 7)
    spy = Spy()
    assert deliver(desk, {"console": spy}, clock) == Delivered(sent=BATCH + 7)
    assert [parcel.text for parcel in spy.parcels] == [f"通知 {n}" for n in range(BATCH + 7)]


def test_pauses_double_up_to_a_quarter_of_an_hour() -> None:
    assert [pause_s(n) for n in (1, 2, 3, 9, 10, 100)] == [2.0, 4.0, 8.0, 512.0, 900.0, 900.0]


def test_a_failure_is_tried_again_after_a_growing_pause(desk: Desk, now: datetime, clock: Clock) -> None:
    queue(desk, now, 1)
    spy = Spy([later(), later()])
    assert deliver(desk, {"console": spy}, clock) == Delivered(retried=1)
    (row,) = rows(desk)
    assert (row["state"], row["error"]) == ("queued", "HTTP 500")
    assert row["next_try_at"] == now + timedelta(seconds=2)
    assert deliver(desk, {"console": spy}, clock) == Delivered()
    clock.move(2)
    assert deliver(desk, {"console": spy}, clock) == Delivered(retried=1)
    assert rows(desk)[0]["next_try_at"] == clock() + timedelta(seconds=4)
    clock.move(4)
    assert deliver(desk, {"console": spy}, clock) == Delivered(sent=1)
    assert rows(desk)[0]["attempts"] == 3
    assert {parcel.idempotency_key for parcel in spy.parcels} == {"console:0"}


def test_after_the_last_attempt_it_is_given_up(desk: Desk, now: datetime, clock: Clock) -> None:
    queue(desk, now, 1)
    spy = Spy([later() for _ in range(MAX_ATTEMPTS)])
    for _ in range(MAX_ATTEMPTS - 1):
        assert deliver(desk, {"console": spy}, clock) == Delivered(retried=1)
        clock.move(900)
    assert deliver(desk, {"console": spy}, clock) == Delivered(failed=1)
    (row,) = rows(desk)
    assert (row["state"], row["next_try_at"], row["attempts"]) == ("failed", None, MAX_ATTEMPTS)


def test_a_refusal_is_final(desk: Desk, now: datetime, clock: Clock) -> None:
    queue(desk, now, 1)
    refusal = DeliveryError("HTTP 404", is_permanent=True)
    assert deliver(desk, {"console": Spy([refusal])}, clock) == Delivered(failed=1)
    clock.move(10_000)
    assert deliver(desk, {"console": Spy()}, clock) == Delivered()
    assert rows(desk)[0]["error"] == "HTTP 404"


def test_what_waits_for_another_channel_is_left_alone(desk: Desk, now: datetime, clock: Clock) -> None:
    queue(desk, now, 1, "pigeon")
    queue(desk, now, 1)
    assert deliver(desk, {"console": Spy()}, clock) == Delivered(sent=1)
    assert [row["state"] for row in rows(desk)] == ["queued", "sent"]
    assert deliver(desk, {"pigeon": Spy()}, clock) == Delivered(sent=1)


def test_a_fault_of_one_channel_holds_up_nobody(desk: Desk, now: datetime, clock: Clock) -> None:
    queue(desk, now, 2)
    broken = Spy([BrokenPipeError("stdout is closed")])
    assert deliver(desk, {"console": broken}, clock) == Delivered(sent=1, retried=1)
    assert rows(desk)[0]["error"] == "BrokenPipeError: stdout is closed"


def test_a_dead_senders_messages_are_sent_by_the_next(desk: Desk, now: datetime, clock: Clock) -> None:
    queue(desk, now, 1)

    def power_cut() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliver(desk, {"console": Spy(meanwhile=power_cut)}, clock)
    spy = Spy()
    clock.move(LEASE_S - 1)
    assert deliver(desk, {"console": spy}, clock) == Delivered()
    clock.move(1)
    assert deliver(desk, {"console": spy}, clock) == Delivered(sent=1)
    assert rows(desk)[0]["attempts"] == 2


@pytest.mark.parametrize("errors", [[], [DeliveryError("HTTP 500", is_permanent=False)]], ids=["sent", "failed"])
def test_a_sender_that_lost_its_lease_marks_nothing(
    desk: Desk, now: datetime, clock: Clock, errors: list[Exception]
) -> None:
    queue(desk, now, 1)
    quick = Spy()

    def long_pause() -> None:
        clock.move(LEASE_S)
        assert deliver(desk, {"console": quick}, clock) == Delivered(sent=1)

    slow = Spy(list(errors), meanwhile=long_pause)
    assert deliver(desk, {"console": slow}, clock) == Delivered()
    (row,) = rows(desk)
    assert (row["state"], row["attempts"], row["error"]) == ("sent", 2, None)
    assert len(quick.parcels) == 1


def test_a_slow_channel_stops_before_its_lease_ends(desk: Desk, now: datetime, clock: Clock) -> None:
    queue(desk, now, 8)
    slow = Spy(meanwhile=lambda: clock.move(10))
    with desk.store.read() as tx:
        assert outbox.next_try(tx, ["console"]) == now
    done = Delivered()
    for _ in range(3):
        more = deliver(desk, {"console": slow}, clock)
        done.sent += more.sent
        clock.move(LEASE_S)
    assert done.sent == 8
    # Nobody got a message twice: none was sent under a lease that had run out.
    assert sorted(parcel.text for parcel in slow.parcels) == [f"通知 {n}" for n in range(8)]


def test_what_a_slow_channel_did_not_reach_waits_as_before(desk: Desk, now: datetime, clock: Clock) -> None:
    queue(desk, now, 8)
    slow = Spy([later() for _ in range(8)], meanwhile=lambda: clock.move(10))
    done = deliver(desk, {"console": slow}, clock)
    assert 0 < done.retried < 8
    unreached = [row for row in rows(desk) if not row["attempts"]]
    assert len(unreached) == 8 - done.retried
    assert {row["state"] for row in unreached} == {"queued"}
    # The receiver is back: nobody waits for the lease to run out.
    assert deliver(desk, {"console": Spy()}, clock).sent >= len(unreached)


def test_a_receiver_may_be_away_for_days() -> None:
    assert sum(map(pause_s, range(1, MAX_ATTEMPTS))) > timedelta(days=2.9).total_seconds()


def test_several_senders_send_each_message_once(desk: Desk, now: datetime, clock: Clock) -> None:
    queue(desk, now, 120)
    spy = Spy()
    results = in_parallel([lambda: deliver(desk, {"console": spy}, clock)] * 4)
    assert sum(result.sent for result in results if isinstance(result, Delivered)) == 120
    assert len({parcel.id for parcel in spy.parcels}) == len(spy.parcels) == 120


def test_another_sender_may_be_faster(desk: Desk, now: datetime, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    queue(desk, now, 1)
    monkeypatch.setattr(outbox, "lease", lambda *_: [])
    assert deliver(desk, {"console": Spy()}, clock) == Delivered()


def test_no_transaction_is_open_while_sending(desk: Desk, now: datetime, clock: Clock) -> None:
    queue(desk, now, 1)

    def write_too() -> None:
        with desk.store.write() as tx:
            assert outbox.counts(tx) == {"leased": 1}

    assert deliver(desk, {"console": Spy(meanwhile=write_too)}, clock) == Delivered(sent=1)


# ---------------------------------------------------------------- channels


def parcel(now: datetime) -> Parcel:
    return Parcel(7, ("crew:tianxin-03", "dispatcher"), "GD1 到场超时", "5:arrive:1:2:console", now)


def test_the_console_prints_a_line(now: datetime) -> None:
    stream = StringIO()
    Console(stream).send(parcel(now), now)
    assert stream.getvalue() == "2026-11-24 10:00 → crew:tianxin-03, dispatcher: GD1 到场超时\n"


def test_the_console_is_standard_output(now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    Console().send(parcel(now), now)
    assert capsys.readouterr().out.endswith("GD1 到场超时\n")


SECRET = "a-shared-secret"


class Receiver(HTTPServer):
    """A webhook's other side: answers as told, and keeps what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/notices"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.send_header("Location", "/elsewhere")
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.network
def test_a_webhook_is_signed(receiver: Receiver, now: datetime) -> None:
    Webhook(receiver.url, SECRET).send(parcel(now), now + timedelta(seconds=5))
    ((headers, body),) = receiver.got
    assert json.loads(body) == {
        "id": 7,
        "recipients": ["crew:tianxin-03", "dispatcher"],
        "text": "GD1 到场超时",
        "created_at": "2026-11-24T02:00:00+00:00",
    }
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == "5:arrive:1:2:console"
    timestamp = headers["x-dispatch-timestamp"]
    assert int(timestamp) == int(now.timestamp()) + 5
    expected = hmac.new(SECRET.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["x-dispatch-signature"] == f"v1={expected}"


@pytest.mark.network
@pytest.mark.parametrize(
    ("status", "is_permanent"),
    [
        (302, True),
        (400, True),
        (404, True),
        (410, True),
        (408, False),
        (425, False),
        (429, False),
        (500, False),
        (503, False),
    ],
)
def test_what_a_webhook_says(receiver: Receiver, now: datetime, status: int, is_permanent: bool) -> None:
    receiver.answers = [status]
    with pytest.raises(DeliveryError, match=f"HTTP {status}") as caught:
        Webhook(receiver.url, SECRET).send(parcel(now), now)
    assert caught.value.is_permanent is is_permanent
    assert len(receiver.got) == 1  # no redirect followed, no retry of its own


@pytest.mark.network
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_notice_reaches_a_webhook_that_was_down(desk: Desk, now: datetime, clock: Clock, receiver: Receiver) -> None:
    receiver.answers = [500, 429]
    channels: dict[str, Channel] = {"webhook": Webhook(receiver.url, SECRET)}
    queue(desk, now, 1, "webhook")
    done = []
    for _ in range(3):
        done.append(deliver(desk, channels, clock))
        clock.move(60)
    assert done == [Delivered(retried=1), Delivered(retried=1), Delivered(sent=1)]
    assert {headers["idempotency-key"] for headers, _ in receiver.got} == {"webhook:0"}
    assert len({headers["x-dispatch-timestamp"] for headers, _ in receiver.got}) == 3


@pytest.mark.network
def test_nobody_answers(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", urllib3.Timeout(connect=0.2, read=0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(DeliveryError) as caught:
            Webhook(url, SECRET).send(parcel(now), now)
        assert not caught.value.is_permanent
    with pytest.raises(DeliveryError) as caught:
        Webhook(url, SECRET).send(parcel(now), now)
    assert not caught.value.is_permanent


def test_a_send_ends_within_the_time_kept_for_it() -> None:
    limits = (webhook.TIMEOUT.connect_timeout, webhook.TIMEOUT.read_timeout)
    assert sum(limit for limit in limits if isinstance(limit, float)) < delivery._SLOWEST_SEND_S < LEASE_S
