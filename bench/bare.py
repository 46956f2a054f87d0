"""The limit that intake is held against: bare Flask, a JSON body, the same inserts, one commit. No rule is applied.

Run by bench/intake.py under the same server, with the same driver, pragmas and kind of transaction, so that the
database and its durability are the same. On SQLite one lock stands around the transaction, as anybody would write it:
without it the busy wait would make this limit too easy.
"""

from __future__ import annotations

import itertools
import os
import threading
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

from flask import Flask, request
from sqlalchemy import create_engine, insert

from dispatch.storage import calls
from dispatch.storage.columns import table_of
from dispatch.storage.db import Store, Tx, engine_options
from dispatch.storage.tables import AuditRow, CallRow, ClockRow, EventRow, OutboxRow, ReplyRow, TicketRow

_STATEMENTS = {
    model: insert(table_of(model)) for model in (TicketRow, CallRow, ClockRow, EventRow, OutboxRow, ReplyRow, AuditRow)
}
_TERMS = list("水表漏急请尽快派人到现场处理东茅街三栋")


def bare_app() -> Flask:
    """Return the application over the database of the environment."""
    url = os.environ["DISPATCH_DATABASE_URL"]
    # A Store tunes the engine: pragmas, BEGIN IMMEDIATE. Its group commit is not used here.
    engine = Store(create_engine(url, **engine_options(url, int(os.environ["DISPATCH_THREADS"])))).engine
    turn = threading.Lock() if url.startswith("sqlite") else nullcontext()
    numbers = itertools.count(10_000_000 * (os.getpid() % 100_000))
    app = Flask("bare")

    @app.post("/api/v1/calls")
    def add_call() -> tuple[dict[str, Any], int]:
        body = request.get_json()
        n = next(numbers)
        with turn, engine.connect().execution_options(dispatch_write=True) as conn, conn.begin():
            for model, rows in _rows(n, body).items():
                conn.execute(_STATEMENTS[model], rows)
            calls.index_terms(Tx(conn), n, _TERMS)
        return {"ticket": n}, 201

    return app


def _rows(n: int, body: dict[str, Any]) -> dict[type[Any], list[dict[str, Any]]]:
    now = datetime.now(UTC)
    ticket = {
        "id": n, "number": f"B{n}", "status": "dispatched", "version": 2, "round": 1, "level": "P1",
        "category": body["category"], "area": "in_circle", "policy_version": "2026-11-01", "received_at": now,
        "moved_at": now, "team_id": "t", "branch": "b", "steward": "s", "zone_id": "z", "zone_set_id": 1,
        "route_status": "routed", "route_reason": "r", "lon": 112.9, "lat": 28.1, "address": body["address"],
        "description": body["description"], "cell": 7047028242, "place_key": "东茅街", "assisting": [],
        "is_supervised": False, "urge_count": 0, "callback_attempts": 0, "spot": f"s/{n}", "flags": [], "notify": [],
    }  # fmt: skip
    call = {
        "id": n, "cti_call_id": body["cti_call_id"], "ticket_id": n, "outcome": "ticket", "called_at": now,
        "logged_at": now, "taken_by": 1, "caller_phone": body["caller_phone"], "category": body["category"],
        "description": body["description"], "address": body["address"], "answers": body["answers"],
        "raw_lon": 112.9, "raw_lat": 28.1, "datum": "gcj02", "outage_id": None,
    }  # fmt: skip
    clock = {
        "ticket_id": n, "round": 1, "start_at": now, "due_at": now, "original_due_at": now, "paused_s": 0.0,
        "is_void": False, "next_step": 0, "next_fire_at": now,
    }  # fmt: skip
    event = {
        "ticket_id": n, "at": now, "effective_at": now, "time_source": "server", "from_status": "received",
        "to_status": "dispatched", "actor_id": 1, "text": "text",
    }  # fmt: skip
    notice = {
        "ticket_id": n, "channel": "console", "recipients": ["crew:t"], "text": "text", "idempotency_key": f"b{n}",
        "state": "queued", "attempts": 0, "created_at": now, "next_try_at": now,
    }  # fmt: skip
    entry = {"at": now, "actor_id": 1, "actor": "a", "subject": f"B{n}", "detail": {"text": "text"}, "hash": "0" * 64}
    return {
        TicketRow: [ticket],
        CallRow: [call],
        ClockRow: [{**clock, "kind": kind} for kind in ("ack", "arrive", "fix")],
        EventRow: [{**event, "kind": kind} for kind in ("receive", "dispatch")],
        OutboxRow: [notice],
        ReplyRow: [{"key": f"cti:{n}", "body_sha256": "0" * 64, "reply": {"ticket": n}, "created_at": now}],
        AuditRow: [{**entry, "seq": 2 * n + i, "action": "receive"} for i in (0, 1)],
    }
