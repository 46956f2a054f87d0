"""What a simulated surge has left behind, counted: calls, tickets, steps, notices."""

from __future__ import annotations

from datetime import datetime
from functools import reduce

from sqlalchemy import ColumnElement, Text, func, or_, select
from sqlalchemy import cast as sql_cast

from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx
from dispatch.storage.digests import ITEMS
from dispatch.storage.surges import CALLS, CLOCKS, SURGES, TICKETS
from dispatch.storage.tables import EscalationRow, OutboxRow

_ESCALATIONS, _OUTBOX = table_of(EscalationRow), table_of(OutboxRow)
# The key of a step's own notice, as the sweep writes it.
_PARTS = [
    sql_cast(_ESCALATIONS.c[name], Text).concat(after)
    for name, after in (("ticket_id", ":"), ("clock", ":"), ("round", ":"), ("step", ":console"))
]
_KEY = reduce(lambda key, part: key.concat(part), _PARTS)
_IS_DIGEST = _OUTBOX.c.idempotency_key.like("digest:%")


def of_flood(tx: Tx, now: datetime) -> dict[str, int]:
    """Return the counts by name; `single` and `digests` count each notice once, whatever its channels."""

    def count(what: ColumnElement[int], *conditions: ColumnElement[bool]) -> int:
        return int(tx.conn.execute(select(what).where(*conditions)).scalar_one())

    is_settled = or_(CALLS.c.ticket_id.is_not(None), CALLS.c.outcome == "answered")
    return {
        "calls": count(func.count(CALLS.c.id)),
        "settled": count(func.count(CALLS.c.id), is_settled),
        "calls_of_tickets": count(func.count(CALLS.c.id), CALLS.c.outcome == "ticket"),
        "tickets": count(func.count(TICKETS.c.id)),
        "overdue": count(func.count(CLOCKS.c.id), CLOCKS.c.next_fire_at <= now),
        "steps": count(func.count(_ESCALATIONS.c.id)),
        "single": count(func.count(_OUTBOX.c.id), _OUTBOX.c.idempotency_key == _KEY),
        "gathered": count(func.count(ITEMS.c.id)),
        "digests": count(func.count(_OUTBOX.c.id), _OUTBOX.c.channel == "console", _IS_DIGEST),
        "surges": count(func.count(SURGES.c.id)),
        "left": count(func.count(SURGES.c.id), SURGES.c.left_at.is_not(None)),
    }
