"""The figures against a naive computation over what each ticket tells of itself; the workbook read back."""

import io
import random
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import openpyxl
import pytest

from dispatch.domain.errors import InvalidInput, NotPermitted
from dispatch.domain.figures import By
from dispatch.domain.roles import SYSTEM
from dispatch.domain.states import Status, Verb
from dispatch.services import board, escalation, export, figures
from dispatch.services.desk import Desk
from dispatch.services.figures import Asked
from dispatch.storage import directory
from dispatch.storage.board import Filter
from tests.support.cast import TEAM_A, ZONE_A, ZONE_B, ZONE_FAR, Cast, act, call, dispatched, received, ticket_at

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def a_day(desk: Desk, cast: Cast, now: datetime) -> datetime:
    """Tickets of several grids and hours, some late, some lost on the way; return when it is over."""
    dice = random.Random(3)
    for n in range(14):
        at = now + n * 37 * MINUTE
        zone = (ZONE_A, ZONE_B, ZONE_FAR)[n % 3]
        number = dispatched(desk, at, zone, category=("no_water", "burst", "billing")[n % 3 - 1])
        for verb in (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.WORK, Verb.DONE)[: dice.choice((0, 1, 3, 5, 5))]:
            at += dice.choice((2, 7, 25, 90)) * MINUTE
            act(desk, cast.dispatcher, number, verb, at)
    received(desk, now)
    act(desk, cast.agent, dispatched(desk, now), Verb.CANCEL, now, reason="by_caller")
    return now + 12 * HOUR


def naive(desk: Desk, cast: Cast, by: By, start: datetime, end: datetime, now: datetime) -> dict[str, Any]:
    """The same from the public form of each ticket."""
    tickets = board.tickets(desk, cast.auditor, Filter(), text="", after=0, limit=200, now=now)["items"]
    found: dict[str, dict[str, Any]] = {}
    for ticket in tickets:
        at = datetime.fromisoformat(ticket["received_at"])
        if not start <= at < end:
            continue
        keys = {By.ZONE: ticket["zone_id"], By.TEAM: ticket["team_id"]}
        keys[By.HOUR] = f"{(at + 8 * HOUR).hour:02d}"
        keys[By.DAY] = f"{at + 8 * HOUR:%Y-%m-%d}"
        keys |= {one: ticket[one.value] for one in By if one not in keys}
        group = found.setdefault(keys[by] or "", {kind: ([], []) for kind in ("ack", "arrive", "fix")})
        for clock in ticket["clocks"]:
            if clock["kind"] in group and clock["state"] in ("met", "breached"):
                kept, minutes = group[clock["kind"]]
                kept.append(clock["state"] == "met")
                if clock["met_at"]:
                    taken = datetime.fromisoformat(clock["met_at"]) - datetime.fromisoformat(clock["start_at"])
                    minutes.append(taken.total_seconds() / 60)
    return {key: {kind: _told(*group[kind]) for kind in group} for key, group in found.items()}


def _told(kept: list[bool], minutes: list[float]) -> tuple[Any, ...]:
    return len(kept), sum(kept), round(median(minutes), 1) if minutes else None


@pytest.mark.parametrize("is_swept", [True, False])
def test_figures_agree_with_a_naive_computation(desk: Desk, cast: Cast, now: datetime, is_swept: bool) -> None:
    over = a_day(desk, cast, now)
    if is_swept:  # who noticed what and when changes nothing
        escalation.sweep(desk, over)
    for by in By:
        check_agrees(desk, cast, by, over)


def check_agrees(desk: Desk, cast: Cast, by: By, over: datetime) -> None:
    start, end = over - 12 * HOUR, over - 6 * HOUR
    told = figures.on_time(desk, cast.supervisor, Asked(by=by, start=start, end=end), over)
    wanted = naive(desk, cast, by, start, end, over)
    assert {item["key"] for item in told["items"]} == set(wanted)
    for item in told["items"]:
        for kind, (judged, kept, middle) in wanted[item["key"]].items():
            assert (item[kind]["judged"], item[kind]["on_time"], item[kind]["median_min"]) == (judged, kept, middle)
            assert item[kind]["share"] == (round(kept / judged, 4) if judged else None)
    for kind in ("ack", "arrive", "fix"):
        assert told["total"][kind]["judged"] == sum(item[kind]["judged"] for item in told["items"]) > 0


