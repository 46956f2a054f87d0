"""The sections of a policy in plain language: each change is told, and what a version does not have is left out."""

from __future__ import annotations

import tomllib
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dispatch.domain.policy_file import parse, read_toml
from dispatch.domain.policy_section_words import section_sentences
from dispatch.domain.policy_words import sentences

TOML = Path(__file__).parents[2] / "data" / "policy.toml"
RAW = read_toml(TOML.read_bytes())
NOW = datetime(2026, 11, 24, 6, 5, tzinfo=UTC)
# Which version it is stands in the list, not in the preview.
HEAD = {"version", "valid_from"}


def told(raw: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one.zh, one.en) for one in section_sentences(parse(raw), NOW)}


def changed(path: str, value: object) -> dict[str, Any]:
    raw = deepcopy(RAW)
    *way, last = path.split("/")
    there: Any = raw
    for key in way:
        there = there[int(key)] if key.isdecimal() else there[key]
    there[int(last) if last.isdecimal() else last] = value
    return raw


# A change of each section of the file, and how the preview names it.
CHANGES: list[tuple[str, object, str]] = [
    ("device_time_max_age_h", 48, "48 小时以内采信"),
    ("device_time_skew_s", 60, "快过服务器 60 秒"),
    ("case_note", "已核定", "说明: 已核定"),
    ("workdays/holidays/0", "2026-12-31", "2026 年放假: 01-02–01-03, 02-15–02-23"),
    ("hours/usual", ["09:00-17:00"], "工作时间: 09:00-17:00"),
    ("hours/branches", {"星沙": ["08:00-24:00"]}, "星沙的工作时间: 08:00-24:00"),
    ("surge/enter_calls", 180, "10 分钟内 180 个来电进入, 少于 100 个满 20 分钟退出"),
    ("surge/digest_every", "10 min", "每 10 分钟合成一条, P1 超时立即单发"),
    ("surge/at_once", [], "每 5 分钟合成一条"),
    ("surge/broadcast", "请并单", "大流量时广播: 请并单"),
    ("surge/public_text", "请稍候", "大流量时公众页: 请稍候"),
    ("surge/widen/most", 2.5, "P3, P4, P5 的接单、到场、完工, 至多 2.5 倍"),
    ("levels/P3/label", "普通", "P1 特急, P2 紧急, P3 普通"),
    ("ladders/normal/callback/0/to", ["area_lead"], "P3 回访时限: 100% 通知片区长"),
    ("categories/no_water/questions/0/text", "整栋?", "无水, 依次问: 整栋?"),
    ("categories/leak/questions/0/raise/equals", False, "影响交通吗? (答“否”升为 P1)"),
    ("categories/leak/questions/2/raise/equals", "flow", "水势多大? [drip/flow/jet] (答“flow”升为 P1)"),
    ("similar/categories/leak/threshold", 0.7, "漏水 (水表, 立管)疑似重复: 相似度 70% 起, 150 米内, 72 小时内"),
    ("similar/categories/repair/reach", "area", "报修疑似重复: 相似度 65% 起, 150 米内, 72 小时内, 影响一片区"),
    ("similar/families/water", ["quality"], "可能是同一问题 (water): 水质咨询"),
    ("similar/aspects/look/smell", ["腥"], "区分问题的用语 look/smell: 腥"),
    ("similar/local_aspects/what/lid", ["井"], "区分问题的用语 what/lid, 片区性问题不看: 井"),
    ("similar/alone", ["只有我"], "表示只有自己受影响的话: 只有我"),
    (
        "flags/school/raise/1/level",
        "P3",
        "学校 (重点用户): 无水、水质咨询至少 P1; 报修、水压不足至少 P3; 另通知分公司值班",
    ),
    ("flags/frail/notify", [], "老弱病残 (特殊困难用户): 报修、水压不足、水质咨询至少 P2"),
    ("outage/categories", ["no_water"], "停水公告范围内不派单: 无水"),
    ("reasons/extend", {"rain": "暴雨"}, "延期原因: 暴雨"),
    ("temporary/clamp/within", "2 wd", "临时处理“抱箍 (哈夫节) 临时止漏”: 后续工单 报修 P5, 2 个工作日内完成"),
]


@pytest.mark.parametrize(("path", "value", "words"), CHANGES)
def test_each_change_is_told(path: str, value: object, words: str) -> None:
    before, after = ({one.zh for one in sentences(parse(raw), NOW)} for raw in (RAW, changed(path, value)))
    new = after - before
    assert any(words in sentence for sentence in new), new


def test_no_section_is_left_out() -> None:
    assert {path.partition("/")[0] for path, _, _ in CHANGES} == set(tomllib.loads(TOML.read_text("utf-8"))) - HEAD


def test_what_a_version_does_not_have_is_left_out() -> None:
    raw = deepcopy(RAW)
    for name in ("case_note", "surge", "similar", "flags", "outage", "temporary"):
        del raw[name]
    del raw["reasons"]["extend"]
    raw["reasons"]["hold"] = {}
    for category in raw["categories"].values():
        category.pop("questions", None)
    new = told(raw) - told(RAW)
    assert new == {
        ("大流量: 只由人工开启和结束, 不合并通知", "Surge: begun and ended by hand alone, no digests"),
        ("延期没有原因编号, 写明理由即可", "An extension has no coded reasons: a note suffices"),
    }
    heads = {zh.partition(":")[0].partition(" ")[0] for zh, _ in told(raw)}
    assert heads == {
        "等级,",
        "手机离线时自己记的时间",
        "工作时间",
        "2026",
        "大流量",
        "延期没有原因编号,",
        "退单原因",
        "取消原因",
    }


def test_a_surge_may_widen_nothing_and_hours_may_have_no_end() -> None:
    raw = changed("surge/widen", {"levels": [], "clocks": [], "most": 1.0})
    del raw["hours"]
    zh = {zh for zh, _ in told(raw)}
    assert not any("可放宽" in one for one in zh)
    assert "工作时间: 00:00-24:00" in zh


def test_the_same_is_told_in_english() -> None:
    en = {en for _, en in told(RAW)}
    assert {
        "A phone's own time without signal is trusted for 24 h, and up to 120 s ahead of the server",
        "Surge: begins at 150 calls in 10 min, ends after 20 min below 100",
        "May be widened in a surge: accept, arrive, fix of P3, P4, P5, up to 3 times, by two people",
        "学校 (key account): 无水、水质咨询 at least P1; 报修、水压不足 at least P2; tells branch duty manager as well",
        "For now “抱箍 (哈夫节) 临时止漏”: a follow-up 报修 P5 within 5 working days",
    } <= en
