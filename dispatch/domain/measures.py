"""Measures of the service: what each one counts, said once in words and once in code.

All are of the tickets received in a period whose work was finished at least once. What a ticket does along with the
lead of its incident is the lead's visit and the lead's hand-over, and is not counted again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Measure(StrEnum):
    """The measures, in the order in which they are shown."""

    FIRST_FIX = "first_fix"
    VISITS = "visits"
    HANDOVERS = "handovers"
    CALLED_BACK = "called_back"
    SATISFIED = "satisfied"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a measure is called and counts; a share is shown in percent; `is_more_better` says which way is good."""

    label: str
    words: str
    is_share: bool
    is_more_better: bool


DEFINITIONS = {
    Measure.FIRST_FIX: Definition(
        "首次修复率", "已完工的工单中, 只到场一次、没有返工、也不是临时处理的比例", True, True
    ),
    Measure.VISITS: Definition("每单到场次数", "已完工的工单平均到场几次, 各轮合计", False, False),
    Measure.HANDOVERS: Definition("每单转手次数", "已完工的工单在首次派单之后, 平均又派单或改派几次", False, False),
    Measure.CALLED_BACK: Definition("回访率", "留有号码的来电人中, 已接通或已自助答复的比例", True, True),
    Measure.SATISFIED: Definition("满意率", "回访中说明是否满意的来电人里, 满意的比例", True, True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What happened to one finished ticket.

    Attributes:
        visits: How often somebody arrived.
        assignments: How often it was given to a team: 派单 and 改派.
        rounds: 1, and one more for each rework.
        own_reworks: Tickets of their own that it left to single callers.
        is_temporary: The last work was a makeshift.
        is_carried: It went along with the lead of its incident.
        ringable: Callers that left a number.
        heard: Those of them who were reached, or answered by link.
        judged: Those who said whether they are content.
        satisfied: Those who are.
    """

    visits: int = 0
    assignments: int = 0
    rounds: int = 1
    own_reworks: int = 0
    is_temporary: bool = False
    is_carried: bool = False
    ringable: int = 0
    heard: int = 0
    judged: int = 0
    satisfied: int = 0

    @property
    def is_first_fix(self) -> bool:
        """Whether one visit was enough."""
        return self.visits <= 1 and self.rounds == 1 and not self.own_reworks and not self.is_temporary


@dataclass(frozen=True, slots=True)
class Value:
    """A measure of some tickets: `amount` divided by `of`."""

    amount: int
    of: int

    @property
    def ratio(self) -> float | None:
        """Return the measure, or None where there is nothing to measure."""
        return self.amount / self.of if self.of else None


def measure(stories: Iterable[Story]) -> dict[Measure, Value]:
    """Return all measures of some tickets."""
    told = list(stories)
    count = len(told)
    jobs = [story for story in told if not story.is_carried]
    return {
        Measure.FIRST_FIX: Value(sum(story.is_first_fix for story in told), count),
        Measure.VISITS: Value(sum(story.visits for story in jobs), count),
        Measure.HANDOVERS: Value(sum(max(0, story.assignments - 1) for story in jobs), count),
        Measure.CALLED_BACK: Value(sum(story.heard for story in told), sum(story.ringable for story in told)),
        Measure.SATISFIED: Value(sum(story.satisfied for story in told), sum(story.judged for story in told)),
    }


def change(before: Value, after: Value) -> float | None:
    """Return the part by which a measure has grown (-0.5: halved); None where there is nothing to compare."""
    if not before.ratio or after.ratio is None:
        return None
    return after.ratio / before.ratio - 1
