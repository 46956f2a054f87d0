"""The figures of a period: how promises were kept, by grid, hour, crew … and what each figure counts in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain import facts as values
from dispatch.domain import figures as counting
from dispatch.domain.definitions import DEFINITIONS, OF_CLOCKS, Figure
from dispatch.domain.errors import DispatchError, InvalidInput
from dispatch.domain.facts import KINDS, Facts
from dispatch.domain.figures import By, Group, Kept
from dispatch.domain.roles import Actor, Permission, check_permitted, team_seen
from dispatch.domain.times import shanghai_day
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.storage import directory, figures
from dispatch.storage.db import Tx

# A leap year and a day.
MOST = timedelta(days=367)
# So many tickets, and calls, that have moved since the days were summed up are read anew for an answer.
_MOST_MOVED = 50_000
_ONE_US = timedelta(microseconds=1)


class FiguresBehind(DispatchError):
    """So much has moved since the days were summed up that an answer would take too long."""

    code = "figures-behind"
    status = 503


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for.

    Attributes:
        start: First moment of 受理.
        end: The moment after the last one.
        by: What figures are grouped by.
        only: Values that tickets must have, by `zone`, `team`, `branch`, `steward`, `level`, `category`.
    """

    start: datetime
    end: datetime
    by: By = By.ZONE
    only: Mapping[str, str] = field(default_factory=dict)


def on_time(desk: Desk, actor: Actor, asked: Asked, now: datetime) -> dict[str, Any]:
    """Return how promises were kept: `{by, from, to, items, total, definitions}`; crews see their own.

    Each item has `key`, `label`, `tickets` and, for each clock, `judged` (met, or broken by `now`), `on_time`, `share`,
    and median and 90th percentile of the minutes taken and of the minutes by which broken ones were late.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the period is empty or longer than MOST.
        FiguresBehind: if the days are not summed up yet.
    """
    check_permitted(actor, Permission.READ)
    check_period(asked.start, asked.end)
    with desk.store.snapshot() as tx:
        facts = load(tx, actor, asked)
        names = labels(tx, desk, asked.by, now)
    groups = counting.count(facts, asked.by, now)
    return {
        "by": asked.by.value,
        "from": present.time(asked.start),
        "to": present.time(asked.end),
        "items": [
            {"key": key, "label": names.get(key, key), **told(group)} for key, group in groups.items() if group.tickets
        ],
        "total": told(counting.count(facts, None, now)[""]),
        "definitions": [define(figure) for figure in OF_CLOCKS],
    }


def check_period(start: datetime, end: datetime) -> None:
    """Raise InvalidInput for a period that is empty or longer than MOST."""
    if end <= start:
        raise InvalidInput("结束时间须晚于开始时间", field="to")
    if end - start > MOST:
        raise InvalidInput(f"一次最多统计 {MOST.days} 天", field="to")


def load(tx: Tx, actor: Actor | None, asked: Asked) -> Facts:
    """Return the facts that are asked for, as they stand now: the kept days, and what has moved since anew.

    A ticket counts for the team that holds it; a crew sees its own team's, no actor all that is asked for.

    Raises:
        FiguresBehind: if too much has moved.
    """
    known = figures.mark(tx)
    tickets, calls = figures.moved_since(tx, known, asked.start, asked.end, _MOST_MOVED + 1)
    if max(len(tickets), len(calls)) > _MOST_MOVED:
        raise FiguresBehind("历史工单正在汇总, 请过几分钟再看, 或选短一些的时段")
    days = figures.days(tx, known, shanghai_day(asked.start), shanghai_day(asked.end - _ONE_US))
    kept = values.join([values.unpack(day) for day in days]) if days else values.NOTHING
    fresh = figures.facts_of(tx, tickets, calls)
    whole = values.within(values.join([values.without(kept, tickets, calls), fresh]), asked.start, asked.end)
    team = None if actor is None else team_seen(actor)
    return counting.narrowed(whole, asked.only if team is None else {**asked.only, "team": team})


def labels(tx: Tx, desk: Desk, by: By, now: datetime) -> dict[str, str]:
    """Return in words what has another name than its key: teams, levels, categories."""
    if by is By.TEAM:
        return {team["id"]: team["name"] for team in directory.teams(tx)}
    if by in (By.LEVEL, By.CATEGORY):
        policy = desk.rules(tx, now).policy
        return {one.id: one.label for one in (policy.levels if by is By.LEVEL else policy.categories).values()}
    return {}


def told(group: Group) -> dict[str, Any]:
    """Return tickets and clocks of a group as the API tells them."""
    return {"tickets": group.tickets, **{kind.value: _kept(group.clocks[kind]) for kind in KINDS}}


def _kept(kept: Kept) -> dict[str, Any]:
    minutes = {name: None if value is None else round(value, 1) for name, value in asdict(kept).items()}
    share = None if kept.share is None else round(kept.share, 4)
    return {**minutes, "judged": kept.judged, "on_time": kept.on_time, "share": share}


def define(figure: Figure) -> dict[str, Any]:
    """Return what a figure counts, in words of both languages."""
    definition = DEFINITIONS[figure]
    return {
        "id": figure.value,
        "unit": definition.unit,
        "is_more_better": definition.is_more_better,
        "zh": asdict(definition.zh),
        "en": asdict(definition.en),
    }
