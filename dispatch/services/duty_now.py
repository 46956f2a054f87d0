"""Who is responsible for a place at a moment, and why: as screens, the API and the command line ask."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.address import PlacedBy
from dispatch.domain.errors import InvalidInput
from dispatch.domain.on_duty import Answer, backup
from dispatch.domain.place import Point
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.times import shanghai_text
from dispatch.services import duty, present
from dispatch.services.desk import Desk, NotReady, Rules
from dispatch.services.routing import place_call
from dispatch.storage import rosters
from dispatch.storage.db import Tx

_FARTHEST = timedelta(days=366)


def who(
    desk: Desk, actor: Actor, point: Point | None, address: str, at: datetime | None, now: datetime
) -> dict[str, Any]:
    """Return who is responsible for a place, who is next, who stands above, and why.

    Args:
        desk: The process's desk.
        actor: Who asks.
        point: The place, in any datum, or None.
        address: The place in words, where there is no point.
        at: When, UTC, at most a year away; None is now.
        now: The server's time.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: without a place, or for a time that is too far away, or before the first grid map.
    """
    check_permitted(actor, Permission.READ)
    moment = at or now
    if abs(moment - now) > _FARTHEST:
        raise InvalidInput("时间须在前后一年之内", field="at")
    if point is None and not address.strip():
        raise InvalidInput("请给出位置 (lon, lat, datum) 或地址 (address)", field="address")
    with desk.store.read() as tx:
        rules = _rules(tx, desk, moment)
        placing = place_call(desk, tx, rules, point, address, PlacedBy.PIN)
        zone, to = placing.zone, placing.assignment
        told = {
            "at": present.time(moment),
            "at_text": shanghai_text(moment),
            "status": placing.status,
            "place_reason": placing.reason,
            "zone_id": zone.zone_id if zone else None,
            "zone_name": zone.name if zone else None,
            "branch": to.branch if to else None,
            "team_id": to.team_id if to else None,
            "team_name": to.team_name if to else None,
            "roster": _roster(tx, desk, moment),
        }
        answers = duty.people_up(desk, tx, "crew", to.team_id, to.branch, moment) if to else []
    second = backup(rules.roster, to.team_id, moment) if rules.roster is not None and to else None
    names = {unit.unit_id: unit.name for unit in rules.roster.plan.units.values()} if rules.roster is not None else {}
    return {
        **told,
        "responsible": _form(answers[0], names) if answers else None,
        "backup": _form(second, names) if second else None,
        "above": [_form(one, names) for one in answers[1:]],
    }


def _rules(tx: Tx, desk: Desk, at: datetime) -> Rules:
    try:
        return desk.rules(tx, at)
    except NotReady as error:
        raise InvalidInput("那时还没有网格或政策", field="at") from error


def _roster(tx: Tx, desk: Desk, at: datetime) -> dict[str, Any] | None:
    roster_id = desk.roster_id(tx, at)
    row = rosters.read(tx, roster_id) if roster_id is not None else None
    return row and {"id": row["id"], "name": row["name"], "is_sample": row["is_sample"]}


def _form(answer: Answer, names: Mapping[str, str]) -> dict[str, Any]:
    person = answer.person
    return {
        "unit_id": answer.unit_id,
        "unit": names.get(answer.unit_id, answer.unit_id),
        "person_id": person.person_id if person else None,
        "name": person.name if person else None,
        "reason": answer.reason,
        "passed_over": [
            {"person_id": one.person.person_id, "name": one.person.name, "why": one.why} for one in answer.passed_over
        ],
    }
