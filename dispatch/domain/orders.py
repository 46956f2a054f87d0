"""Who is to do the work, and who must be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dispatch.domain.policy import Area


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
