"""Who is to do the work, who must be told, and the whole outcome of a verb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dispatch.domain.policy import Area
from dispatch.domain.sla import Clock
from dispatch.domain.states import Status, Verb


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who is to do the work, and why; `area` where a pin tells it."""

    team_id: str
    team_name: str
    branch: str | None
    reason: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    area: Area | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something people must be told: `to` are audiences, resolved for the ticket's team and branch."""

    to: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Transition:
    """The whole outcome of one verb, ready to be written in one transaction."""

    verb: Verb
    source: Status
    target: Status
    at: datetime
    time_source: str
    text: str
    changes: Mapping[str, Any]
    clocks: tuple[Clock, ...]
    notices: tuple[Notice, ...] = ()
