"""Service policy: which promise holds for which ticket. Read from data/policy.toml, kept in versions, never changed.

The readers live in policy_file.py; here are the values and the questions that are asked of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.domain import ladder, sla
from dispatch.domain.calendar import Calendar, Calendars
from dispatch.domain.errors import InvalidInput
from dispatch.domain.flags import CustomerFlag
from dispatch.domain.ladder import Step
from dispatch.domain.similar import SimilarRules
from dispatch.domain.sla import Clock, ClockKind
from dispatch.domain.surge_policy import SurgePolicy

# So many levels, the first of a policy, are its emergencies.
_EMERGENCIES = 2


class Area(StrEnum):
    """Where the place lies as seen from the 30-minute service circle."""

    IN_CIRCLE = "in_circle"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as people write it: `30 min`, `4 h`, `8 wh`, `1 wd`, or `appointment`.

    Minutes and hours run day and night; `wh` are working hours, `wd` working days.
    """

    amount: int
    unit: str

    def __str__(self) -> str:
        return self.unit if self.unit == "appointment" else f"{self.amount} {self.unit}"

    def after(
        self, start: datetime, calendars: Calendars, branch: str | None, appointment_at: datetime | None
    ) -> datetime | None:
        """Return the due time, or None for an appointment that nobody made.

        Args:
            start: From when.
            calendars: The policy's.
            branch: Whose working hours count.
            appointment_at: The appointment, aware.
        """
        if self.unit == "appointment":
            return appointment_at
        if self.unit == "wd":
            return calendars.workdays.add(start, self.amount)
        if self.unit == "wh":
            return calendars.of(branch).add_working(start, timedelta(hours=self.amount))
        return start + timedelta(**{{"min": "minutes", "h": "hours"}[self.unit]: self.amount})

    def calendar(self, calendars: Calendars, branch: str | None) -> Calendar | None:
        """Return the calendar that it is measured in, or None where it runs day and night."""
        if self.unit == "wd":
            return calendars.whole_days
        return calendars.of(branch) if self.unit == "wh" else None


@dataclass(frozen=True, slots=True)
class Limit:
    """One promise and where it holds; None means everywhere. `dn_*` are pipe diameters in mm, both included."""

    clock: ClockKind
    within: Span
    basis: str
    area: Area | None = None
    dn_min: int | None = None
    dn_max: int | None = None
    categories: tuple[str, ...] = ()

    def fits(self, area: Area, pipe_dn: int | None, category: str) -> bool:
        """Tell whether it holds for such a ticket; without a diameter no rule about diameters does."""
        if self.area not in (None, area) or (self.categories and category not in self.categories):
            return False
        if self.dn_min is None and self.dn_max is None:
            return True
        return pipe_dn is not None and (self.dn_min or 0) <= pipe_dn <= (self.dn_max or pipe_dn)


@dataclass(frozen=True, slots=True)
class Raise:
    """An answer that lifts the level."""

    equals: bool | str
    level: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a category's script."""

    id: str
    text: str
    choices: tuple[str, ...] = ()
    raises: Raise | None = None

    def check_answer(self, answer: bool | str) -> None:
        """Raise InvalidInput unless `answer` is of the kind that the question asks for."""
        if self.choices and answer not in self.choices:
            raise InvalidInput(f"“{self.text}”只能回答: {', '.join(self.choices)}", field=f"answers.{self.id}")
        if not self.choices and not isinstance(answer, bool):
            raise InvalidInput(f"“{self.text}”只能回答 true 或 false", field=f"answers.{self.id}")


@dataclass(frozen=True, slots=True)
class Category:
    """What a call is about. `level` is None where it opens no ticket (咨询)."""

    id: str
    label: str
    level: str | None
    questions: tuple[Question, ...] = ()

    def check_answers(self, answers: Mapping[str, bool | str]) -> None:
        """Raise InvalidInput for an answer to a question that this category does not ask, or of the wrong kind."""
        questions = {question.id: question for question in self.questions}
        for id_, answer in answers.items():
            if id_ not in questions:
                known = ", ".join(questions) or "无"
                raise InvalidInput(f"“{self.label}”没有这个问题, 可选: {known}", field=f"answers.{id_[:40]}")
            questions[id_].check_answer(answer)


@dataclass(frozen=True, slots=True)
class Level:
    """A level with its promises and its ladder."""

    id: str
    label: str
    limits: tuple[Limit, ...]
    ladder: Mapping[ClockKind, tuple[Step, ...]]

    @property
    def needs_place(self) -> bool:
        """Whether an arrival is promised at a time that no caller has agreed to: to be in time, one must know where."""
        return any(limit.clock is ClockKind.ARRIVE and limit.within.unit != "appointment" for limit in self.limits)

    def goes_by_appointment(self, category: str) -> bool:
        """Tell whether a clock of such a ticket can end at an appointment, wherever its place turns out to be."""
        fitting = (limit for limit in self.limits if not limit.categories or category in limit.categories)
        return any(limit.within.unit == "appointment" for limit in fitting)


