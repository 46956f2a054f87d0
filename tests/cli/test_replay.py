"""replay: counts made by hand, every row accounted for, and runs that stop, repeat or are refused."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result
from sqlalchemy import create_engine

from dispatch.cli import call_rows
from dispatch.domain.call import NewCall
from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import Actor
from dispatch.domain.settings import Settings
from dispatch.domain.states import Verb
from dispatch.services import bootstrap, intake, supervision
from dispatch.services.actions import Action
from dispatch.services.desk import Desk
from dispatch.storage.db import Store
from tests.cli.files import IN_A, IN_B, run, write, write_zones

Told = dict[str, Any]
HEADER = "external_id,called_at,closed_at,category,text,address,lon,lat,answer\n"
A, B = ",".join(IN_A), ",".join(IN_B)
# A Monday in March 2024; times are Shanghai's.
DAY = f"""\
c1,2024-03-04 09:00,2024-03-04 09:08,WATER LEAK,HEAVY FLOW,甲路 1 号,{A},
c2,2024-03-04 09:00,,水费水表,偏高,,,,
c1,2024-03-04 09:00,2024-03-04 09:08,WATER LEAK,HEAVY FLOW,甲路 1 号,{A},
c1,2024-03-04 09:00,2024-03-04 09:08,WATER LEAK,SLOW LEAK,甲路 1 号,{A},
c3,2024-03-04 09:05,,咨询,营业时间,,,,八点到五点
c4,yesterday,,漏水,,乙路,{B},
c5,2024-03-04 09:00,,漏水,,乙路,east,28.15,
c6,2024-03-04 09:20,2024-03-04 10:00,Water System,No Water (WNW),乙路 2 号,{B},不用
c7,2024-03-04 09:30,,停水,,,,,
"""


def replay(folder: Path, text: str, *more: object) -> tuple[Result, Told]:
    source, report = write(folder, text), folder / "report.json"
    report.unlink(missing_ok=True)
    result = run(folder, "replay", source, "--zones", write_zones(folder), "--report", report, *more)
    return result, json.loads(report.read_bytes()) if report.exists() else {}


def sums_up(told: Told) -> bool:
    parts = ("tickets", "attached", "answered", "repeats", "not_reached")
    return bool(told["rows"] == sum(told[part] for part in parts) + len(told["errors"]))


def test_a_morning_counted_by_hand(tmp_path: Path) -> None:
    """c1 is in time; c2 has no place and nobody; c6 is 40 minutes from call to closing, with 30 to arrive in."""
    result, told = replay(tmp_path, HEADER + DAY)
    assert result.exit_code == 1, result.output
    assert (told["rows"], told["tickets"], told["answered"], told["repeats"], len(told["errors"])) == (9, 3, 1, 1, 4)
    assert sums_up(told)
    assert told["statuses"] == {"done": 2, "received": 1}
    assert told["route_status"] == {"routed": 2, "unlocated": 1}
    assert told["zones"] == {"a": 1, "-": 1, "b": 1}
    met_and_breached = {kind: (counts["met"], counts["breached"]) for kind, counts in told["clocks"].items()}
    # The file names no telephone numbers: nobody can be called back, and nobody promises it.
    assert met_and_breached == {"ack": (1, 2), "arrive": (1, 1), "fix": (2, 1)}
    steps = {(step["clock"], step["ratio"]): step["count"] for step in told["escalations"]}
    assert {key: count for key, count in steps.items() if key[0] == "arrive"} == {
        ("arrive", 0.5): 1, ("arrive", 0.8): 1, ("arrive", 1.0): 1,
    }  # fmt: skip
    assert sum(step["count"] for step in told["escalations"] if step["clock"] == "ack") == 2
    assert {ratio for clock, ratio in steps if clock == "fix"} == {0.8, 1.0, 2.0}
    assert told["lateness_s"] == {"steps": 8, "max": 0.0, "p99": 0.0}
    assert (told["merges"], told["sweep_errors"], told["is_complete"]) == (0, [], True)
    # c2, in three working days from Monday 09:00; twice that wall time ends the ladder on Sunday 09:00.
    assert told["ended_at"] == "2024-03-10T01:00:00+00:00"


def test_every_error_names_row_column_and_reason(tmp_path: Path) -> None:
    result, told = replay(tmp_path, HEADER + DAY)
    assert [(error["row"], error["column"]) for error in told["errors"]] == [
        (5, "external_id"), (7, "called_at"), (8, "lon"), (10, "address"),
    ]  # fmt: skip
    reasons = [error["reason"] for error in told["errors"]]
    assert "另一份内容" in reasons[0]
    assert "时间“yesterday”无法识别" in reasons[1]
    assert reasons[2] == "经度“east”不是数字"
    assert "请给出位置" in reasons[3]
    assert "行 9 = 工单 3 + 并入 0 + 答复 1 + 重复 1 + 错误 4" in result.stdout
    assert "列 lon: 经度“east”不是数字: 1 行: 第 8 行" in result.stdout


def test_categories_are_counted_by_what_they_were_taken_for(tmp_path: Path) -> None:
    rows = "\n".join(
        f"x{n},2024-03-04 09:00,,{said},,甲路,{A}," for n, said in enumerate(["Graffiti", "NOISE", "爆管了"])
    )
    _, told = replay(tmp_path, HEADER + rows)
    assert [(line["said"], line["category"], line["found_by"]) for line in told["categories"]] == [
        ("Graffiti", "other", "未识别"), ("NOISE", "noise", "名称"), ("爆管了", "burst", "含“爆管”"),
    ]  # fmt: skip
    assert told["default_category"] == "other"


def test_a_table_of_words_replaces_the_built_in_one(tmp_path: Path) -> None:
    words = write(tmp_path, "words,category\ngraffiti,complaint\n", "words.csv")
    _, told = replay(tmp_path, f"{HEADER}x,2024-03-04 09:00,,Graffiti,,甲路,{A},\n", "--category-map", words)
    assert told["categories"][0]["category"] == "complaint"
    for text, reason in (
        ("words,category\nx,nothing\n", "未知的诉求类别“nothing”"),
        ("words,category\n,leak\n", "第 2 行"),
    ):
        bad = write(tmp_path, text, "words.csv")
        result, _ = replay(tmp_path, HEADER + DAY, "--category-map", bad)
        assert (result.exit_code, reason in result.stderr) == (2, True)


def test_columns_are_mapped_by_hand_where_their_names_are_others(tmp_path: Path) -> None:
    text = f"nr,when,what,e,n\n1,2024-03-04 09:00,漏水,{A}\n"
    refused, _ = replay(tmp_path, text)
    assert refused.exit_code == 2
    assert "文件里的列: nr, when, what, e, n; 请用 --map 列名=called_at 指定" in refused.stderr
    pairs = ("nr=cti_call_id", "when=called_at", "what=category", "e=lon", "n=lat")
    result, told = replay(tmp_path, text, *(word for pair in pairs for word in ("--map", pair)))
    assert (result.exit_code, told["zones"]) == (0, {"a": 1})
    for pair in ("when", "when=nothing", "nowhere=lon"):
        assert replay(tmp_path, text, "--map", "when=called_at", "--map", pair)[0].exit_code == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
def test_chinese_columns_quoted_newlines_and_encodings(tmp_path: Path, encoding: str) -> None:
    text = f'来电时间,类别,描述,经度,纬度\n2024/3/4 9:00,漏水,"水表\n漏水",{A}\n2024/3/4 9:01,漏水,又,{A},多\n'
    write(tmp_path, text, encoding=encoding)
    source, report = tmp_path / "in.csv", tmp_path / "report.json"
    result = run(tmp_path, "replay", source, "--zones", write_zones(tmp_path), "--report", report)
    told = json.loads(report.read_bytes())
    assert (result.exit_code, told["tickets"]) == (1, 1)
    assert told["errors"] == [{"row": 3, "column": None, "reason": "有 6 格, 应为 5 格"}]


def test_a_quote_that_swallows_other_rows_is_refused_with_its_row(tmp_path: Path) -> None:
    source = write(tmp_path, f'called_at,category,lon,lat\n2024-03-04 9:00,"漏水,{A}\n2024-03-04 9:01,漏水,{A}\n')
    result = run(tmp_path, "replay", source, "--zones", write_zones(tmp_path))
    assert (result.exit_code, "第 2 行 (文件第 2 行) 的引号没有配对" in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2018-06-26T14:58:54Z", "14:58:54"),
        ("2018-06-26T10:58:54+08:00", "02:58:54"),
        ("2018-06-26 10:58", "14:58:00"),
        ("06/26/2018 10:58:54 PM", "02:58:54"),
        ("06/26/2018 10:58", "14:58:00"),
        ("2018/6/26 10:58", "14:58:00"),
    ],
)
def test_times_are_read_as_they_are_written(text: str, hour: str) -> None:
    assert f"{call_rows.parse_time(text, ZoneInfo('America/New_York'), 'called_at'):%H:%M:%S}" == hour


@pytest.mark.parametrize("text", ["", "2018-06-26", "20180626", "26/06/2018 10:58", "0001-01-01T00:00:00+08:00"])
def test_times_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        call_rows.parse_time(text, UTC, "called_at")


def test_a_zone_is_given_and_must_exist(tmp_path: Path) -> None:
    text = f"called_at,category,lon,lat\n06/26/2018 10:58:54 AM,漏水,{A}\n"
    assert replay(tmp_path, text, "--tz", "America/New_York")[1]["first_call_at"] == "2018-06-26T14:58:54+00:00"
    assert replay(tmp_path, text)[1]["first_call_at"] == "2018-06-26T02:58:54+00:00"
    assert replay(tmp_path, text, "--tz", "Mars/Base")[0].exit_code == 2


def test_calls_of_the_future_and_of_the_far_past_are_errors(tmp_path: Path) -> None:
    rows = "".join(f"漏水,{year}-03-04 09:00,{A}\n" for year in (1950, 2024, 9998))
    _, told = replay(tmp_path, f"category,called_at,lon,lat\n{rows}")
    assert [(error["row"], error["column"]) for error in told["errors"]] == [(2, "called_at"), (4, "called_at")]


def test_a_closing_that_cannot_be_is_told_and_the_ticket_stays(tmp_path: Path) -> None:
    closings = ("2024-03-04 08:00", "soon", "9998-03-04 09:00")
    rows = "".join(f"2024-03-04 09:00,{closed},漏水,甲路,{A}\n" for closed in closings)
    lost = "2024-03-04 09:00,2024-03-04 09:30,漏水,甲路,,\n"
    result, told = replay(tmp_path, f"called_at,closed_at,category,address,lon,lat\n{rows}{lost}")
    assert (result.exit_code, told["tickets"], told["closed_by_file"]) == (0, 4, 0)
    assert [(remark["row"], remark["column"]) for remark in told["remarks"]] == [
        (2, "closed_at"), (3, "closed_at"), (4, "closed_at"), (5, "closed_at"),
    ]  # fmt: skip
    assert "没有班组" in told["remarks"][3]["reason"]


def test_who_arrives_at_the_very_moment_of_a_step_is_in_time(tmp_path: Path) -> None:
    head = f"caller_phone,{HEADER}"
    _, told = replay(tmp_path, f"{head}13000000001,x,2024-03-04 09:00,2024-03-04 09:10,漏水,,甲路,{A},\n")
    assert told["clocks"]["ack"] == {"met": 1, "breached": 0, "running": 0, "void": 0}
    assert {step["clock"] for step in told["escalations"]} == {"callback"}


def test_the_horizon_leaves_clocks_running(tmp_path: Path) -> None:
    _, told = replay(tmp_path, f"{HEADER}x,2024-03-04 09:00,,漏水,,甲路,{A},\n", "--horizon-days", "0")
    assert {kind: counts["running"] for kind, counts in told["clocks"].items()} == {"ack": 1, "arrive": 1, "fix": 1}


def test_a_second_run_on_the_same_database_only_repeats(tmp_path: Path, empty_url: str) -> None:
    anonymous = f",2024-03-04 09:40,,漏水,,甲路,{A},\n"
    _, first = replay(tmp_path, HEADER + DAY + anonymous, "--database", empty_url)
    _, second = replay(tmp_path, HEADER + DAY + anonymous, "--database", empty_url)
    assert (first["tickets"], second["tickets"], second["repeats"]) == (4, 0, 6)
    assert sums_up(second)
    assert all(second[name] == first[name] for name in ("clocks", "escalations", "statuses", "errors"))


def test_a_report_counts_its_own_tickets_only(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'replay.db'}"
    replay(tmp_path, HEADER + DAY, "--database", url)
    head = f"caller_phone,{HEADER}"
    _, told = replay(
        tmp_path, f"{head}13000000001,y,2024-03-05 09:00,2024-03-05 09:05,漏水,,甲路,{A},\n", "--database", url
    )
    assert (told["tickets"], told["statuses"], told["lateness_s"]["steps"]) == (1, {"done": 1}, 2)


def test_without_a_report_file_the_summary_is_all(tmp_path: Path) -> None:
    result = run(tmp_path, "replay", write(tmp_path, HEADER + DAY), "--zones", write_zones(tmp_path))
    assert (result.exit_code, "升级 8 步" in result.stdout) == (1, True)


def test_ctrl_c_ends_with_a_partial_report_and_the_next_run_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'replay.db'}"
    real = intake.register

    def interrupted(*args: Any) -> intake.Receipt:
        os.kill(os.getpid(), signal.SIGINT)
        return real(*args)

    monkeypatch.setattr(intake, "register", interrupted)
    result, told = replay(tmp_path, HEADER + DAY, "--database", url)
    assert (result.exit_code, told["is_complete"], told["tickets"], told["not_reached"]) == (1, False, 1, 6)
    assert "已中断" in result.stdout
    assert sums_up(told)
    monkeypatch.undo()
    _, rest = replay(tmp_path, HEADER + DAY, "--database", url)
    whole = {"ack": (1, 2), "arrive": (1, 1), "fix": (2, 1)}
    assert {kind: (counts["met"], counts["breached"]) for kind, counts in rest["clocks"].items()} == whole


def test_a_file_without_a_single_call_is_refused(tmp_path: Path) -> None:
    for rows, reason in (("", "没有可用的来电, 0 行有误"), ("x,never,,,,,,,\n", "第 2 行: 时间“never”无法识别")):
        result, told = replay(tmp_path, HEADER + rows)
        assert (result.exit_code, reason in result.stderr, told) == (2, True, {})


def test_a_database_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    result, _ = replay(tmp_path, HEADER + DAY, "--database", "nonsense")
    assert (result.exit_code, "数据库不可用" in result.stderr) == (2, True)


def test_a_real_installation_is_never_replayed_into(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'real.db'}"
    desk = Desk(Store(create_engine(url)), Settings(database_url=url))
    bootstrap.bring_up(desk, Path(__file__).parents[2] / "data", datetime(2026, 11, 24, tzinfo=UTC))
    desk.store.close()
    result, told = replay(tmp_path, HEADER + DAY, "--database", url)
    assert (result.exit_code, "正式装置" in result.stderr, told) == (2, True, {})


def test_a_closing_that_others_have_made_impossible_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = intake.register

    def registered_and_cancelled(desk: Desk, actor: Actor, call: NewCall, *rest: Any) -> intake.Receipt:
        receipt = real(desk, actor, call, *rest)
        cancel = Action(verb=Verb.CANCEL, reason="test")
        supervision.act(desk, actor, receipt.body["ticket"]["number"], cancel, call.called_at)
        return receipt

    monkeypatch.setattr(intake, "register", registered_and_cancelled)
    _, told = replay(tmp_path, f"{HEADER}x,2024-03-04 09:00,2024-03-04 10:00,漏水,,甲路,{A},\n")
    assert "不能接单" in told["remarks"][0]["reason"]
    assert (told["closed_by_file"], told["statuses"]) == (0, {"cancelled": 1})
    assert told["clocks"]["ack"] == {"met": 0, "breached": 0, "running": 0, "void": 1}
