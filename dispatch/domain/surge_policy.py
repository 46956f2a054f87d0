"""What the policy says of surges."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from dispatch.domain.sla import ClockKind

# Promises that a widening can reach. A main that is shut late floods a street, and a call-back is the utility's own.
WIDENABLE = (ClockKind.ACK, ClockKind.ARRIVE, ClockKind.FIX)


@dataclass(frozen=True, slots=True)
class SurgePolicy:
    """The policy's section on surges.

    Attributes:
        basis: Where the numbers come from.
        window: Calls are counted over this time.
        enter_calls: As many in it, or more, begin a surge.
        leave_calls: Fewer in it are calm.
        calm: It ends once it has been calm for so long.
        digest_to: Audiences whose notices of steps are gathered; nobody else's are.
        digest_every: How often they go out.
        at_once: Levels whose breaches go out at once all the same.
        broadcast: What agents and crews are told, unless somebody writes it anew.
        public_text: What the public page says.
        levels: Levels that may be widened.
        clocks: Their clocks that may.
        most: By which factor at most.
    """

    basis: str
    window: timedelta
    enter_calls: int
    leave_calls: int
    calm: timedelta
    digest_to: tuple[str, ...]
    digest_every: timedelta
    at_once: tuple[str, ...]
    broadcast: str
    public_text: str
    levels: tuple[str, ...]
    clocks: tuple[ClockKind, ...]
    most: float
