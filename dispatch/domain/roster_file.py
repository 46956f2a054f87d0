"""A roster as data: shifts, people, units and rotations, read with every mistake told by list, row and field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput
from dispatch.domain.roster import RANK_LABELS, Member, Person, Plan, Rank, Unit, plan_of
from dispatch.domain.shifts import Shift, hours_text, parse_hours

SECTIONS = ("shifts", "people", "units", "members")
_MOST_ROWS = 10_000
_MOST_DAYS = 366
_ID = re.compile(r"[\w.:-]{1,60}")


class InvalidRoster(InvalidInput):
    """A roster that is refused whole; `findings` lists section, row, field and reason."""

    code = "invalid-roster"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong (`is_fatal`) or odd in a roster.

    Attributes:
        section: `shifts`, `people`, `units` or `members`; empty for the whole.
        row: Place in its list, from 0; None for the whole of it.
        field: The field at fault, or empty.
        text: Chinese words.
        is_fatal: Whether the roster cannot be used.
    """

    section: str
    row: int | None
    field: str
    text: str
    is_fatal: bool = True

    def form(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "section": self.section, "row": self.row, "field": self.field, "text": self.text, "is_fatal": self.is_fatal
        }  # fmt: skip


def read_plan(raw: Mapping[str, Any]) -> tuple[Plan | None, list[Finding]]:
    """Read the JSON form of a roster; the plan is None where anything is wrong with it."""
    reader = _Reader(raw)
    plan = reader.plan()
    return (None if reader.findings else plan), reader.findings


@dataclass(slots=True)
class _Reader:
    raw: Mapping[str, Any]
    findings: list[Finding] = field(default_factory=list)
    section: str = ""
    row: int | None = None

    def plan(self) -> Plan:
        shifts = [one for item in self.items("shifts") if (one := self.shift(item))]
        people = [Person(self.id_of(item), self.text(item, "name")) for item in self.items("people")]
        units = [self.unit(item) for item in self.items("units")]
        self.once("shifts", [one.shift_id for one in shifts])
        self.once("people", [one.person_id for one in people])
        self.once("units", [one.unit_id for one in units])
        known = {one.shift_id for one in shifts}, {one.person_id for one in people}, {one.unit_id for one in units}
        members = [found for item in self.items("members") if (found := self.member(item, *known))]
        self.once("members", [f"{found.unit_id} {found.person_id}" for found in members])
        return plan_of(shifts, people, units, members)

    def wrong(self, name: str, text: str) -> None:
        self.findings.append(Finding(self.section, self.row, name, text))

    def items(self, section: str) -> Iterator[Mapping[str, Any]]:
        """Step through the rows of a list, so that what is wrong is told with its row."""
        self.section, self.row = section, None
        found = self.raw.get(section, [])
        if not isinstance(found, list) or len(found) > _MOST_ROWS:
            self.wrong("", f"应为列表, 最多 {_MOST_ROWS} 行")
            return
        for self.row, item in enumerate(found):
            if isinstance(item, Mapping):
                yield item
            else:
                self.wrong("", "应为对象")

    def text(self, item: Mapping[str, Any], name: str, most: int = 60) -> str:
        value = item.get(name)
        if not isinstance(value, str) or not value.strip():
            self.wrong(name, "应为文字, 不能为空")
            return ""
        try:
            check_text(value, name)
        except InvalidInput as error:
            self.wrong(name, error.detail)
        if len(value) > most:
            self.wrong(name, f"最多 {most} 个字")
        return value.strip()

    def id_of(self, item: Mapping[str, Any]) -> str:
        value = self.text(item, "id")
        if value and not _ID.fullmatch(value):
            self.wrong("id", f"编号“{value}”只能含字母、数字、点、冒号和连字符")
        return value

    def once(self, section: str, keys: Sequence[str]) -> None:
        self.section, seen = section, set[str]()
        for self.row, key in enumerate(keys):
            if key in seen:
                self.wrong("id", f"“{key}”重复")
            seen.add(key)

    def shift(self, item: Mapping[str, Any]) -> Shift | None:
        shift_id, name, hours = self.id_of(item), self.text(item, "name", 20), self.text(item, "hours", 100)
        if not hours:
            return None
        try:
            return Shift(shift_id, name, parse_hours(hours))
        except InvalidInput as error:
            self.wrong("hours", error.detail)
            return None

    def unit(self, item: Mapping[str, Any]) -> Unit:
        optional = {name: self.text(item, name) if item.get(name) is not None else None for name in ("branch", "up")}
        return Unit(self.id_of(item), self.text(item, "name"), **optional)

    def member(self, item: Mapping[str, Any], shifts: set[str], people: set[str], units: set[str]) -> Member | None:
        before = len(self.findings)
        unit_id, person_id = self.text(item, "unit"), self.text(item, "person")
        if unit_id and unit_id not in units:
            self.wrong("unit", f"没有班组或岗位“{unit_id}”")
        if person_id and person_id not in people:
            self.wrong("person", f"没有人员“{person_id}”")
        rank, anchor, cycle = self.rank(item), self.anchor(item), self.cycle(item, shifts)
        if len(self.findings) > before or rank is None or anchor is None:
            return None
        return Member(unit_id, person_id, rank, anchor, cycle, self.row or 0)

    def rank(self, item: Mapping[str, Any]) -> Rank | None:
        value = item.get("rank")
        found = next((rank for rank, label in RANK_LABELS.items() if value in (rank.value, label)), None)
        if found is None:
            self.wrong("rank", f"应为 {'、'.join(RANK_LABELS.values())}")
        return found

    def anchor(self, item: Mapping[str, Any]) -> date | None:
        try:
            return date.fromisoformat(item.get("anchor"))  # type: ignore[arg-type]  # whatever it is
        except (TypeError, ValueError):
            self.wrong("anchor", "应为日期, 例如 2026-11-30")
            return None

    def cycle(self, item: Mapping[str, Any], shifts: set[str]) -> tuple[str | None, ...]:
        value = item.get("cycle")
        if not isinstance(value, list) or not 0 < len(value) <= _MOST_DAYS:
            self.wrong("cycle", f"应为 1 到 {_MOST_DAYS} 天的班次列表, 休息日为 null")
            return ()
        unknown = [one for one in value if one is not None and not (isinstance(one, str) and one in shifts)]
        for one in list(dict.fromkeys(map(str, unknown)))[:3]:
            self.wrong("cycle", f"没有班次“{one}”")
        return tuple(value)


def raw_of(plan: Plan) -> dict[str, Any]:
    """Return the JSON form of a plan, as `read_plan` reads it."""
    return {
        "shifts": [
            {"id": one.shift_id, "name": one.name, "hours": hours_text(one.spans)} for one in plan.shifts.values()
        ],
        "people": [{"id": one.person_id, "name": one.name} for one in plan.people.values()],
        "units": [
            {"id": one.unit_id, "name": one.name, "branch": one.branch, "up": one.up} for one in plan.units.values()
        ],
        "members": [
            {
                "unit": one.unit_id,
                "person": one.person_id,
                "rank": one.rank.value,
                "anchor": one.anchor.isoformat(),
                "cycle": list(one.cycle),
            }
            for members in plan.members.values()
            for one in members
        ],
    }
