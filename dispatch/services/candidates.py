"""Which teams could take a ticket over, and why.

Those that can make it as they are recommended, then the grid's own team, its neighbours, the branch; the less loaded
first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from dispatch.domain.place import Wgs84Point
from dispatch.domain.recommend import Choice, Recommendation
from dispatch.domain.roles import Actor, Permission, check_permitted, check_sees
from dispatch.domain.sla import Clock, ClockKind
from dispatch.services import present, recommend
from dispatch.services.desk import Desk, Rules
from dispatch.services.muster import Muster, muster
from dispatch.storage import clocks, queue

# As many grids around a place are looked at.
_NEAREST = 8
AT_MOST = 5


def candidates(desk: Desk, actor: Actor, number: str, now: datetime) -> dict[str, Any]:
    """Return teams for a ticket, the best first: `{items, warning}`; the one that has it is not among the items.

    Those that can make it come first, as they are recommended. Each has `reason`: `own` (its grid covers the place),
    `neighbour` (the next grids, with `away_m`, metres from the place to them), `branch` (of the same branch) or
    `nearest` (none of these, and near at this moment); `load`, its open tickets; and of its best placed person, or of
    who is on duty, `person`, `travel`, `worked_h` (hours on duty within the last 24, by the roster), `exclusions`.

    Raises:
        NotPermitted: if the role may not read.
        NotFound: if there is no such ticket for this actor.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        row = present.find(tx, number)
        check_sees(actor, number, row["team_id"], tuple(row["assisting"]))
        rules, load = desk.rules(tx, now), queue.load(tx, now)
        roll = muster(tx, desk, rules)
        clock = next((one for one in clocks.of_ticket(tx, row["id"]) if _is_arrival(one, row["round"])), None)
    left_s = (clock.due_at - now).total_seconds() if clock else None
    advice = _advice(desk, rules, row, left_s, now)
    best = _best(advice)
    found: dict[str, dict[str, Any]] = {}
    for team_id, reason, away_m in _reasons(rules, row, best):
        team = rules.teams.get(team_id)
        if team is not None and team_id != row["team_id"]:
            told = {"team_id": team_id, "name": team["name"], "branch": team["branch"], "reason": reason}
            told |= {"away_m": away_m, "load": load.get(team_id, (0, 0))[0]}
            found.setdefault(team_id, told | _person(best.get(team_id)))
    places = {team_id: place for place, (team_id, choice) in enumerate(best.items()) if choice.is_recommended}
    ranked = sorted(found.values(), key=lambda one: (*_place(one, places), one["load"], one["team_id"]))
    items = [one if one["person"] else one | _on_duty(roll, rules.teams[one["team_id"]]) for one in ranked[:AT_MOST]]
    return {"items": items, "warning": advice.warning if advice else None}


def _on_duty(roll: Muster, team: Mapping[str, Any]) -> dict[str, Any]:
    """Who of a team the roster has on duty, where nobody of it told a place."""
    on = ((person, standing) for person, standing in roll.of_team(team) if standing and standing.is_on_duty)
    return next(({"person": person.name, "worked_h": round(how.worked_h, 1)} for person, how in on), {})


def _is_arrival(clock: Clock, round_: int) -> bool:
    return clock.kind is ClockKind.ARRIVE and clock.round == round_ and clock.is_running


def _advice(
    desk: Desk, rules: Rules, row: Mapping[str, Any], left_s: float | None, now: datetime
) -> Recommendation | None:
    """Return who should go: the grid's own team is asked first, whoever has the ticket now."""
    if row["lon"] is None:
        return None
    here = Wgs84Point(row["lon"], row["lat"])
    zone = rules.zones.locate(here.lon, here.lat)
    return recommend.advise(desk, here, zone.team_id if zone else None, left_s, now)


def _best(advice: Recommendation | None) -> dict[str, Choice]:
    """Return of each team whoever stands first, in the order of the recommendation."""
    best: dict[str, Choice] = {}
    for choice in advice.choices if advice else ():
        best.setdefault(choice.crew.team_id, choice)
    return best


def _person(choice: Choice | None) -> dict[str, Any]:
    if choice is None:
        return {"person": None, "travel": None, "worked_h": None, "exclusions": []}
    form = recommend.choice_form(choice)
    return {"person": form["name"], **{name: form[name] for name in ("travel", "worked_h", "exclusions")}}


def _place(one: Mapping[str, Any], places: Mapping[str, int]) -> tuple[int, int]:
    if one["team_id"] in places:
        return 0, places[one["team_id"]]
    return 1, ("own", "neighbour", "branch", "nearest").index(one["reason"])


def _reasons(
    rules: Rules, row: Mapping[str, Any], best: Mapping[str, Choice]
) -> Iterator[tuple[str, str, float | None]]:
    """Yield team, reason and distance, the strongest reason of a team first."""
    if row["lon"] is not None:
        for away_m, zone in rules.zones.nearest(Wgs84Point(row["lon"], row["lat"]), _NEAREST):
            yield zone.team_id or "", "own" if away_m == 0 else "neighbour", round(away_m)
    for team_id, team in rules.teams.items():
        if row["branch"] in (None, team["branch"]):
            yield team_id, "branch", None
    for team_id in best:
        yield team_id, "nearest", None
