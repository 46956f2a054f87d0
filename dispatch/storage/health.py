"""Heartbeats and the checks of `doctor`: what must never be found in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, insert, select, text, update

from dispatch.domain.progress import Track, untold
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.tables import HeartbeatRow

BEATS = table_of(HeartbeatRow)

# Each query counts rows that break a law; the name says which.
_LONE_TICKETS = "SELECT count(*) FROM tickets t WHERE NOT EXISTS (SELECT 1 FROM {} x WHERE x.ticket_id = t.id)"
ORPHANS = {
    "calls without their ticket": "SELECT count(*) FROM calls WHERE outcome <> 'answered' AND ticket_id IS NULL",
    # What a temporary fix left to do was asked for by the caller of the fix.
    "tickets without a call": _LONE_TICKETS.format("calls") + " AND t.follow_up_of IS NULL",
    "tickets without clocks": _LONE_TICKETS.format("clocks"),
    "tickets without a timeline": _LONE_TICKETS.format("events"),
    "alarms on ended tickets": """
        SELECT count(*) FROM clocks c JOIN tickets t ON t.id = c.ticket_id
        WHERE c.next_fire_at IS NOT NULL AND t.ended_at IS NOT NULL""",
    "alarms on clocks that are over": """
        SELECT count(*) FROM clocks WHERE next_fire_at IS NOT NULL AND (met_at IS NOT NULL OR is_void)""",
    "pauses outside a hold": """
        SELECT count(*) FROM clocks c JOIN tickets t ON t.id = c.ticket_id
        WHERE c.paused_at IS NOT NULL AND NOT c.is_void AND t.status <> 'on_hold'""",
    "clocks whose ladder disagrees with what fired": """
        SELECT count(*) FROM clocks c WHERE c.next_step <> (SELECT count(*) FROM escalations e
        WHERE e.ticket_id = c.ticket_id AND e.clock = c.kind AND e.round = c.round)""",
    "escalations without a notice": """
        SELECT count(*) FROM escalations e
        WHERE CAST(e.recipients AS TEXT) <> '[]'
        AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.ticket_id = e.ticket_id AND o.idempotency_key
        LIKE e.ticket_id || ':' || e.clock || ':' || e.round || ':' || e.step || ':%')
        AND NOT EXISTS (SELECT 1 FROM digest_items d WHERE d.ticket_id = e.ticket_id AND d.clock = e.clock
        AND d.round = e.round AND d.step = e.step)""",
    "notices that wait for a digest after their surge": """
        SELECT count(*) FROM digest_items d JOIN surges s ON s.id = d.surge_id
        WHERE d.digest IS NULL AND NOT s.is_open""",
}


def beat(tx: Tx, worker: str, now: datetime, swept: int, max_late_s: float) -> None:
    """Store that a scheduler lives, how many steps it has fired since its start, and its worst lateness."""
    values = {"beat_at": now, "swept": swept, "max_late_s": max_late_s}
    if not tx.conn.execute(update(BEATS).where(BEATS.c.worker == worker).values(**values)).rowcount:
        tx.conn.execute(insert(BEATS).values(worker=worker, started_at=now, **values))


def forget_before(tx: Tx, before: datetime) -> None:
    """Drop heartbeats of schedulers that have been silent since `before`."""
    tx.conn.execute(BEATS.delete().where(BEATS.c.beat_at < before))


def last_beat(tx: Tx, until: datetime) -> datetime | None:
    """Return the newest heartbeat up to `until`: a clock that was set back leaves some behind that mean nothing."""
    return tx.conn.execute(select(func.max(BEATS.c.beat_at)).where(BEATS.c.beat_at <= until)).scalar()


def orphans(tx: Tx, track: Track = untold) -> dict[str, int]:
    """Return the count of each kind of row that must not be; `track` iterates over the kinds."""
    kinds = track("查找孤立记录", tuple(ORPHANS.items()))
    return {name: int(tx.conn.execute(text(sql)).scalar_one()) for name, sql in kinds}
