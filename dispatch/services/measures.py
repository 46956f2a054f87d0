"""Measures of two periods side by side: how many visits and hand-overs a ticket took, and what callers say of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatch.domain import figures as counting
from dispatch.domain.definitions import MEASURES, Figure
from dispatch.domain.figures import Value, change
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.services import figures, present
from dispatch.services.desk import Desk
from dispatch.services.figures import Asked


def compared(desk: Desk, actor: Actor, asked: Asked, versus: datetime | None, now: datetime) -> dict[str, Any]:
    """Return the measures of the tickets that are asked for, beside those of an equally long period.

    Args:
        desk: The process's desk.
        actor: Who asks; crews see their own.
        asked: The period, what the items are grouped by, and what they are narrowed to.
        versus: First moment of the other period; None: the one right before.
        now: The server's time.

    Returns:
        `{by, from, to, versus_from, versus_to, measures, items}`; each measure with its definition, `before`, `after`
        (`value` and how many it is `of`) and `change`, the part by which it has grown.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the period is empty or too long.
        FiguresBehind: if the days are not summed up yet.
    """
    check_permitted(actor, Permission.READ)
    figures.check_period(asked.start, asked.end)
    length = asked.end - asked.start
    versus = asked.start - length if versus is None else versus
    with desk.store.snapshot() as tx:
        earlier = figures.load(tx, actor, replace(asked, start=versus, end=versus + length))
        facts = figures.load(tx, actor, asked)
        names = figures.labels(tx, desk, asked.by, now)
    before, after = (counting.count(some, None, now)[""].measures for some in (earlier, facts))
    return {
        "by": asked.by.value,
        "from": present.time(asked.start),
        "to": present.time(asked.end),
        "versus_from": present.time(versus),
        "versus_to": present.time(versus + length),
        "measures": [_told(one, before[one], after[one]) for one in MEASURES],
        "items": [
            {"key": key, "label": names.get(key, key), "values": {one: value(group.measures[one]) for one in MEASURES}}
            for key, group in counting.count(facts, asked.by, now).items()
        ],
    }


def _told(one: Figure, before: Value, after: Value) -> dict[str, Any]:
    grown = change(before, after)
    return {
        **figures.define(one),
        "before": value(before),
        "after": value(after),
        "change": None if grown is None else round(grown, 4),
    }


def value(one: Value) -> dict[str, Any]:
    """Return a measure as the API tells it."""
    return {"value": None if one.value is None else round(one.value, 4), "of": one.of}
