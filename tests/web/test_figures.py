"""The routes of the figures."""

import io
from datetime import datetime, timedelta

import openpyxl
import pytest

from dispatch.domain.states import Status
from dispatch.services.desk import Desk
from dispatch.web.api.responses import XLSX
from tests.support.cast import TEAM_A, ticket_at
from tests.web.conftest import As
from tests.web.test_tickets import told

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def test_figures_as_json_and_as_a_workbook(as_: As, desk: Desk, now: datetime) -> None:
    ticket_at(desk, Status.DONE, now)
    boss = as_("supervisor")
    period = {"from": now.isoformat(), "to": (now + timedelta(hours=1)).isoformat()}
    answer = told(boss.get("/figures", by="team", **period))
    assert (answer["by"], answer["from"]) == ("team", now.isoformat())
    assert [item["key"] for item in answer["items"]] == [TEAM_A]
    assert answer["total"]["fix"]["share"] == 1.0
    file = boss.get("/figures.xlsx", by="hour", **period)
    assert (file.status_code, file.content_type) == (200, XLSX)
    assert file.headers["Content-Disposition"] == 'attachment; filename="figures-hour-20261124-20261124.xlsx"'
    sheet, *_ = openpyxl.load_workbook(io.BytesIO(file.data)).worksheets
    rows = list(sheet.iter_rows(values_only=True))
    assert [row[0] for row in rows[5:]] == ["10", "合计"]
    lines = boss.get("/figures.csv", by="team", level="P2", **period).data.decode("utf-8-sig").splitlines()
    assert lines[0].endswith("导出 · 仅供内部使用")
    assert lines[1] == "班组,工单,时限,应判,按时,按时率,中位 (分),P90 (分),超时中位 (分),超时 P90 (分)"
    assert lines[2].startswith("天心-03 水管家班组,1,接单,1,1,1.0,")
    assert lines[-1].startswith("合计,1,回访,")
    nothing = told(boss.get("/figures", level="P1", **period))
    assert (nothing["items"], nothing["total"]["tickets"]) == ([], 0)
    assert told(boss.get("/figures", by="moon", **period), 422)["field"] == "by"
    assert told(boss.get("/figures"), 422)["code"] == "invalid-input"


def test_from_a_figure_to_its_tickets_its_days_and_the_report(as_: As, desk: Desk, now: datetime) -> None:
    number = ticket_at(desk, Status.DONE, now)
    boss = as_("supervisor")
    period = {"from": now.isoformat(), "to": (now + timedelta(hours=1)).isoformat()}
    behind = told(boss.get("/figures/tickets", by="team", key=TEAM_A, clock="fix", which="on_time", **period))
    assert (behind["total"], [item["number"] for item in behind["items"]]) == (1, [number])
    assert told(boss.get("/figures/tickets", which="none", **period), 422)["field"] == "which"
    trend = told(boss.get("/figures/trend", **period))
    assert [period["id"] for period in trend["periods"]] == ["now", "week", "year"]
    file = boss.get("/report.html", day="2026-11-24")
    assert (file.status_code, file.content_type) == (200, "text/html; charset=utf-8")
    assert file.headers["Content-Disposition"] == 'attachment; filename="report-20261124.html"'
    assert "96533 供水调度日报 2026-11-24" in file.get_data(as_text=True)
    assert told(boss.get("/report.html", day="yesterday"), 422)["field"] == "day"
