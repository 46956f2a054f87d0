"""The event stream and polling, within one process; tests/processes/test_streams.py has them on the real server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import delete, update
from werkzeug.test import TestResponse

from dispatch.domain.states import Verb
from dispatch.realtime import hub
from dispatch.storage.columns import table_of
from dispatch.storage.tables import TokenRow, UserRow
from dispatch.web.api import stream
from tests.support.cast import TEAM_A, TEAM_B, act, cast_of, dispatched, received
from tests.web.conftest import As, Browser, In, desk_of, open_app, token_of

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


class Listening:
    """An open stream, read message by message."""

    def __init__(self, answer: TestResponse) -> None:
        assert answer.status_code == 200, answer.data
        self.answer = answer
        self.mark = ""
        self._chunks: Iterator[bytes] = iter(answer.iter_encoded())

    def until(self, kind: str) -> list[Any]:
        """Read up to a message of this kind; return it and those before it, without pulses."""
        found: list[Any] = []
        for chunk in self._chunks:
            for line in chunk.decode().splitlines():
                if line.startswith("id: "):
                    self.mark = line[4:]
                if line.startswith("data: "):
                    found.append(json.loads(line[6:]))
            if any(message["kind"] == kind for message in found):
                return [message for message in found if message["kind"] != "pulse"]
        raise AssertionError(f"the stream has ended with {found}")

    def rest(self) -> list[bytes]:
        """Read to the end."""
        return list(self._chunks)

    def close(self) -> None:
        self.answer.close()


def listen(caller: Any, path: str = "/stream", **headers: str) -> Listening:
    return Listening(caller.client.get(f"/api/v1{path}", headers=getattr(caller, "_headers", dict)() | headers))


def test_a_stream_is_one_that_no_proxy_keeps_back(as_: As) -> None:
    heard = listen(as_("agent"))
    assert heard.answer.content_type == "text/event-stream"
    assert heard.answer.headers["Cache-Control"] == "no-store"
    assert heard.answer.headers["X-Accel-Buffering"] == "no"
    heard.until("pulse")
    assert heard.mark == "0.0"
    heard.close()


def test_what_changes_is_told_to_who_may_see_it(app: APIFlask, as_: As, now: datetime) -> None:
    desk = desk_of(app)
    agent, crew = listen(as_("agent")), listen(as_("crew.b"))
    for heard in (agent, crew):
        heard.until("pulse")
    number = dispatched(desk, now)
    (told,) = agent.until("ticket")
    assert (told["number"], told["team_id"]) == (number, TEAM_A)
    act(desk, cast_of(desk).dispatcher, number, Verb.REASSIGN, now, team_id=TEAM_B)
    (told,) = crew.until("ticket")
    assert (told["number"], told["team_id"]) == (number, TEAM_B)
    agent.close()
    crew.close()


@pytest.mark.parametrize("by_header", [True, False])
def test_a_stream_goes_on_where_the_last_one_ended(app: APIFlask, as_: As, now: datetime, by_header: bool) -> None:
    first = listen(as_("agent"))
    first.until("pulse")
    first.close()
    number = received(desk_of(app), now)
    headers = {"Last-Event-ID": first.mark} if by_header else {}
    second = listen(as_("agent"), "/stream" if by_header else f"/stream?after={first.mark}", **headers)
    assert [told["number"] for told in second.until("ticket")] == [number]
    second.close()


def test_a_mark_that_is_none_is_refused(as_: As) -> None:
    for path in ("/stream?after=x", "/changes?after=1", "/changes?after=1.-1", f"/changes?after=1.{'9' * 19}"):
        assert as_("agent").get(path).status_code == 422
    assert (
        as_("agent").client.get("/api/v1/stream", headers=as_("agent")._headers() | {"Last-Event-ID": "x"}).status_code
        == 422
    )


def test_polling_goes_from_mark_to_mark(app: APIFlask, as_: As, now: datetime) -> None:
    first = json.loads(as_("agent").get("/changes").data)
    assert [told["kind"] for told in first["messages"]] == ["pulse"]
    number = received(desk_of(app), now)
    after = first["next"]
    found: list[Any] = []
    while not found:
        told = json.loads(as_("agent").get("/changes", after=after).data)
        after, found = told["next"], [one["number"] for one in told["messages"] if one["kind"] == "ticket"]
    assert found == [number]


def test_where_no_thread_is_left_it_says_when_to_ask_again(url: str, now: datetime) -> None:
    app = open_app(url, threads=2)
    headers = {"Authorization": f"Bearer {token_of(app, 'agent', now)}"}
    held = app.test_client().get("/api/v1/stream", headers=headers)
    answer = app.test_client().get("/api/v1/stream", headers=headers)
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert json.loads(answer.data)["code"] == "streams-full"
    assert int(answer.headers["Retry-After"]) > 0
    held.close()
    again = app.test_client().get("/api/v1/stream", headers=headers)
    assert again.status_code == 200
    again.close()
    app.extensions["stop_live"]()
    desk_of(app).store.close()


# ---------------------------------------------------------------- the end


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever listens is looked up again with every message, and hears one at least every 50 ms."""
    monkeypatch.setattr(stream, "_CHECK_EVERY_S", 0.0)
    monkeypatch.setattr(stream, "_SILENT_AT_MOST_S", 0.05)


@pytest.mark.usefixtures("_impatient")
def test_a_revoked_token_ends_its_stream(app: APIFlask, as_: As) -> None:
    heard = listen(as_("agent"))
    heard.until("pulse")
    with desk_of(app).store.write() as tx:
        tx.conn.execute(delete(table_of(TokenRow)))
    app.extensions["tokens"].forget()
    heard.rest()


@pytest.mark.usefixtures("_impatient")
def test_a_sign_out_ends_the_streams_of_its_session(in_: In) -> None:
    browser: Browser = in_("agent")
    heard = listen(browser)
    heard.until("pulse")
    assert browser.submit("/signout").status_code < 400
    heard.rest()


@pytest.mark.usefixtures("_impatient")
def test_who_has_other_rights_loads_again(app: APIFlask, in_: In) -> None:
    heard = listen(in_("crew.a"))
    heard.until("pulse")
    with desk_of(app).store.write() as tx:
        tx.conn.execute(update(table_of(UserRow)).where(table_of(UserRow).c.login == "crew.a").values(team_id=TEAM_B))
    app.extensions["sessions"].forget()
    assert heard.until("reload") == [{"kind": "reload"}]
    assert heard.rest() == []


@pytest.mark.usefixtures("_impatient")
def test_the_end_of_the_server_ends_all_streams(app: APIFlask, as_: As) -> None:
    heard = listen(as_("agent"))
    heard.until("pulse")
    app.extensions["stop_live"]()
    heard.rest()
    assert as_("agent").get("/stream").status_code == 503


def test_who_does_not_keep_up_loads_again(
    app: APIFlask, as_: As, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "_MOST_WAITING", 1)
    heard = listen(as_("agent"))
    for _ in range(4):
        received(desk_of(app), now)
        time.sleep(0.1)
    assert {"kind": "reload"} in heard.until("reload")
    heard.close()
