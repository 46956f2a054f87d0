"""Who is on duty: for a team, for each audience of the ladder, and up the on-call chain.

Where no roster is published the order of the teams file (A before B) answers, and the reason says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.domain.on_duty import Answer, backup, responsible
from dispatch.domain.roster import Person, chain
from dispatch.services.desk import Desk, Rules
from dispatch.storage import directory
from dispatch.storage.db import Tx

NO_ROSTER = "未发布排班表"
_OF_TEAM = ("crew", "backup")
_OF_BRANCH = ("area_lead", "branch_duty")


def of_team(rules: Rules, team: Mapping[str, Any]) -> Answer:
    """Return who of a team is responsible at the moment of the rules."""
    if rules.roster is None:
        return _by_order(team, 0)
    return responsible(rules.roster, team["id"], rules.at)


def said(answer: Answer) -> str:
    """Return an answer in one line, as the reason of a dispatch tells it."""
    return f"{answer.person.name}当班 ({answer.reason})" if answer.person else answer.reason


def person_for(desk: Desk, tx: Tx, audience: str, team_id: str | None, branch: str | None, at: datetime) -> Answer:
    """Return whom an audience of the ladder means at an instant: one person, or an explicit hole with its reason.

    Args:
        desk: The process's desk.
        tx: An open transaction.
        audience: `crew` (who is responsible), `backup`, or a post: `area_lead`, `branch_duty`, `hotline_director` …
        team_id: The ticket's team, or None.
        branch: The ticket's branch, or None.
        at: When, UTC.
    """
    unit_id = unit_of(audience, team_id, branch)
    if unit_id is None:
        return Answer(audience, None, "工单没有班组或分公司")
    roster = desk.roster(tx, at)
    if roster is not None:
        return (backup if audience == "backup" else responsible)(roster, unit_id, at)
    team = directory.team(tx, unit_id) if audience in _OF_TEAM else None
    return _by_order(team, _OF_TEAM.index(audience)) if team else Answer(unit_id, None, NO_ROSTER)


def people_up(desk: Desk, tx: Tx, audience: str, team_id: str | None, branch: str | None, at: datetime) -> list[Answer]:
    """Return whom an audience means, and then who stands above, to the end of the on-call chain: each once, holes too.

    This is the order in which somebody is to be told when those before do not answer; arguments as for `person_for`.
    """
    first = person_for(desk, tx, audience, team_id, branch, at)
    roster = desk.roster(tx, at)
    if roster is None:
        return [first]
    above = chain(roster.plan, first.unit_id)[1:]
    return [first, *(responsible(roster, unit_id, at) for unit_id in above)]


def unit_of(audience: str, team_id: str | None, branch: str | None) -> str | None:
    """Return the unit of the roster that an audience means, or None where the ticket has no such place."""
    if audience in _OF_TEAM:
        return team_id
    if audience in _OF_BRANCH:
        return f"{audience}:{branch}" if branch else None
    return audience


def _by_order(team: Mapping[str, Any], place: int) -> Answer:
    stewards = team["stewards"]
    if place >= len(stewards):
        return Answer(team["id"], None, f"{NO_ROSTER}, 班组名册中没有此人")
    found = stewards[place]
    return Answer(team["id"], Person(found["id"], found["name"]), f"{NO_ROSTER}, 按班组名册次序 ({found['rank']})")
