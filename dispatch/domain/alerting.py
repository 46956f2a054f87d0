"""Who is told of a step of the ladder, one person after the other, until somebody answers.

First whom its audiences mean at that moment, all at once; then, one at a time, who else of their units can answer, and
who stands above them. Whom a later step tells at its own time is not told before. Pure: time is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch.domain.on_duty import Answer, backup, everybody, responsible
from dispatch.domain.policy_checks import AUDIENCES
from dispatch.domain.roster import Roster, chain

_OF_TEAM = ("crew", "backup")
# What people answer to an SMS, with the end of the ticket's number where they have several.
_REPLY = re.compile(r"(?:1|收到|知悉)[\s,，。.]*(?:\S*?(\d{3,}))?")


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMS that answers; `ending` are the last digits of a ticket's number, or nothing for the newest."""

    ending: str


def reply(text: str) -> Reply | None:
    """Return what a text answers, or None where it is something else."""
    found = _REPLY.fullmatch(text.strip())
    return Reply(found[1] or "") if found else None


def unit_of(recipient: str) -> str:
    """Return the unit of the roster that a recipient such as `crew:tianxin-03` or `area_lead:城南` means."""
    audience, _, team_id = recipient.partition(":")
    return team_id if audience in _OF_TEAM else recipient


def audience_of(unit_id: str) -> str:
    """Return the audience that the people of a unit are told as; those of a team are its crew."""
    audience = unit_id.partition(":")[0]
    return audience if audience in AUDIENCES else "crew"


def named(roster: Roster, recipients: Sequence[str], at: datetime) -> list[Answer]:
    """Return whom the recipients of a step mean at an instant, holes too; those that are no unit are left out."""
    return [
        (backup if one.startswith("backup:") else responsible)(roster, unit_of(one), at)
        for one in recipients
        if unit_of(one) in roster.plan.units
    ]


def line(roster: Roster, recipients: Sequence[str], later: Collection[str], at: datetime) -> list[Answer]:
    """Return all who can be told of a step, in the order in which they are, each once.

    Args:
        roster: The roster of the moment.
        recipients: Those of the step, resolved.
        later: The audiences that a later step of the same ladder tells.
        at: The moment, UTC.
    """
    asked = named(roster, recipients, at)
    units = list(dict.fromkeys(answer.unit_id for answer in asked))
    asked += [answer for unit_id in units for answer in everybody(roster, unit_id, at)]
    asked += [responsible(roster, above, at) for unit_id in units for above in _above(roster, unit_id, later)]
    found: dict[str, Answer] = {}
    for answer in asked:
        if answer.person is not None:
            found.setdefault(answer.person.person_id, answer)
    return list(found.values())


def _above(roster: Roster, unit_id: str, later: Collection[str]) -> Iterator[str]:
    for above in chain(roster.plan, unit_id)[1:]:
        if above.partition(":")[0] in later:
            return
        yield above


def why(roster: Roster, answer: Answer) -> str:
    """Say why a person of a unit is told, e.g. `城南片区长: 白班 08:00-20:00, A角`; or why nobody is."""
    return f"{roster.plan.units[answer.unit_id].name}: {answer.reason}"
