"""A notice that water is off somewhere: what must be true of it, and whom it concerns at a moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput

# Longer is a slip of the year or the month.
LONGEST = timedelta(days=30)
# Nobody told that water is back: so long the notice stays, then it was forgotten.
KEPT_AFTER_END = timedelta(hours=24)


class Phase(StrEnum):
    """How a notice stands: `late` is past its end with water not yet told to be back."""

    COMING = "coming"
    CURRENT = "current"
    LATE = "late"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOutage:
    """A notice as somebody writes it.

    Attributes:
        title: What happens, such as `坡子街 DN300 抢修`.
        place: Where, in words that people there know.
        is_planned: Whether it was announced, or something broke.
        zone_ids: The grids it touches.
        starts_at: From when, aware.
        ends_at: When water is expected back, aware.
    """

    title: str
    place: str
    is_planned: bool
    zone_ids: Sequence[str]
    starts_at: datetime
    ends_at: datetime


def check_outage(told: NewOutage, known: Collection[str], now: datetime) -> None:
    """Check a notice before it is published.

    Args:
        told: The notice.
        known: Ids of the grids that there are.
        now: The moment.

    Raises:
        InvalidInput: with the field at fault, for a blank text, an unknown grid, or times that cannot be.
    """
    for name in ("title", "place"):
        check_text(getattr(told, name), name)
        if not getattr(told, name).strip():
            raise InvalidInput("请填写, 不能为空", field=name)
    if not told.zone_ids:
        raise InvalidInput("请至少选一个网格", field="zone_ids")
    unknown = [zone_id for zone_id in told.zone_ids if zone_id not in known]
    if unknown:
        raise InvalidInput(f"没有网格 {', '.join(unknown)[:80]}", field="zone_ids")
    if told.ends_at <= told.starts_at:
        raise InvalidInput("结束时间须晚于开始时间", field="ends_at")
    if told.ends_at <= now:
        raise InvalidInput("结束时间已过, 请核对", field="ends_at")
    if told.ends_at - told.starts_at > LONGEST:
        raise InvalidInput(f"停水不能超过 {LONGEST.days} 天, 请核对年月", field="ends_at")


def phase(starts_at: datetime, ends_at: datetime, restored_at: datetime | None, now: datetime) -> Phase:
    """Return how a notice stands at `now`.

    Args:
        starts_at: From when.
        ends_at: When water is expected back.
        restored_at: When it was told to be back, or None.
        now: The moment.
    """
    if restored_at is not None or now > ends_at + KEPT_AFTER_END:
        return Phase.OVER
    if now < starts_at:
        return Phase.COMING
    return Phase.CURRENT if now < ends_at else Phase.LATE
