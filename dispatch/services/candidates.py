"""Who could take a ticket over, and why: the grid's own team, its neighbours, the branch; the less loaded first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import Actor, Permission, check_permitted, check_sees
from dispatch.services import present
from dispatch.services.desk import Desk, Rules
from dispatch.storage import queue

# As many grids around a place are looked at.
_NEAREST = 8
AT_MOST = 5


def candidates(desk: Desk, actor: Actor, number: str, now: datetime) -> list[dict[str, Any]]:
    """Return teams for a ticket, the best first; the one that has it is not among them.

    Each has `reason`: `own` (its grid covers the place), `neighbour` (the next grids, with `away_m`, metres from the
    place to them), or `branch` (of the same branch); and `load`, its open tickets.

    Raises:
        NotPermitted: if the role may not read.
        NotFound: if there is no such ticket for this actor.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        row = present.find(tx, number)
        check_sees(actor, number, row["team_id"], tuple(row["assisting"]))
        rules, load = desk.rules(tx, now), queue.load(tx, now)
    found: dict[str, dict[str, Any]] = {}
    for team_id, reason, away_m in _reasons(rules, row):
        team = rules.teams.get(team_id)
        if team is not None and team_id != row["team_id"]:
            told = {"team_id": team_id, "name": team["name"], "branch": team["branch"], "reason": reason}
            found.setdefault(team_id, {**told, "away_m": away_m, "load": load.get(team_id, (0, 0))[0]})
    order = ("own", "neighbour", "branch")
    ranked = sorted(found.values(), key=lambda one: (order.index(one["reason"]), one["load"], one["team_id"]))
    return ranked[:AT_MOST]


def _reasons(rules: Rules, row: dict[str, Any]) -> Iterator[tuple[str, str, float | None]]:
    """Yield team, reason and distance, the strongest reason of a team first."""
    if row["lon"] is not None:
        for away_m, zone in rules.zones.nearest(Wgs84Point(row["lon"], row["lat"]), _NEAREST):
            yield zone.team_id or "", "own" if away_m == 0 else "neighbour", round(away_m)
    for team_id, team in rules.teams.items():
        if row["branch"] in (None, team["branch"]):
            yield team_id, "branch", None
