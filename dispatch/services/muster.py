"""Who of a team is on duty and for how long they have been: the roster, as whoever assigns work needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain.on_duty import on_shift
from dispatch.domain.recommend import Standing
from dispatch.domain.roster import Person, Roster
from dispatch.services.desk import Desk, Rules
from dispatch.storage.db import Tx


@dataclass(frozen=True, slots=True)
class Muster:
    """The roster at a moment; `roster` is None where none is published.

    Attributes:
        roster: With leave and swaps.
        worked: Hours on duty within the last 24, by person.
        at: The moment, UTC.
    """

    roster: Roster | None
    worked: Mapping[str, float]
    at: datetime

    def of_team(self, team: Mapping[str, Any]) -> list[tuple[Person, Standing | None]]:
        """Return who of a team is to be asked, in order: on duty, then off. Without a roster its stewards by rank."""
        if self.roster is None or team["id"] not in self.roster.plan.units:
            return [(Person(steward["id"], steward["name"]), None) for steward in team["stewards"]]
        on = [answer.person for answer in on_shift(self.roster, team["id"], self.at) if answer.person]
        members = (self.roster.plan.people[one.person_id] for one in self.roster.plan.members.get(team["id"], ()))
        off = [person for person in members if person not in on]
        return [
            (person, self._standing(person.person_id, is_on))
            for who, is_on in ((on, True), (off, False))
            for person in who
        ]

    def of(self, login: str, team_id: str) -> Standing | None:
        """Return how a user stands in his team, or None where the roster does not know one of them."""
        roster = self.roster
        if roster is None or team_id not in roster.plan.units or login not in roster.plan.people:
            return None
        on = {answer.person.person_id for answer in on_shift(roster, team_id, self.at) if answer.person}
        return self._standing(login, login in on)

    def _standing(self, person_id: str, is_on_duty: bool) -> Standing:
        return Standing(is_on_duty, self.worked.get(person_id, 0.0))


def muster(tx: Tx, desk: Desk, rules: Rules) -> Muster:
    """Return the roster at the moment of the rules."""
    return Muster(rules.roster, desk.worked(tx, rules.at) if rules.roster else {}, rules.at)
