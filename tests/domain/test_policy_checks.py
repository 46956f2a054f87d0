"""A policy that can be read and is wrong all the same; what comes over the network; and a policy in plain language."""

import json
from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatch.domain import sla
from dispatch.domain.dry_run import Count, Past
from dispatch.domain.errors import InvalidPolicy
from dispatch.domain.policy import Area
from dispatch.domain.policy_checks import Problem, check, form, read
from dispatch.domain.policy_file import parse, read_toml
from dispatch.domain.policy_section_words import Sentence
from dispatch.domain.policy_words import sentences
from dispatch.domain.sla import Clock, ClockKind

TOML = Path(__file__).parents[2] / "data" / "policy.toml"
RAW = read_toml(TOML.read_bytes())
NOW = datetime(2026, 11, 24, 6, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def spoiled(path: str, value: object) -> dict[str, Any]:
    raw = deepcopy(RAW)
    *way, last = path.split("/")
    there: Any = raw
    for key in way:
        there = there[int(key)] if key.isdecimal() else there[key]
    there[int(last) if last.isdecimal() else last] = value
    return raw


def test_the_shipped_policy_has_nothing_wrong() -> None:
    policy, problems = read(RAW)
    assert problems == ()
    assert policy == parse(RAW) == check(RAW)


@pytest.mark.parametrize(
    ("path", "value", "field", "detail"),
    [
        ("levels/P3/limits/2/within", "3 h", "levels.P3.limits[2].within", "P3 完工 (3 h) 早于到场 (4 h)"),
        ("levels/P1/limits/1/within", "4 min", "levels.P1.limits[1].within", "P1 到场 (4 min) 早于接单 (5 min)"),
        ("levels/P4/limits/0/within", "-2 h", "levels.P4.limits[0].within", "应写成"),
        ("ladders/normal/ack/0/to", [], "ladders.normal.ack[0].to", "没有通知任何人"),
        ("ladders/emergency/fix/2/to", ["boss"], "ladders.emergency.fix[2].to", "没有这样的通知对象: boss"),
        ("reasons/extend/bad_weather", " ", "reasons.extend.bad_weather", "缺少名称"),
        ("reasons/hold/雨", "下雨", "reasons.hold", "编号“雨”重复或写法不对"),
        ("surges", {}, "surges", "没有这一节; 可选: version"),
        ("reasons/extends", {}, "reasons.extends", "没有这一类原因; 可选: hold, extend, return, cancel"),
        ("workdays/extra/0", "2026-10-10", "workdays.extra", "2026-10-10 重复"),
        ("workdays/extra/0", "2028-01-08", "workdays.holidays", "缺少 2027 年的放假安排"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(path: str, value: object, field: str, detail: str) -> None:
    _, problems = read(spoiled(path, value))
    assert [problem.field for problem in problems] == [field]
    assert detail in problems[0].detail
    with pytest.raises(InvalidPolicy) as caught:
        check(spoiled(path, value))
    assert caught.value.field == field
    assert [one["field"] for one in caught.value.extra["problems"]] == [field]


def test_a_version_without_reasons_for_more_time_may_be_published() -> None:
    raw = deepcopy(RAW)
    del raw["reasons"]["extend"]
    assert read(raw)[1] == ()


def test_all_of_it_is_named_at_once() -> None:
    raw = spoiled("ladders/normal/ack/0/to", [])
    raw["levels"]["P3"]["limits"][2]["within"] = "3 h"
    raw["reasons"]["extend"]["rain"] = "恶劣天气"
    del raw["reasons"]["cancel"]["test"]
    fields = [problem.field for problem in read(raw)[1]]
    assert fields[-2:] == ["reasons.extend.bad_weather", "reasons.extend.rain"]
    assert len(fields) == 4
    assert read({}) == (None, (Problem("ladders", "政策文件的 ladders 缺失或类型不对 (应为 dict)"),))


# ---------------------------------------------------------------- over the network


def test_a_form_comes_back_from_a_browser_as_it_was() -> None:
    """In JSON 1.0 is 1, and a database may have sorted the keys."""
    told = json.loads(json.dumps(RAW, sort_keys=True).replace("1.0,", "1,").replace("2.0,", "2,"))
    assert told["ladders"]["normal"]["ack"][0]["at"] == 1
    assert form(told, RAW["version"], RAW["valid_from"]) == RAW


def test_what_is_new_comes_after_what_is_known() -> None:
    told = deepcopy(RAW)
    told["categories"] = {"flood": {"label": "内涝", "level": "P2"}, **told["categories"]}
    made = form(told, "new", NOW.isoformat())
    assert made["order"]["categories"] == [*RAW["order"]["categories"], "flood"]
    assert (made["version"], made["valid_from"]) == ("new", NOW.isoformat())
    assert form({**told, "order": [1]}, "new", "")["order"]["categories"][0] == "flood"
    assert form({**told, "order": {"categories": "x"}}, "new", "")["order"]["categories"][0] == "flood"
    assert form({"levels": 5}, "new", "")["order"] == {}


@pytest.mark.parametrize(
    "value",
    ["\x00", "\ud800", "长" * 2001, float("nan"), float("inf"), 10**7, [[[[[[[[[[[[[1]]]]]]]]]]]]], [0] * 20_001],
    ids=["nul", "surrogate", "long", "nan", "inf", "large", "deep", "many"],
)
def test_no_policy_looks_like_this(value: object) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        form({"x": value}, "new", "")
    assert caught.value.field == "policy"


# ---------------------------------------------------------------- plain language


def test_promises_are_told_in_plain_language() -> None:
    told = sentences(parse(RAW), NOW)
    assert told[0] == Sentence(
        "P1 爆管, 城区: 5 分钟接单, 30 分钟到场, 4 小时止水, 24 小时完工, 2 小时回访, "
        "DN150–499 36 小时完工, DN≥500 48 小时完工",
        "P1 爆管, in the circle: accept in 5 min, arrive in 30 min, isolate in 4 h, fix in 24 h, call back in 2 h, "
        "DN150–499 fix in 36 h, DN≥500 fix in 48 h",
    )
    zh = [sentence.zh for sentence in told]
    assert "P3 水压不足: 30 分钟接单, 4 小时到场, 48 小时完工, 1 个工作日回访" in zh
    assert "P5 报装: 1 个工作日接单, 按预约到场, 5 个工作日完工, 1 个工作日回访" in zh
    assert "咨询: 不生成工单" in zh
    next_zh, next_en = ", 30 分钟内无人应答则通知下一位", ", the next one after 30 min without an answer"
    steps = (
        f"80% 通知水管家、调度 (仍可挽回{next_zh}); 100% 通知片区长、调度 (到场超时{next_zh}); "
        f"200% 通知分公司值班 (报分公司值班{next_zh})"
    )
    assert f"P3 到场时限: {steps}" in zh
    steps = (
        f"80% tells crew, dispatcher{next_en}; 100% tells area lead, dispatcher{next_en}; "
        f"200% tells branch duty manager{next_en}"
    )
    assert f"P3 arrive clock: {steps}" in [sentence.en for sentence in told]
    assert any("50% 通知水管家 (提醒到场); 80%" in sentence for sentence in zh)  # a reminder asks for no answer
    assert zh[-1] == "注意: 2027 年放假安排未知, 工作日按周一至周五计算, 请补充假日表"


def test_thin_pipes_working_hours_and_strangers_have_words_too() -> None:
    raw = spoiled("levels/P1/limits/5", {"clock": "fix", "within": "8 wh", "dn_max": 149, "basis": ""})
    raw["levels"]["P4"]["limits"][0]["within"] = "1 wh"
    raw["ladders"]["normal"]["ack"][0]["to"] = ["boss"]
    told = sentences(parse(raw), NOW)
    assert "DN≤149 8 个工作小时完工" in told[0].zh
    assert "DN≤149 fix in 8 working hours" in told[0].en
    assert any("accept in 1 working hour," in sentence.en for sentence in told)
    assert any("tells boss" in sentence.en for sentence in told)


# ---------------------------------------------------------------- dry run


def past(kind: ClockKind, due: float, met: float | None, **changes: Any) -> Past:
    """A clock of a P2 leak, by minutes before now; it began two hours ago."""
    start = NOW - 120 * MINUTE
    clock = sla.start(kind, 1, start, start + due * MINUTE)
    if met is not None:
        clock = sla.meet(clock, start + met * MINUTE, NOW)
    told: dict[str, Any] = {"level": "P2", "category": "leak", "area": Area.IN_CIRCLE, "pipe_dn": None}
    return Past(**{"clock": clock, "branch": "城南", "appointment_at": None, **told, **changes})


def counted(raw: dict[str, Any], *clocks: Past) -> tuple[int, int]:
    count = Count()
    count.add(clocks, parse(raw), NOW)
    assert count.clocks == len(clocks)
    return count.before.total(), count.after.total()


def test_a_longer_limit_breaks_less_and_a_shorter_one_more() -> None:
    clocks = [past(ClockKind.ARRIVE, 30, met) for met in (20, 29, 35, 41, None)]
    assert counted(RAW, *clocks) == (3, 3)
    assert counted(spoiled("levels/P2/limits/1/within", "40 min"), *clocks) == (3, 2)
    assert counted(spoiled("levels/P2/limits/1/within", "25 min"), *clocks) == (3, 4)


def test_what_pauses_and_extensions_moved_stays_moved() -> None:
    moved = past(ClockKind.FIX, 90, None)
    clock: Clock = sla.extend(moved.clock, moved.clock.due_at + 60 * MINUTE)
    held = Past(**{name: getattr(moved, name) for name in Past.__slots__} | {"clock": clock})
    assert counted(spoiled("levels/P2/limits/3/within", "50 min"), held) == (0, 1)
    assert counted(spoiled("levels/P2/limits/3/within", "70 min"), held) == (0, 0)


def test_what_the_policy_does_not_know_counts_as_it_was() -> None:
    strange = past(ClockKind.ARRIVE, 30, 35, level="P9")
    isolate = past(ClockKind.ISOLATE, 30, 35)
    gone = past(ClockKind.ARRIVE, 30, None)
    void = Past(**{name: getattr(gone, name) for name in Past.__slots__} | {"clock": sla.void(gone.clock, NOW)})
    unbound = past(ClockKind.ARRIVE, 30, 35, level="P5", category="install")  # due at an appointment, which it has not
    count = Count()
    count.add([strange, isolate, void, unbound], parse(spoiled("levels/P2/limits/1/within", "600 min")), NOW)
    assert count.before == count.after
    assert count.after == Counter(
        {
            ("P9", ClockKind.ARRIVE): 1,
            ("P2", ClockKind.ISOLATE): 1,
            ("P2", ClockKind.ARRIVE): 1,
            ("P5", ClockKind.ARRIVE): 1,
        }
    )
