"""The lamp, and what stands on every answer and in no log."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
import time_machine
from apiflask import APIFlask
from sqlalchemy import text

from dispatch.services import health
from dispatch.services.desk import Desk
from dispatch.services.escalation import Sweep
from tests.support.cast import CALLER, CALLER_PHONE, dispatched
from tests.web.conftest import As, a_call

on_sqlite = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def lamp(app: APIFlask) -> tuple[int, str]:
    answer = app.test_client().get("/healthz")
    assert answer.content_type == "application/json"
    return answer.status_code, json.loads(answer.data)["status"]


def test_the_lamp_is_red_without_a_scheduler(app: APIFlask, desk: Desk, now: datetime) -> None:
    assert lamp(app) == (503, "down")
    health.beat(desk, "one", now, Sweep())
    assert lamp(app) == (200, "ok")
    with time_machine.travel(now + timedelta(seconds=16), tick=False):
        assert lamp(app) == (503, "down")


def test_the_lamp_is_red_when_a_step_is_late(app: APIFlask, desk: Desk, now: datetime) -> None:
    dispatched(desk, now)
    due = now + timedelta(minutes=10)
    health.beat(desk, "one", due, Sweep())
    for late_s, wanted in ((5, (200, "ok")), (6, (503, "late"))):
        with time_machine.travel(due + timedelta(seconds=late_s), tick=False):
            assert lamp(app) == wanted


@on_sqlite
def test_a_database_that_is_away_is_503_and_not_500(app: APIFlask, as_: As, desk: Desk) -> None:
    agent = as_("agent")
    assert agent.get("/tickets").status_code == 200
    with desk.store.engine.begin() as conn:
        conn.execute(text("ALTER TABLE tickets RENAME TO gone"))
    answer = agent.get("/tickets")
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert answer.headers["Retry-After"]
    assert lamp(app) == (503, "down")
    with desk.store.engine.begin() as conn:
        conn.execute(text("ALTER TABLE clocks RENAME TO gone_too"))
    answer = app.test_client().get("/healthz")
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")


@on_sqlite
def test_every_answer_carries_its_safety(app: APIFlask, as_: As) -> None:
    client = app.test_client()
    for answer in (
        client.get("/healthz"),
        client.get("/nowhere"),
        client.get("/openapi.json"),
        as_("agent").get("/teams"),
    ):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "strict-origin-when-cross-origin"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert as_("agent").get("/teams").headers["Cache-Control"] == "no-store"
    assert client.get("/api/v1/teams").headers["Cache-Control"] == "no-store"


REFUSE = {
    "sqlite": "CREATE TRIGGER refuse BEFORE INSERT ON calls BEGIN "
    "SELECT RAISE(ABORT, 'CHECK constraint failed: 13000000001'); END",
    "postgresql": "ALTER TABLE calls ADD CONSTRAINT refuse CHECK (caller_phone IS NULL)",
}


def test_no_log_holds_a_token_or_a_number(
    capfd: pytest.CaptureFixture[str], app: APIFlask, as_: As, desk: Desk, dialect: str, now: datetime
) -> None:
    """The worst case: the database refuses the very row with the caller, and says so."""
    agent = as_("agent")
    with desk.store.engine.begin() as conn:
        conn.execute(text(REFUSE[dialect]))
    answer = agent.post("/calls", a_call(now))
    log = "".join(capfd.readouterr())
    assert answer.status_code == 500
    assert "IntegrityError" in log
    assert "/api/v1/calls" in log
    for secret in (CALLER_PHONE, CALLER, agent.token):
        assert secret not in log
        assert secret not in answer.text


@on_sqlite
def test_a_message_with_a_number_or_a_token_is_masked(
    capfd: pytest.CaptureFixture[str], app: APIFlask, as_: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = as_("agent")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"phone {CALLER_PHONE}, +8613000000001, token {agent.token}, ticket GD20261124-000123")

    monkeypatch.setattr("dispatch.services.board.teams", fail)
    answer = agent.get("/teams")
    log = "".join(capfd.readouterr())
    assert answer.status_code == 500
    assert json.loads(answer.data)["code"] == "internal"
    assert "GD20261124-000123" in log
    assert "RuntimeError" in log
    for secret in (CALLER_PHONE, "8613000000001", agent.token):
        assert secret not in log
        assert secret not in answer.text
