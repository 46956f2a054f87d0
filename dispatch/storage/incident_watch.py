"""What is asked of the last minutes' calls, to see whether many of them are one incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, func, or_, select, text

from dispatch.domain.incident import ALIVE, IncidentStatus
from dispatch.domain.place import Wgs84Point
from dispatch.domain.states import ACTIVE
from dispatch.storage.db import Tx
from dispatch.storage.incidents import CALLS, INCIDENTS, TICKETS

# So many calls back: with twenty a minute an hour and a half. Bounded, whatever the length of the table.
_AT_MOST = 2_000
# A dismissed proposal holds back another one of the same tickets for so long.
_KEPT = timedelta(hours=24)

_NEWEST = select(func.max(CALLS.c.id))
_HEARD = (
    select(
        TICKETS.c.id.label("ticket_id"),
        TICKETS.c.category,
        TICKETS.c.lon,
        TICKETS.c.lat,
        func.count(CALLS.c.id).label("calls"),
    )
    .join(TICKETS, TICKETS.c.id == CALLS.c.ticket_id)
    .where(CALLS.c.id > bindparam("after"), CALLS.c.called_at >= bindparam("since"))
    .where(TICKETS.c.incident_id.is_(None), TICKETS.c.status.in_(sorted(ACTIVE)), TICKETS.c.lon.is_not(None))
    .group_by(TICKETS.c.id, TICKETS.c.category, TICKETS.c.lon, TICKETS.c.lat)
    .order_by(TICKETS.c.id)
)


def newest_call(tx: Tx) -> int:
    """Return the id of the newest call, 0 where there is none."""
    return int(tx.conn.execute(_NEWEST).scalar() or 0)


def alone(tx: Tx) -> None:
    """Keep other processes out until the end of this transaction, where they ask for the same."""
    if tx.dialect != "sqlite":
        tx.conn.execute(text("SELECT pg_advisory_xact_lock(96535)"))


def heard(tx: Tx, since: datetime) -> Sequence[Row[Any]]:
    """Return the tickets in work, of no incident and with a place, that were called about since a time."""
    return tx.conn.execute(_HEARD, {"after": newest_call(tx) - _AT_MOST, "since": since}).all()


def of_late(tx: Tx, now: datetime, *, hold: bool) -> list[dict[str, Any]]:
    """Return the incidents that are proposed or open, and those dismissed within a day; on `hold` all are locked."""
    is_dismissed = (INCIDENTS.c.status == IncidentStatus.DISMISSED) & (INCIDENTS.c.created_at > now - _KEPT)
    query = select(INCIDENTS).where(or_(INCIDENTS.c.status.in_(sorted(ALIVE)), is_dismissed)).order_by(INCIDENTS.c.id)
    rows = tx.conn.execute(query.with_for_update(key_share=True) if hold else query)
    return [dict(row) for row in rows.mappings()]


def points(tx: Tx, row: Mapping[str, Any]) -> list[Wgs84Point]:
    """Return where the tickets of an incident are, those that are suggested counted in."""
    is_of = or_(TICKETS.c.incident_id == row["id"], TICKETS.c.id.in_(row["suggested"]))
    found = tx.conn.execute(select(TICKETS.c.lon, TICKETS.c.lat).where(is_of, TICKETS.c.lon.is_not(None)))
    return [Wgs84Point(lon, lat) for lon, lat in found]
