"""A version of the grids that is published ahead of its time, and the one that is taken out as a file."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from dispatch.services import board, zone_moves
from dispatch.services.desk import Desk
from tests.browser.test_zones import BETWEEN, EAST, SOUTH, WEST, a_file, at_the_zones, import_file, insert, sample
from tests.support.browser import Pages
from tests.support.cast import TEAM_A, TEAM_B, ZONE_A, ZONE_B, Cast, received
from tests.support.processes import utc_now

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]


def test_a_version_of_tomorrow_moves_open_tickets_when_it_becomes_valid(
    pages: Pages, desk: Desk, cast: Cast, tmp_path: Path
) -> None:
    number = received(desk, utc_now(), point=BETWEEN)
    zones = sample()
    insert(zones[ZONE_A], EAST, SOUTH)
    insert(zones[ZONE_B], WEST, SOUTH)
    page = at_the_zones(pages)
    import_file(page, a_file(tmp_path, zones))
    expect(page.locator("#problem-count")).to_have_text("✓ 无问题")
    page.get_by_role("link", name="全部草稿和版本").click()
    expect(page.locator("#drafts")).to_contain_text("值班长陈工 建")
    page.get_by_role("button", name="编辑").click()
    page.get_by_role("button", name="预览与发布").click()
    panel = page.locator("#panel")
    expect(panel).to_contain_text(number)
    tomorrow = utc_now() + timedelta(days=1)
    page.get_by_role("radio", name="指定时间").check()
    page.locator("#valid-from").fill(f"{tomorrow + timedelta(hours=8):%Y-%m-%dT%H:%M}")
    page.get_by_label("改派到新班组").check()
    page.get_by_role("button", name="发布", exact=True).click()
    versions = page.locator("#versions tbody tr")
    expect(versions).to_have_count(2)
    expect(versions.first).to_contain_text("待生效")
    expect(versions.first).to_contain_text("生效时改派在办工单")
    assert board.ticket(desk, cast.supervisor, number, utc_now())["team_id"] == TEAM_A

    assert zone_moves.carry_on(desk, lambda: tomorrow).moved == 1
    page.reload()
    expect(versions.first).to_contain_text("已改派 1 张")
    assert board.ticket(desk, cast.supervisor, number, tomorrow)["team_id"] == TEAM_B

    page.get_by_label("导出坐标").select_option("gcj02")
    with page.expect_download() as download:
        versions.first.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename.endswith("-gcj02.csv")
    assert ',gcj02,"' in Path(download.value.path()).read_text("utf-8")
