"""The tickets behind a figure, and how figures went day by day, beside last week's and last year's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain import drill
from dispatch.domain import figures as counting
from dispatch.domain.drill import Which
from dispatch.domain.facts import KINDS
from dispatch.domain.figures import By
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.sla import ClockKind
from dispatch.services import figures, present
from dispatch.services.desk import Desk
from dispatch.services.figures import Asked
from dispatch.storage import live

# Whole weeks, so that Mondays stand beside Mondays.
EARLIER = {"now": timedelta(), "week": timedelta(days=7), "year": timedelta(days=364)}


def tickets(
    desk: Desk,
    actor: Actor,
    asked: Asked,
    key: str | None,
    clock: ClockKind | None,
    which: Which,
    after: int,
    limit: int,
    now: datetime,
) -> dict[str, Any]:
    """Return a page of the tickets behind a figure, newest first: `{total, items, next}`; `next` is None on the last.

    Args:
        desk: The process's desk.
        actor: Who asks; crews see their own.
        asked: What the figure was asked by.
        key: Of which group; None: the total.
        clock: Of which clock; None: all tickets.
        which: Which clocks of that kind.
        after: `next` of the page before, 0 for the first.
        limit: Rows on a page.
        now: The server's time.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the period is empty or too long.
        FiguresBehind: if the days are not summed up yet.
    """
    check_permitted(actor, Permission.READ)
    figures.check_period(asked.start, asked.end)
    with desk.store.snapshot() as tx:
        ids = drill.behind(figures.load(tx, actor, asked), asked.by, key, clock, which, now)
        left = [one for one in ids if not after or one < after]
        rows = live.tickets(tx, left[:limit], ())
        items = present.from_rows(tx, desk, rows[::-1], now)
    return {"total": len(ids), "items": items, "next": left[limit - 1] if len(left) > limit else None}


def trend(desk: Desk, actor: Actor, asked: Asked, now: datetime) -> dict[str, Any]:
    """Return figures day by day, of the period, of the one a week and of the one 52 weeks before.

    Each of `periods` has `id` (now, week, year), `from`, `to`, `total` and `days`; a day its `tickets` and clocks.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the period is empty or too long.
        FiguresBehind: if the days are not summed up yet.
    """
    check_permitted(actor, Permission.READ)
    figures.check_period(asked.start, asked.end)
    periods = []
    for name, back in EARLIER.items():
        wanted = replace(asked, start=asked.start - back, end=asked.end - back)
        with desk.store.snapshot() as tx:
            facts = figures.load(tx, actor, wanted)
        days = counting.count(facts, By.DAY, now)
        periods.append(
            {
                "id": name,
                "from": present.time(wanted.start),
                "to": present.time(wanted.end),
                "total": figures.told(counting.count(facts, None, now)[""]),
                "days": [{"day": day, "tickets": one.tickets, **_shares(one)} for day, one in days.items()],
            }
        )
    return {"periods": periods}


def _shares(group: counting.Group) -> dict[str, float | None]:
    shares = {kind.value: group.clocks[kind].share for kind in KINDS}
    return {name: None if share is None else round(share, 4) for name, share in shares.items()}
