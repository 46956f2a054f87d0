"""Reading a policy: the shipped one is good, a wrong one is refused whole with the place of the mistake."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatch.domain.errors import InvalidPolicy
from dispatch.domain.policy import Span
from dispatch.domain.policy_file import parse, read_toml
from dispatch.domain.sla import ClockKind

TOML = Path(__file__).parents[2] / "data" / "policy.toml"
RAW = read_toml(TOML.read_bytes())
Spoil = Callable[[dict[str, Any]], object]


def test_the_shipped_policy_is_read() -> None:
    policy = parse(RAW)
    assert policy.version == "2026-11-01"
    assert policy.valid_from == datetime(2026, 10, 31, 16, 0, tzinfo=UTC)
    assert list(policy.levels) == ["P1", "P2", "P3", "P4", "P5"]
    assert [level.id for level in policy.levels.values()] == list(policy.levels)
    assert [category.id for category in policy.categories.values()] == list(policy.categories)
    assert policy.device_time_max_age_s == timedelta(hours=24).total_seconds()
    assert policy.device_time_skew_s == 120.0
    assert set(policy.reasons) == {"hold", "extend", "return", "cancel"}
    assert date(2026, 10, 1) in policy.calendars.workdays.holidays
    assert date(2026, 10, 10) in policy.calendars.workdays.extra
    assert policy.levels["P1"].limits[0].within == Span(5, "min")
    answers = [step.answer_within for step in policy.steps("P1", ClockKind.ARRIVE)]
    assert answers == [None, *[timedelta(minutes=5)] * 4]
    assert policy.categories["inquiry"].level is None
    strength = policy.categories["leak"].questions[2]
    assert strength.choices == ("drip", "flow", "jet")
    assert strength.raises is not None
    assert (strength.raises.equals, strength.raises.level) == ("jet", "P1")


def test_a_version_of_before_has_no_reasons_for_more_time() -> None:
    raw = deepcopy(RAW)
    del raw["reasons"]["extend"]
    assert parse(raw).reasons["extend"] == {}


def test_the_raw_form_survives_the_database() -> None:
    stored = json.loads(json.dumps(RAW, ensure_ascii=False))
    assert stored == RAW
    assert parse(stored) == parse(RAW)


def test_dates_and_times_become_text() -> None:
    assert read_toml(b"day = 2026-11-24\nwhen = [2026-11-24T14:05:00+08:00, 14:05:00]\n[deep]\nn = 1") == {
        "day": "2026-11-24",
        "when": ["2026-11-24T14:05:00+08:00", "14:05:00"],
        "deep": {"n": 1},
        "order": {},
    }


def test_the_order_of_the_file_survives_a_database_that_sorts_keys() -> None:
    raw = read_toml(TOML.read_bytes().replace(b"P1", b"urgent").replace(b"P5", b"a"))
    stored = json.loads(json.dumps(raw, sort_keys=True))
    assert next(iter(stored["levels"])) == "P2"
    policy = parse(stored)
    assert list(policy.levels) == ["urgent", "P2", "P3", "P4", "a"]
    assert [level.id for level in policy.levels.values()] == list(policy.levels)
    assert list(policy.categories) == list(parse(raw).categories)
    strength = policy.categories["leak"]
    assert policy.level_of(strength, {"strength": "jet"}) == "urgent"


def test_a_policy_kept_before_the_order_was_is_read() -> None:
    old = {key: value for key, value in RAW.items() if key != "order"}
    assert parse(old) == parse(RAW)


@pytest.mark.parametrize("data", [b"version = ", "版本 = 1".encode("gbk"), b"x = " + b"[" * 100_000])
def test_what_is_no_toml_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidPolicy, match="不是有效的 UTF-8 TOML"):
        read_toml(data)


def put(path: str, value: object) -> Spoil:
    """Set `value` at the dotted path; a number steps into a list."""

    def spoil(raw: dict[str, Any]) -> None:
        *way, last = path.split("/")
        there: Any = raw
        for key in way:
            there = there[int(key)] if key.isdecimal() else there[key]
        there[int(last) if last.isdecimal() else last] = value

    return spoil


def drop(path: str) -> Spoil:
    def spoil(raw: dict[str, Any]) -> None:
        *way, last = path.split("/")
        there: Any = raw
        for key in way:
            there = there[int(key)] if key.isdecimal() else there[key]
        del there[int(last) if last.isdecimal() else last]

    return spoil


REFUSED: list[tuple[Spoil, str]] = [
    # the frame
    (drop("version"), "version"),
    (put("version", 1), "version"),
    (drop("valid_from"), "valid_from"),
    (put("valid_from", "gestern"), "valid_from"),
    (put("valid_from", "2026-11-01T00:00:00"), "valid_from"),
    (drop("device_time_max_age_h"), "device_time_max_age_h"),
    (put("device_time_max_age_h", "24"), "device_time_max_age_h"),
    (put("device_time_skew_s", True), "device_time_skew_s"),
    (put("device_time_skew_s", 1.5), "device_time_skew_s"),
    (drop("workdays"), "workdays"),
    (drop("workdays/holidays"), "workdays.holidays"),
    (put("workdays/extra", "2026-01-04"), "workdays.extra"),
    (put("workdays/extra", ["2026-02-30"]), "workdays.extra"),
    (put("workdays/holidays", [20261001]), "workdays.holidays[0]"),
    (put("workdays/extra/0", "2026-10-10"), "workdays.extra"),
    (put("workdays/extra/0", "2026-10-01"), "workdays.extra"),
    (put("workdays/extra/0", "2029-01-06"), "workdays.holidays"),
    (put("hours", []), "hours"),
    (put("hours/usual", "08:30-17:30"), "hours.usual"),
    (put("hours/branches", []), "hours.branches"),
    *(
        (put("hours/usual", spans), "hours.usual")
        for spans in (
            [],
            ["8:30-12:00"],
            ["08:30–12:00"],
            ["08:60-12:00"],
            ["12:00-08:30"],
            ["08:30-08:30"],
            ["08:30-12:00", "11:59-17:30"],
            ["08:30-12:00", "12:00-17:30"],
            ["13:30-17:30", "08:30-12:00"],
            ["08:30-24:01"],
            [f"{hour:02d}:00-{hour:02d}:30" for hour in range(7)],
        )
    ),
    (put("hours/branches/城南", ["08:00"]), "hours.branches.城南"),
    # reasons
    (drop("reasons"), "reasons"),
    (drop("reasons/return"), "reasons.return"),
    (put("reasons/hold/wait_user", 5), "reasons.hold.wait_user"),
    # ladders
    (drop("ladders"), "ladders"),
    (put("ladders/normal", []), "ladders.normal"),
    (put("ladders/normal/lunch", []), "ladders.normal.lunch"),
    (put("ladders/normal/ack", {}), "ladders.normal.ack"),
    (put("ladders/normal/ack", []), "ladders.normal.ack"),
    (put("ladders/normal/ack", ["1.0"]), "ladders.normal.ack[0]"),
    (put("ladders/normal/ack/0/at", 1), "ladders.normal.ack[0].at"),
    (drop("ladders/normal/ack/0/to"), "ladders.normal.ack[0].to"),
    (put("ladders/normal/ack/0/to", "crew"), "ladders.normal.ack[0].to"),
    (put("ladders/normal/fix/1/to", ["crew", 7]), "ladders.normal.fix[1].to[1]"),
    (drop("ladders/normal/ack/0/label"), "ladders.normal.ack[0].label"),
    (put("ladders/emergency/fix/2/opens_supervision", "yes"), "ladders.emergency.fix[2].opens_supervision"),
    (put("ladders/normal/ack/0/at", 0.9), "ladders.normal.ack"),
    (put("ladders/normal/fix/0/at", 1.0), "ladders.normal.fix"),
    (put("ladders/normal/fix/0/at", 1.2), "ladders.normal.fix"),
    (put("ladders/normal/fix/0/at", 0.0), "ladders.normal.fix"),
    (put("ladders/normal/fix/0/at", -0.5), "ladders.normal.fix"),
    (put("ladders/normal/fix/0/at", float("nan")), "ladders.normal.fix"),
    (put("ladders/normal/fix/2/at", float("inf")), "ladders.normal.fix"),
    (put("ladders/normal/fix/2/at", 100.1), "ladders.normal.fix"),
    # levels
    (drop("levels"), "levels"),
    (put("levels/P1", []), "levels.P1"),
    (drop("levels/P1/ladder"), "levels.P1.ladder"),
    (put("levels/P1/ladder", "steep"), "levels.P1.ladder"),
    (drop("levels/P1/label"), "levels.P1.label"),
    (drop("levels/P1/limits"), "levels.P1.limits"),
    (put("levels/P1/limits", []), "levels.P1"),
    (put("levels/P1/limits/0", "ack"), "levels.P1.limits[0]"),
    (drop("levels/P3/limits/0"), "levels.P3"),
    (drop("levels/P4/limits/2"), "levels.P4"),
    (drop("ladders/normal/callback"), "levels.P3"),
    (drop("ladders/emergency/isolate"), "levels.P1"),
    (put("levels/P3/limits/3/area", "outside"), "levels.P3"),
    (put("levels/P3/limits/3/area", "in_circle"), "levels.P3"),
    (put("levels/P3/limits/2/categories", ["noise"]), "levels.P3"),
    (put("levels/P3/limits/0/dn_min", 100), "levels.P3"),
    # limits
    (put("levels/P1/limits/1/clock", "lunch"), "levels.P1.limits[1].clock"),
    (drop("levels/P1/limits/1/clock"), "levels.P1.limits[1].clock"),
    (drop("levels/P1/limits/1/within"), "levels.P1.limits[1].within"),
    *(
        (put("ladders/normal/ack/0/answer", answer), "ladders.normal.ack[0].answer")
        for answer in ("5", "0 min", "1 wd", "8 wh", "appointment", 5)
    ),
    (drop("levels/P1/limits/1/basis"), "levels.P1.limits[1].basis"),
    (put("levels/P1/limits/1/area", "moon"), "levels.P1.limits[1].area"),
    (put("levels/P1/limits/1/area", 5), "levels.P1.limits[1].area"),
    (put("levels/P1/limits/5/dn_min", "150"), "levels.P1.limits[5].dn_min"),
    (put("levels/P1/limits/5/dn_max", 499.5), "levels.P1.limits[5].dn_max"),
    (put("levels/P1/limits/3/categories", "burst"), "levels.P1.limits[3].categories"),
    (put("levels/P1/limits/3/categories", ["burst", 5]), "levels.P1.limits[3].categories[1]"),
    (put("levels/P1/limits/3/categories", ["brust"]), "levels.P1.limits[3].categories"),
    *(
        (put("levels/P1/limits/0/within", within), "levels.P1.limits[0].within")
        for within in ("5", "min", "5 d", "0 min", "-5 min", "5.5 h", " 5 min", "5  min", "99999 h", "9" * 5000 + " h")
    ),
    # categories
    (drop("categories"), "categories"),
    (put("categories/burst", "P1"), "categories.burst"),
    (drop("categories/burst/level"), "categories.burst.level"),
    (put("categories/burst/level", "P9"), "categories.burst.level"),
    (drop("categories/burst/label"), "categories.burst.label"),
    (put("categories/inquiry/opens_ticket", "no"), "categories.inquiry.opens_ticket"),
    (put("categories/leak/questions", {}), "categories.leak.questions"),
    (put("categories/leak/questions/0", "?"), "categories.leak.questions[0]"),
    (drop("categories/leak/questions/0/id"), "categories.leak.questions[0].id"),
    (drop("categories/leak/questions/1/text"), "categories.leak.questions[1].text"),
    (put("categories/leak/questions/2/choices", "jet"), "categories.leak.questions[2].choices"),
    (put("categories/leak/questions/2/choices", [1]), "categories.leak.questions[2].choices[0]"),
    (put("categories/leak/questions/2/raise", "P1"), "categories.leak.questions[2].raise"),
    (drop("categories/leak/questions/2/raise/level"), "categories.leak.questions[2].raise.level"),
    (put("categories/leak/questions/2/raise/level", "P0"), "categories.leak.questions[2].raise.level"),
    (drop("categories/leak/questions/2/raise/equals"), "categories.leak.questions[2].raise.equals"),
    (put("categories/leak/questions/2/raise/equals", True), "categories.leak.questions[2].raise.equals"),
    (put("categories/leak/questions/2/raise/equals", "flood"), "categories.leak.questions[2].raise.equals"),
    (put("categories/leak/questions/0/raise/equals", "jet"), "categories.leak.questions[0].raise.equals"),
    # customer flags
    (put("flags", []), "flags"),
    (put("flags/hospital/group", "vip"), "flags.hospital.group"),
    (put("flags/hospital/notify", "branch_duty"), "flags.hospital.notify"),
    (drop("flags/hospital/basis"), "flags.hospital.basis"),
    (put("flags/hospital/raise/0/level", "P0"), "flags.hospital.raise[0].level"),
    (put("flags/hospital/raise/0/categories", ["ghosts"]), "flags.hospital.raise[0].categories"),
]


@pytest.mark.parametrize(("spoil", "field"), REFUSED, ids=[f"{n}-{field}" for n, (_, field) in enumerate(REFUSED)])
def test_a_wrong_policy_is_refused_with_the_place(spoil: Spoil, field: str) -> None:
    raw = deepcopy(RAW)
    spoil(raw)
    with pytest.raises(InvalidPolicy) as caught:
        parse(raw)
    assert caught.value.field == field
    assert caught.value.detail


def test_a_policy_from_before_there_were_flags_has_none() -> None:
    assert list(parse(RAW).flags) == ["dialysis", "frail", "hospital", "school", "hotel", "factory"]
    assert parse({key: value for key, value in RAW.items() if key != "flags"}).flags == {}


def test_promises_may_be_split_by_area() -> None:
    raw = deepcopy(RAW)
    limits = raw["levels"]["P3"]["limits"]
    limits[0] |= {"area": "in_circle"}
    limits.append({"clock": "ack", "within": "45 min", "basis": "郊区", "area": "outside"})
    assert {limit.within.amount for limit in parse(raw).levels["P3"].limits if limit.clock is ClockKind.ACK} == {30, 45}


def test_the_edges_that_are_allowed() -> None:
    raw = deepcopy(RAW)
    put("ladders/normal/fix/2/at", 100.0)(raw)
    put("levels/P4/limits/0/within", "9999 min")(raw)
    put("categories/burst/opens_ticket", True)(raw)
    policy = parse(raw)
    assert policy.steps("P4", ClockKind.FIX)[-1].ratio == 100.0
    assert policy.levels["P4"].limits[0].within == Span(9999, "min")
    assert policy.categories["burst"].level == "P1"


# ---------------------------------------------------------------- duplicates


def test_a_version_from_before_there_were_duplicates_suggests_nothing() -> None:
    old = {key: value for key, value in RAW.items() if key != "similar"}
    assert parse(old).similar.categories == {}
    assert "complaint" not in parse(RAW).similar.categories


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        (lambda raw: raw.update(similar=1), "similar"),
        (lambda raw: raw["similar"].pop("families"), "similar.families"),
        (
            lambda raw: raw["similar"]["categories"].update(swimming=raw["similar"]["categories"]["leak"]),
            "similar.categories",
        ),
        (lambda raw: raw["similar"]["families"].update(pipe=["leak", "complaint"]), "similar.families.pipe"),
        (lambda raw: raw["similar"]["categories"]["leak"].update(threshold=1), "similar.categories.leak.threshold"),
        (lambda raw: raw["similar"]["categories"]["leak"].update(threshold=1.1), "similar.categories.leak.threshold"),
        (lambda raw: raw["similar"]["categories"]["leak"].update(within_m=0), "similar.categories.leak.within_m"),
        (lambda raw: raw["similar"]["categories"]["leak"].update(within_m=2001), "similar.categories.leak.within_m"),
        (lambda raw: raw["similar"]["categories"]["leak"].update(within_h=721), "similar.categories.leak.within_h"),
        (lambda raw: raw["similar"]["categories"]["leak"].update(reach="city"), "similar.categories.leak.reach"),
        (lambda raw: raw["similar"]["categories"]["leak"].pop("basis"), "similar.categories.leak.basis"),
        (lambda raw: raw["similar"]["categories"]["leak"].update(implies=["fire"]), "similar.categories.leak.implies"),
        (lambda raw: raw["similar"].update(alone=["只有我", " "]), "similar.alone"),
        (lambda raw: raw["similar"]["local_aspects"]["where"].update(home=[""]), "similar.local_aspects.where.home"),
        (lambda raw: raw["similar"]["aspects"].update(look=["黄"]), "similar.aspects.look"),
    ],
)
def test_what_is_wrong_about_duplicates_is_named(spoil: Spoil, field: str) -> None:
    raw = deepcopy(RAW)
    spoil(raw)
    with pytest.raises(InvalidPolicy) as caught:
        parse(raw)
    assert caught.value.field == field


def test_a_policy_without_surges_is_read() -> None:
    assert parse({key: value for key, value in RAW.items() if key != "surge"}).surge is None
    bare = {key: value for key, value in RAW["surge"].items() if key != "widen"}
    surge = parse({**RAW, "surge": bare}).surge
    assert surge is not None
    assert (surge.levels, surge.clocks, surge.most) == ((), (), 1.0)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("surge/leave_calls", 150, "surge.leave_calls"),
        ("surge/leave_calls", 0, "surge.leave_calls"),
        ("surge/window", "1 wd", "surge.window"),
        ("surge/calm", "bald", "surge.calm"),
        ("surge/at_once/0", "P9", "surge.at_once"),
        ("surge/widen/levels/0", "P9", "surge.widen.levels"),
        ("surge/widen/clocks/0", "isolate", "surge.widen.clocks"),
        ("surge/widen/most", 3, "surge.widen.most"),
        ("surge/basis", None, "surge.basis"),
    ],
)
def test_wrong_surges_are_refused_with_the_place(path: str, value: object, field: str) -> None:
    raw = deepcopy(RAW)
    put(path, value)(raw)
    with pytest.raises(InvalidPolicy) as refused:
        parse(raw)
    assert refused.value.field == field


def test_an_answer_is_asked_for_within_minutes_or_hours() -> None:
    raw = deepcopy(RAW)
    put("ladders/normal/ack/0/answer", "2 h")(raw)
    assert parse(raw).steps("P3", ClockKind.ACK)[0].answer_within == timedelta(hours=2)
