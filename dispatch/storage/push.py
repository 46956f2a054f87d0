"""Browsers that want Web Push, by the people and teams they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.screen_tables import PushRow
from dispatch.storage.tables import OutboxRow, TicketRow, UserRow

SUBSCRIPTIONS, USERS = table_of(PushRow), table_of(UserRow)
OUTBOX, TICKETS = table_of(OutboxRow), table_of(TicketRow)


def put(tx: Tx, values: Mapping[str, Any], most: int) -> None:
    """Insert a browser, or give a known one to whoever is told now; of one person the newest `most` are kept."""
    insert = upsert(tx.dialect, SUBSCRIPTIONS).values(**values)
    tx.conn.execute(insert.on_conflict_do_update(index_elements=["endpoint"], set_=dict(values)))
    of_user = SUBSCRIPTIONS.c.user_id == values["user_id"]
    newest = select(SUBSCRIPTIONS.c.id).where(of_user)
    newest = newest.order_by(SUBSCRIPTIONS.c.created_at.desc(), SUBSCRIPTIONS.c.id.desc()).limit(most)
    tx.conn.execute(delete(SUBSCRIPTIONS).where(of_user, SUBSCRIPTIONS.c.id.not_in(newest)))


def drop(tx: Tx, endpoint: str, user_id: int | None = None) -> bool:
    """Remove a browser, only of one person if told, and tell whether there was one."""
    gone = delete(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.endpoint == endpoint)
    if user_id is not None:
        gone = gone.where(SUBSCRIPTIONS.c.user_id == user_id)
    return tx.conn.execute(gone).rowcount == 1


def of_teams(tx: Tx, team_ids: Sequence[str]) -> list[dict[str, str]]:
    """Return `endpoint`, `p256dh` and `auth` of the browsers of all who work in these teams and have not left."""
    columns = (SUBSCRIPTIONS.c.endpoint, SUBSCRIPTIONS.c.p256dh, SUBSCRIPTIONS.c.auth)
    query = (
        select(*columns)
        .join(USERS, USERS.c.id == SUBSCRIPTIONS.c.user_id)
        .where(USERS.c.team_id.in_(team_ids), USERS.c.is_active)
        .order_by(SUBSCRIPTIONS.c.id)
    )
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def ticket_of(tx: Tx, outbox_id: int) -> dict[str, Any] | None:
    """Return number, level and policy of the ticket that a notice is about, or None."""
    columns = (TICKETS.c.number, TICKETS.c.level, TICKETS.c.policy_version)
    query = select(*columns).join(OUTBOX, OUTBOX.c.ticket_id == TICKETS.c.id).where(OUTBOX.c.id == outbox_id)
    row = tx.conn.execute(query).mappings().first()
    return dict(row) if row else None