def test_a_pause_is_no_work(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.WORKING, now)
    act(desk, cast.lead_a, number, Verb.HOLD, now, reason="wait_material", until=now + 5 * HOUR)
    act(desk, cast.crew_a, number, Verb.RESUME, now + 2 * HOUR)
    act(desk, cast.crew_a, number, Verb.DONE, now + 3 * HOUR)
    told = figures.on_time(desk, cast.supervisor, Asked(by=By.TEAM, start=now, end=now + HOUR), now + 4 * HOUR)
    fix = {"judged": 1, "on_time": 1, "share": 1.0, "median_min": 60.0, "p90_min": 60.0}
    assert told["total"]["fix"] == {**fix, "late_median_min": None, "late_p90_min": None}
    assert told["total"]["ack"]["median_min"] == 0.0
    assert told["items"][0]["key"] == TEAM_A


def test_a_crew_counts_its_own(desk: Desk, cast: Cast, now: datetime) -> None:
    ticket_at(desk, Status.ACCEPTED, now)
    assert figures.on_time(desk, cast.crew_b, Asked(by=By.ZONE, start=now, end=now + HOUR), now)["items"] == []
    assert len(figures.on_time(desk, cast.crew_a, Asked(by=By.ZONE, start=now, end=now + HOUR), now)["items"]) == 1


def test_periods(desk: Desk, cast: Cast, now: datetime) -> None:
    for end in (now, now + timedelta(days=367, seconds=1)):
        with pytest.raises(InvalidInput):
            figures.on_time(desk, cast.supervisor, Asked(by=By.HOUR, start=now, end=end), now)
    with pytest.raises(NotPermitted):
        figures.on_time(desk, SYSTEM, Asked(by=By.HOUR, start=now, end=now + HOUR), now)
    empty = figures.on_time(desk, cast.supervisor, Asked(by=By.HOUR, start=now, end=now + HOUR), now)
    assert (empty["items"], empty["total"]["ack"]["share"]) == ([], None)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_workbook_holds_numbers_and_harmless_text(desk: Desk, cast: Cast, now: datetime) -> None:
    evil = ['=HYPERLINK("http://x")', "+1", "-2", "@SUM(A1)", "http://x.example"]
    with desk.store.write() as tx:
        directory.put_teams(
            tx, [{"id": f"t{n}", "name": name, "branch": None, "stewards": []} for n, name in enumerate(evil)]
        )
    for n in range(len(evil)):
        number = received(desk, now)
        act(desk, cast.dispatcher, number, Verb.DISPATCH, now, team_id=f"t{n}")
        act(desk, cast.dispatcher, number, Verb.ACCEPT, now + 3 * MINUTE)
    call(desk, cast.agent, now)
    data = export.workbook(desk, cast.supervisor, Asked(by=By.TEAM, start=now, end=now + HOUR), now + HOUR)
    sheet, measured, said = openpyxl.load_workbook(io.BytesIO(data)).worksheets
    assert [row[0] for row in said.iter_rows(min_row=3, max_row=6, values_only=True)] == [
        "指标", "按时率", "用时", "超时幅度",
    ]  # fmt: skip
    assert {str(one.cell(1, 1).value) for one in (sheet, measured, said)} == {
        "96533 供水调度 · 值班长陈工 (值班长) 于 2026-11-24 11:00 导出 · 仅供内部使用"
    }
    assert [row[0] for row in measured.iter_rows(min_row=3, max_row=5, values_only=True)] == [
        "指标", "首次修复率", "每单到场次数",
    ]  # fmt: skip
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0][0] == "96533 供水调度 · 值班长陈工 (值班长) 于 2026-11-24 11:00 导出 · 仅供内部使用"
    assert rows[1][0] == "受理时间 2026-11-24 10:00 至 2026-11-24 10:59"
    assert rows[4][:6] == ("班组", "应判", "按时", "按时率", "中位 (分)", "P90 (分)")
    assert [row[0] for row in rows[5:]] == ["未定", *evil, "合计"]
    assert rows[6][:6] == (evil[0], 1, 1, 1, 3, 3)
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s", "n"}
    assert not [cell for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    lines = export.table(desk, cast.supervisor, Asked(by=By.TEAM, start=now, end=now + HOUR), now + HOUR).splitlines()
    assert lines[0] == rows[0][0]
    assert lines[7] == f'"\'{evil[0].replace(chr(34), chr(34) * 2)}",1,接单,1,1,1.0,3.0,3.0,,'
    entries = board.audited(desk, cast.auditor, subject="figures", after=0, limit=9)["items"]
    assert [(entry["action"], entry["actor"]) for entry in entries] == [("export", "值班长陈工 (值班长)")] * 2
