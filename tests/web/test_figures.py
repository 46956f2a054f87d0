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
    sheet, _ = openpyxl.load_workbook(io.BytesIO(file.data)).worksheets
    rows = list(sheet.iter_rows(values_only=True))
    assert [row[0] for row in rows[5:]] == ["10", "合计"]
    assert told(boss.get("/figures", by="moon", **period), 422)["field"] == "by"
    assert told(boss.get("/figures"), 422)["code"] == "invalid-input"