@dataclass(frozen=True, slots=True)
class TemporaryKind:
    """A way to help for now (临时处理), and the order that follows: its category and level, due within `within`."""

    id: str
    label: str
    category: str
    level: str
    within: Span
    basis: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the whole policy; `levels` are in the order of its file, the most urgent first.

    `surge` is None where it says nothing of surges: they are then begun and ended by hand alone.
    """

    version: str
    valid_from: datetime
    levels: Mapping[str, Level]
    categories: Mapping[str, Category]
    reasons: Mapping[str, Mapping[str, str]]
    calendars: Calendars
    device_time_max_age_s: float
    device_time_skew_s: float
    similar: SimilarRules = field(default_factory=SimilarRules)
    flags: Mapping[str, CustomerFlag] = field(default_factory=dict)
    # What a known outage explains: such a call is answered with it.
    outage_categories: frozenset[str] = frozenset()
    surge: SurgePolicy | None = None
    temporary: Mapping[str, TemporaryKind] = field(default_factory=dict)
    # What whoever reads it should know: that its numbers are a sample.
    case_note: str = ""

    def is_emergency(self, level: str) -> bool:
        """Tell whether a level is one for which a sleeping phone is woken; an unknown one is not."""
        return level in list(self.levels)[:_EMERGENCIES]

    def category(self, id_: str) -> Category:
        """Return a category, or raise InvalidInput that lists the known ones."""
        if id_ not in self.categories:
            known = ", ".join(self.categories)
            raise InvalidInput(f"未知的诉求类别“{id_[:40]}”, 可选: {known}", field="category")
        return self.categories[id_]

    def level_of(self, category: Category, answers: Mapping[str, bool | str]) -> str:
        """Return the level id from the category and what was answered; the most urgent one wins.

        Raises:
            InvalidInput: for an answer to a question that the category does not ask, or of the wrong kind.
        """
        if category.level is None:
            raise InvalidInput("咨询类不生成工单", field="category")
        category.check_answers(answers)
        level, urgency = category.level, list(self.levels).index
        for question in category.questions:
            raises = question.raises
            if raises and question.id in answers and raises.equals == answers[question.id]:
                level = min(level, raises.level, key=urgency)
        return level

    def limits_for(self, level: str, area: Area, pipe_dn: int | None, category: str) -> dict[ClockKind, Limit]:
        """Return the promise of each clock: the last limit that fits."""
        return {x.clock: x for x in self.levels[level].limits if x.fits(area, pipe_dn, category)}

    def steps(self, level: str, kind: ClockKind) -> tuple[Step, ...]:
        """Return the ladder of one clock."""
        return self.levels[level].ladder[kind]

    def start_clock(
        self,
        level: str,
        limit: Limit,
        round_: int,
        start_at: datetime,
        appointment_at: datetime | None = None,
        branch: str | None = None,
    ) -> Clock | None:
        """Start one clock with its ladder set, or None for an appointment that nobody made."""
        due_at = limit.within.after(start_at, self.calendars, branch, appointment_at)
        if due_at is None:
            return None
        fresh = sla.start(limit.clock, round_, start_at, due_at)
        return ladder.schedule(fresh, self.steps(level, limit.clock))

    def trusted_time(self, device_at: datetime | None, at: datetime, not_before: datetime) -> tuple[datetime, str]:
        """Return the time that counts and whose it is, `device` or `server`.

        A phone that had no signal tells when the thing really happened. It is believed if that lies neither before
        `not_before`, nor in the future, nor longer ago than the policy allows.

        Args:
            device_at: The phone's time, aware; None where it told none.
            at: The server's time of now.
            not_before: When the thing can have happened at the earliest.
        """
        if device_at is None or device_at < not_before:
            return at, "server"
        if device_at > at + timedelta(seconds=self.device_time_skew_s):
            return at, "server"
        if at - device_at > timedelta(seconds=self.device_time_max_age_s):
            return at, "server"
        return min(device_at, at), "device" if device_at < at else "server"

    def check_reason(self, kind: str, code: str | None) -> str:
        """Return the Chinese label of a coded reason, or raise InvalidInput that lists the codes."""
        codes = self.reasons[kind]
        if code is None or code not in codes:
            known = ", ".join(f"{key} ({label})" for key, label in codes.items())
            raise InvalidInput(f"请选择原因: {known}", field="reason")
        return codes[code]

    def check_extension(self, code: str | None, note: str) -> str:
        """Return the Chinese label of the coded reason for more time.

        A version from before extensions had codes takes the note alone, and the label is empty: its tickets keep it.

        Raises:
            InvalidInput: for a code that is none of this version, with those that are; without codes, for no note.
        """
        if self.reasons["extend"]:
            return self.check_reason("extend", code)
        if code is not None:
            raise InvalidInput(f"政策 {self.version} 没有延期原因编号, 请只写明理由 (note)", field="reason")
        if not note:
            raise InvalidInput("请写明延期理由", field="note")
        return ""
