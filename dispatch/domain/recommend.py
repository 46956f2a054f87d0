"""Who should go: the responsible steward first, then the backups, then the nearest free crews that can make the clock.

Nothing here knows roads or positions; it is told how long each would take, and says in words who is left out and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

# A crew with so many tickets in hand for each of its people on shift is not sent another one on its own account.
BUSY_FROM = 3
# A position older than this says nothing of where somebody is.
FRESH_S = 15 * 60.0
# Nobody who was silent for so long is called on shift.
OFF_SHIFT_S = 60 * 60.0


class Part(StrEnum):
    """Why somebody is asked at all."""

    RESPONSIBLE = "responsible"
    BACKUP = "backup"
    NEAREST = "nearest"


PART_LABELS = {Part.RESPONSIBLE: "责任水管家", Part.BACKUP: "后备", Part.NEAREST: "就近"}
KIND_LABELS = {"road": "按路网", "line": "直线估算", "service": "按在线路况"}
_ORDER = tuple(Part)


@dataclass(frozen=True, slots=True)
class Travel:
    """How long somebody needs to be there: from `low_s` to `high_s` seconds, by what `kind` of estimate.

    Attributes:
        low_s: Seconds if all goes well.
        high_s: Seconds if it does not.
        kind: road, line or service.
        samples: Of how many observed ways the estimate was corrected; 0 where it was not.
        factor: By how much it was corrected.
    """

    low_s: float
    high_s: float
    kind: str
    samples: int = 0
    factor: float = 1.0

    @property
    def expected_s(self) -> float:
        """The middle of the range: by it a crew is called in time or late."""
        return (self.low_s + self.high_s) / 2

    @property
    def uncorrected_s(self) -> float:
        """What was expected before the correction, against which it is observed."""
        return self.expected_s / self.factor

    @property
    def text(self) -> str:
        """In words, such as `约 15–25 分, 直线估算`."""
        low, high = minutes(self.low_s), minutes(self.high_s)
        span = f"{low}" if low == high else f"{low}–{high}"
        seen = f", 按 {self.samples} 次实际到场校正" if self.samples else ""
        return f"约 {span} 分, {KIND_LABELS[self.kind]}{seen}"


def minutes(seconds: float) -> int:
    """Return whole minutes as people say them: none is less than one."""
    return max(1, round(seconds / 60))


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands by the roster.

    Attributes:
        is_on_duty: Whether it is their shift.
        worked_h: Hours on duty within the last 24, in all units: told, and no reason to be left out by itself.
    """

    is_on_duty: bool
    worked_h: float


@dataclass(frozen=True, slots=True)
class Crew:
    """Somebody who could go.

    Attributes:
        part: Why they are asked.
        team_id: Their team.
        team_name: Its name.
        name: Who, or None where a team has no steward by name.
        position_age_s: How old the last word of their place is; None where none is kept.
        in_hand: Tickets that their team has in work.
        on_shift: People of the team who told their place lately.
        travel: How long they need, or None where nobody can say.
        standing: How they stand by the roster, or None where it does not know them.
    """

    part: Part
    team_id: str
    team_name: str
    name: str | None
    position_age_s: float | None
    in_hand: int
    on_shift: int
    travel: Travel | None
    standing: Standing | None = None

    @property
    def label(self) -> str:
        """Name and team."""
        return f"{self.name} ({self.team_name})" if self.name else self.team_name


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One reason not to send somebody; `code` and `values` for a screen of any language, `text` in Chinese."""

    code: str
    values: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The reason in words."""
        return _WORDS[self.code].format(**self.values)


_WORDS = {
    "off_duty": "此时不当班",
    "no_position": "当班, 未开定位",
    "off_shift": "下班或未开定位",
    "stale": "定位过期 {age} 分钟",
    "busy": "手上 {count} 单",
    "late": "预计 {eta} 分到, 只剩 {left} 分",
    "unreachable": "没有可走的路",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who could go, and what speaks against it; nothing for those who are recommended."""

    crew: Crew
    exclusions: tuple[Exclusion, ...]

    @property
    def is_recommended(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.exclusions


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The answer: all who were asked, the recommended ones first and in order.

    Attributes:
        choices: Who could go.
        left_s: Seconds left of the arrival clock; None where no arrival is promised.
        warning: Words for before the dispatch where nobody is expected in time, or None.
    """

    choices: tuple[Choice, ...]
    left_s: float | None
    warning: str | None

    @property
    def recommended(self) -> tuple[Choice, ...]:
        """Those to be sent, the best first."""
        return tuple(choice for choice in self.choices if choice.is_recommended)


def recommend(crews: Iterable[Crew], left_s: float | None) -> Recommendation:
    """Rank `crews` for a ticket with `left_s` seconds left of its arrival clock."""
    choices = sorted((Choice(crew, tuple(_exclusions(crew, left_s))) for crew in crews), key=_rank)
    return Recommendation(tuple(choices), left_s, _warning(choices, left_s))


def _exclusions(crew: Crew, left_s: float | None) -> Iterable[Exclusion]:
    age_s = crew.position_age_s
    if crew.standing is not None and not crew.standing.is_on_duty:
        yield Exclusion("off_duty")
    elif age_s is None or age_s > OFF_SHIFT_S:
        yield Exclusion("no_position" if crew.standing else "off_shift")
    elif age_s > FRESH_S:
        yield Exclusion("stale", {"age": minutes(age_s)})
    elif crew.travel is None:
        yield Exclusion("unreachable")
    if crew.in_hand >= BUSY_FROM * max(crew.on_shift, 1):
        yield Exclusion("busy", {"count": crew.in_hand})
    if crew.travel is not None and left_s is not None and crew.travel.expected_s > left_s:
        yield Exclusion("late", {"eta": minutes(crew.travel.expected_s), "left": max(0, round(left_s / 60))})


def _rank(choice: Choice) -> tuple[bool, int, bool, float, str, str]:
    """The recommended first; the responsible before backups before others; of others the free, then the nearest."""
    crew = choice.crew
    is_other = crew.part is Part.NEAREST
    travel_s = crew.travel.expected_s if crew.travel and is_other else 0.0 if crew.travel else float("inf")
    return (
        not choice.is_recommended,
        _ORDER.index(crew.part),
        is_other and crew.in_hand > 0,
        travel_s,
        crew.team_id,
        crew.name or "",
    )


def _warning(choices: Sequence[Choice], left_s: float | None) -> str | None:
    """Say that nobody is expected in time; silent where nothing is promised, or nothing is known of anybody."""
    if left_s is None:
        return None
    known = [choice.crew for choice in choices if choice.crew.travel is not None]
    travels = [crew.travel for crew in known if crew.travel is not None]
    if not travels or any(choice.is_recommended for choice in choices):
        return None
    fastest = min(travels, key=lambda travel: travel.expected_s)
    who = next(crew for crew in known if crew.travel is fastest)
    left = max(0, round(left_s / 60))
    if fastest.expected_s <= left_s:
        return f"{left} 分钟内能到的都有任务在手, 最快 {who.label} {fastest.text}"
    return f"预计无人能在 {left} 分钟内到场, 最快 {who.label} {fastest.text}"
