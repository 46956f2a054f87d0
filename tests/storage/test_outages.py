"""Notices of before there were drafts are published ones, and go back to what they were."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from alembic import command
from sqlalchemy import text

from dispatch.storage import outages, schema
from dispatch.storage.db import Store

AT = datetime(2026, 11, 24, 2, tzinfo=UTC)
OLD = text(
    "INSERT INTO outages (title, place, is_planned, zone_ids, starts_at, ends_at, restored_at, published_by, "
    "published_at) VALUES ('抢修', '坡子街', false, :zones, :at, :at, :restored, 1, :at)"
)
USER = text("INSERT INTO users (login, name, role, is_active, created_at) VALUES ('d', '丁', 'dispatcher', true, :at)")


def migrate(store: Store, to: str, is_down: bool = False) -> None:
    config = schema.alembic_config()
    with store.write() as tx:
        config.attributes["connection"] = tx.conn
        (command.downgrade if is_down else command.upgrade)(config, to)


def test_old_notices_are_published_ones(bare_store: Store) -> None:
    at = AT.replace(tzinfo=None).isoformat(" ", "microseconds") if bare_store.is_sqlite else AT
    migrate(bare_store, "0008")
    with bare_store.write() as tx:
        tx.conn.execute(USER, {"at": at})
        for restored in (None, at):
            tx.conn.execute(OLD, {"zones": json.dumps(["天心-03"]), "at": at, "restored": restored})
    migrate(bare_store, "0009")
    with bare_store.read() as tx:
        rows = outages.page(tx, 0, 9)
        assert [row["status"] for row in rows] == ["restored", "published"]
        assert [row["id"] for row in outages.open_(tx, AT)] == [rows[1]["id"]]
    told = rows[1]
    assert (told["touched_ids"], told["first_ends_at"], told["created_by"], told["alarm_at"]) == (
        ["天心-03"],
        AT,
        1,
        None,
    )
    migrate(bare_store, "0008", is_down=True)
    with bare_store.read() as tx:
        assert tx.conn.execute(text("SELECT count(*) FROM outages WHERE published_at IS NOT NULL")).scalar_one() == 2
