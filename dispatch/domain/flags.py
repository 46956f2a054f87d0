"""Customer flags (客户标记): who must not be without water, or matters to many; what that changes for a ticket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

VULNERABLE, KEY_ACCOUNT = "vulnerable", "key_account"
GROUP_LABELS = {VULNERABLE: "特殊困难用户", KEY_ACCOUNT: "重点用户"}


@dataclass(frozen=True, slots=True)
class FlagRaise:
    """Tickets of these categories are of this level at least."""

    categories: tuple[str, ...]
    level: str


@dataclass(frozen=True, slots=True)
class CustomerFlag:
    """One flag of the policy.

    Attributes:
        id: Its code.
        label: What it is called on screen.
        group: `vulnerable` or `key_account`.
        raises: What it lifts.
        notify: Audiences that are told as well, at dispatch and at every escalation.
        basis: Where it comes from.
    """

    id: str
    label: str
    group: str
    raises: tuple[FlagRaise, ...]
    notify: tuple[str, ...]
    basis: str


@dataclass(frozen=True, slots=True)
class Care:
    """What flags change for one ticket.

    Attributes:
        level: The level with them.
        labels: What they are called.
        notify: Who is told as well.
        text: All of it in words, empty without a flag.
    """

    level: str
    labels: tuple[str, ...] = ()
    notify: tuple[str, ...] = ()
    text: str = ""


def care_for(flags: Sequence[CustomerFlag], category: str, level: str, urgency: Callable[[str], int]) -> Care:
    """Return what flags change for a ticket; the most urgent level wins, and none is ever lowered.

    Args:
        flags: Those of the caller and of the place.
        category: What the call is about.
        level: The level without them.
        urgency: The place of a level in the policy, the most urgent first.
    """
    now, said = level, []
    for flag in flags:
        wanted = [one.level for one in flag.raises if category in one.categories]
        best = min([now, *wanted], key=urgency)
        said.append(f"{flag.label}: 由 {now} 提为 {best}" if best != now else f"{flag.label}: 等级 {now} 不变")
        now = best
    labels = tuple(dict.fromkeys(flag.label for flag in flags))
    notify = tuple(dict.fromkeys(audience for flag in flags for audience in flag.notify))
    return Care(now, labels, notify, "; ".join(dict.fromkeys(said)))
