"""The boards: counters, the queue by time to breach, what is still rescuable, and how loaded each team is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dispatch.domain.roles import Actor, Permission, check_permitted, team_seen
from dispatch.domain.times import shanghai_day, shanghai_midnight
from dispatch.services import health, present
from dispatch.services.desk import Desk
from dispatch.storage import directory, queue
from dispatch.storage.board import Filter
from dispatch.storage.db import Tx

# Who has not told a place for so long is off shift, or without signal: the map shows nobody where they are not.
ON_SHIFT = timedelta(minutes=15)
# More than anybody can act on; how many there are in all is counted.
RESCUABLE = 50
_LAMP = ("status", "late_s", "heartbeat_at", "heartbeat_age_s", "outbox_waiting_s")


def board(desk: Desk, actor: Actor, wanted: Filter, *, after: int, limit: int, now: datetime) -> dict[str, Any]:
    """Return what a board shows: `{server_time, lamp, counters, rescuable, items, next}`.

    The first page begins with what no team has; then come the tickets of teams by the time of their next breach, and
    at the very end those against which no time runs.

    Args:
        desk: The process's desk.
        actor: Who asks; crews see their own and what they assist with.
        wanted: The filter; the counters keep to it.
        after: `next` of the page before, 0 for the first.
        limit: Tickets of each kind at most; 0 for the counters alone. Rescuable ones come with the first page.
        now: For which moment.

    Raises:
        NotPermitted: if the role may not read.
    """
    check_permitted(actor, Permission.READ)
    seen = replace(wanted, visible_to_team=team_seen(actor))
    with desk.store.read() as tx:
        pages: dict[str, Any] = {"rescuable": [], "items": [], "next": None}
        if limit:
            pages = _pages(tx, desk, seen, after, limit, now)
        counters = queue.counts(tx, seen, _day_start(now), now)
    lamp = health.status(desk, now)
    return {
        "server_time": present.time(now),
        "lamp": {name: lamp[name] for name in _LAMP},
        "counters": counters,
        **pages,
    }


def _day_start(now: datetime) -> datetime:
    """Return when the Shanghai day of `now` began."""
    return shanghai_midnight(shanghai_day(now)).astimezone(UTC)


def _pages(tx: Tx, desk: Desk, wanted: Filter, after: int, limit: int, now: datetime) -> dict[str, Any]:
    pinned = [] if after else queue.unassigned(tx, wanted, limit, now)
    found = queue.running(tx, wanted, after, limit + 1, now)
    rows = [*pinned, *found[:limit]]
    is_last = len(found) <= limit
    if is_last:
        rows += queue.resting(tx, wanted, limit, now)
    rescuable = [] if after else queue.rescuable(tx, wanted, min(limit, RESCUABLE), now)
    shown = _show(tx, desk, [*rows, *rescuable], now)
    return {
        "rescuable": [shown[row["id"]] for row in rescuable],
        "items": [shown[row["id"]] for row in rows],
        "next": None if is_last else found[limit - 1]["clock_id"],
    }


def _show(tx: Tx, desk: Desk, rows: Sequence[Mapping[str, Any]], now: datetime) -> dict[int, dict[str, Any]]:
    """Return the public form of each ticket once, by id."""
    by_id = {row["id"]: row for row in rows}
    return dict(zip(by_id, present.from_rows(tx, desk, list(by_id.values()), now), strict=True))


def teams(desk: Desk, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Return each team with its grids, its open and overdue tickets, and how many of it are on shift.

    Raises:
        NotPermitted: if the role may not read.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        rules, load = desk.rules(tx, now), queue.load(tx, now)
        on_shift = [row["team_id"] for row in queue.positions(tx, now - ON_SHIFT)]
        known = directory.teams(tx)
    zones: dict[str | None, list[str]] = {}
    for zone in rules.zones.zones:
        zones.setdefault(zone.team_id, []).append(zone.zone_id)
    return [
        {
            "team_id": team["id"],
            "name": team["name"],
            "branch": team["branch"],
            "zone_ids": zones.get(team["id"], []),
            "open": load.get(team["id"], (0, 0))[0],
            "breached": load.get(team["id"], (0, 0))[1],
            "on_shift": on_shift.count(team["id"]),
        }
        for team in known
    ]


def positions(desk: Desk, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Return where crews on shift were last; crews see their own team alone.

    Raises:
        NotPermitted: if the role may not read.
    """
    check_permitted(actor, Permission.READ)
    team_id = team_seen(actor)
    with desk.store.read() as tx:
        rows = queue.positions(tx, now - ON_SHIFT)
    plain = ("user_id", "name", "team_id", "lon", "lat", "accuracy_m")
    seen = [row for row in rows if team_id in (None, row["team_id"])]
    return [{**{name: row[name] for name in plain}, "at": present.time(row["at"])} for row in seen]
