"""A temporary fix (临时处理): water runs again, and the rest of the work is an order of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput
from dispatch.domain.policy import Policy, TemporaryKind


class Fix(StrEnum):
    """How a crew left the place."""

    FIXED = "fixed"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class Temporary:
    """What a crew did for now.

    Attributes:
        kind: Code of one of the policy's temporary kinds.
        left: What is left to do, in words.
        by: When the crew wants it done, aware; None leaves it to the policy.
    """

    kind: str
    left: str
    by: datetime | None = None


# What a ticket's columns hold of a round that is not done.
NO_OUTCOME: dict[str, Any] = {"outcome": None, "temporary_kind": None}


def outcome(told: Temporary | None) -> dict[str, Any]:
    """Return what a ticket's columns hold of how it was left."""
    return {"outcome": Fix.TEMPORARY, "temporary_kind": told.kind} if told else NO_OUTCOME | {"outcome": Fix.FIXED}


def kind_of(told: Temporary, kinds: Mapping[str, TemporaryKind]) -> TemporaryKind:
    """Return the policy's kind for what was told.

    Raises:
        InvalidInput: for a kind that the policy does not have, or without a word of what is left to do.
    """
    if told.kind not in kinds:
        known = ", ".join(f"{kind.id} ({kind.label})" for kind in kinds.values()) or "无 (现行政策没有临时处理)"
        raise InvalidInput(f"请选择临时处理的类型: {known}", field="temporary_kind")
    check_text(told.left, "left_to_do")
    if not told.left.strip():
        raise InvalidInput("请写明还要做什么", field="left_to_do")
    return kinds[told.kind]


def due_at(told: Temporary, kind: TemporaryKind, policy: Policy, now: datetime, branch: str | None = None) -> datetime:
    """Return by when the rest is due: when the crew said, and never later than the policy has it.

    A date that has passed (a phone was without signal for days) or that is too late is no fault of the step: the
    policy's own holds then.
    """
    latest = kind.within.after(now, policy.calendars, branch, None) or now
    return told.by if told.by is not None and now < told.by < latest else latest
