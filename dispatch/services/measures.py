"""Measures of two periods side by side: how many visits and hand-overs a ticket took, and what callers say of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.domain.measures import DEFINITIONS, Measure, Story, Value, change, measure
from dispatch.domain.roles import Actor, Permission, check_permitted, team_seen
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.services.figures import By, check_period, key_of
from dispatch.storage import directory, figures
from dispatch.storage.board import Filter


def compared(
    desk: Desk, actor: Actor, by: By, start: datetime, end: datetime, versus: datetime | None, now: datetime
) -> dict[str, Any]:
    """Return the measures of tickets received from `start` to before `end`, beside those of an equally long period.

    Args:
        desk: The process's desk.
        actor: Who asks; crews see their own.
        by: What the items are grouped by.
        start: First moment of the period.
        end: The moment after its last.
        versus: First moment of the other period; None: the one right before.
        now: The server's time.

    Returns:
        `{by, from, to, versus_from, versus_to, measures, items}`; each measure with `label`, `words`, `before`, `after`
        (`value` and how many it is `of`) and `change`, the part by which it has grown.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the period is empty or too long.
    """
    check_permitted(actor, Permission.READ)
    check_period(start, end)
    versus = start - (end - start) if versus is None else versus
    wanted = Filter(visible_to_team=team_seen(actor))
    groups: dict[str, list[Story]] = {}
    with desk.store.read() as tx:
        before = measure(story for _, story in figures.stories(tx, wanted, versus, versus + (end - start), now))
        for place, story in figures.stories(tx, wanted, start, end, now):
            groups.setdefault(key_of(by, place), []).append(story)
        names = {team["id"]: team["name"] for team in directory.teams(tx)}
    after = measure(story for group in groups.values() for story in group)
    return {
        "by": by.value,
        "from": present.time(start),
        "to": present.time(end),
        "versus_from": present.time(versus),
        "versus_to": present.time(versus + (end - start)),
        "measures": [_told(one, before[one], after[one]) for one in Measure],
        "items": [
            {"key": key, "label": names.get(key, key), "values": _values(measure(groups[key]))}
            for key in sorted(groups)
        ],
    }


def _told(one: Measure, before: Value, after: Value) -> dict[str, Any]:
    defined, grown = DEFINITIONS[one], change(before, after)
    return {
        "id": one.value,
        "label": defined.label,
        "words": defined.words,
        "is_share": defined.is_share,
        "is_more_better": defined.is_more_better,
        "before": _value(before),
        "after": _value(after),
        "change": None if grown is None else round(grown, 4),
    }


def _value(value: Value) -> dict[str, Any]:
    return {"value": None if value.ratio is None else round(value.ratio, 4), "of": value.of}


def _values(measured: Mapping[Measure, Value]) -> dict[str, Any]:
    return {one.value: _value(value) for one, value in measured.items()}
