"""Managing the grids in a real browser: import, find what is wrong, mend it by drawing, preview, publish."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from dispatch.domain.place import Wgs84Point, to_gcj02
from dispatch.services import board
from dispatch.services.desk import Desk
from tests.browser.test_every_page import violations
from tests.support.browser import Pages, picture
from tests.support.cast import TEAM_A, TEAM_B, ZONE_A, ZONE_B, Cast, received
from tests.support.processes import utc_now
from tests.support.store import DATA

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]

# The edge that 天心-03 and 天心-04 share, and a place south of it: what lies between goes to 天心-04.
WEST, EAST, SOUTH = [112.9444397, 28.1153253], [112.9674195, 28.1063618], [112.954, 28.103]
BETWEEN = Wgs84Point(112.9553, 28.108)
# The edge that 天心-04 and its neighbour in the east share, and a place beyond it that only 天心-04 is given.
LOWER, BEYOND = [112.9797888, 28.1134529], [112.985, 28.1255]
Feature = dict[str, Any]


def sample() -> dict[str, Feature]:
    """The features of the sample by id."""
    document = json.loads((DATA / "zones.geojson").read_text("utf-8"))
    return {feature["properties"]["id"]: feature for feature in document["features"]}


def ring(feature: Feature) -> list[list[float]]:
    found: list[list[float]] = feature["geometry"]["coordinates"][0]
    return found


def insert(feature: Feature, after: list[float], spot: list[float]) -> None:
    corners = ring(feature)
    corners.insert(corners.index(after) + 1, spot)


def a_file(path: Path, features: dict[str, Feature], name: str = "网格.geojson") -> Path:
    path = path / name
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features.values())}), "utf-8")
    return path


def moved_and_overlapping(path: Path) -> Path:
    """天心-04 gets a piece of 天心-03 in good order, and by mistake one of its neighbour in the east."""
    zones = sample()
    insert(zones[ZONE_A], EAST, SOUTH)
    insert(zones[ZONE_B], WEST, SOUTH)
    insert(zones[ZONE_B], LOWER, BEYOND)
    return a_file(path, zones)


def at_the_zones(pages: Pages, login: str = "supervisor", **options: Any) -> Page:
    page = pages.signed_in(login, **options)
    page.goto("/zones")
    expect(page.locator("#versions")).to_contain_text("使用中")
    return page


def import_file(page: Page, path: Path, datum: str = "wgs84") -> None:
    page.set_input_files("#file", path)
    page.get_by_label("坐标系").select_option(datum)
    page.get_by_role("button", name="检查并导入为草稿").click()


def a_draft(page: Page) -> None:
    """Open a new draft of the live grids."""
    page.get_by_role("button", name="以当前网格新建草稿").click()
    expect(page.locator("#zone-count")).to_have_text("112")


def choose(page: Page, zone_id: str) -> None:
    """By keyboard alone."""
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.locator("#zone-filter").fill(zone_id)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#panel h2")).to_have_text(zone_id)


def field(page: Page, label: str) -> Locator:
    """A field of the panel on the right."""
    return page.locator("#panel").get_by_label(label, exact=True)


def middle(handle: Locator) -> tuple[float, float]:
    box = handle.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def pick_vertex(page: Page, spot: list[float]) -> int:
    """Step to a vertex; return its number among the handles on the map."""
    told = f"{spot[0]}, {spot[1]}"
    for _ in range(20):
        page.get_by_role("button", name="下一个顶点").click()
        if page.locator("#vertex-pair").input_value() == told:
            break
    expect(page.locator("#vertex-pair")).to_have_value(told)
    classes = page.locator(".handle.vertex").evaluate_all("all => all.map(one => one.className)")
    return next(n for n, name in enumerate(classes) if "is-chosen" in name)


def test_import_find_the_overlap_mend_it_by_drawing_preview_publish_and_keep(
    pages: Pages, desk: Desk, cast: Cast, tmp_path: Path
) -> None:
    old = received(desk, utc_now(), point=BETWEEN)
    before = board.ticket(desk, cast.supervisor, old, utc_now())
    assert (before["zone_id"], before["team_id"]) == (ZONE_A, TEAM_A)

    page = at_the_zones(pages)
    import_file(page, moved_and_overlapping(tmp_path))
    expect(page.locator("#problem-count")).to_have_text("1")
    problem = page.locator("#problems .problem")
    expect(problem).to_contain_text(re.compile(r"重叠 · [\d,.]+ k?m²"))
    expect(problem).to_contain_text(ZONE_B)
    page.keyboard.press("p")
    expect(page.locator("#panel")).to_contain_text("还有 1 处问题, 修好后才能发布")
    page.get_by_role("button", name="去看第一处").click()
    expect(problem).to_have_attribute("aria-expanded", "true")
    picture(page, "zones-overlap")

    # The vertex goes back to where the neighbour's edge is: dropped beside it, it snaps.
    choose(page, ZONE_B)
    problem.click()
    n = pick_vertex(page, BEYOND)
    handles = page.locator(".handle.vertex")
    (x1, y1), (x2, y2) = middle(handles.nth(n - 1)), middle(handles.nth(n + 1))
    drag(page, middle(handles.nth(n)), ((x1 + x2) / 2 + 6, (y1 + y2) / 2))
    expect(page.locator("#problem-count")).to_have_text("✓ 无问题")
    expect(page.locator("#draft-told")).to_contain_text("第 2 稿")

    page.keyboard.press("p")
    panel = page.locator("#panel")
    expect(panel.locator(".figures")).to_contain_text(re.compile(r"在办工单\s*1"))
    expect(panel).to_contain_text(old)
    expect(panel).to_contain_text("天心-03 水管家班组 → 天心-04 水管家班组")
    picture(page, "zones-publish")
    page.get_by_role("button", name="发布", exact=True).click()
    expect(panel.get_by_role("alert")).to_have_text("请选择在办工单如何处理")
    page.get_by_role("radio", name="指定时间").check()
    page.locator("#valid-from").fill("2020-01-01T08:00")
    page.get_by_label("保持原班组").check()
    page.get_by_role("button", name="发布", exact=True).click()
    expect(panel.get_by_role("alert")).to_contain_text("生效时间 2020-01-01 08:00 已过")
    page.get_by_label("立即").check()
    expect(page.locator("#valid-from")).to_be_hidden()
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("在办工单保持原班组")
    expect(page.locator("#versions tbody tr")).to_have_count(2)
    expect(page.locator("#drafts")).to_contain_text("没有草稿")

    kept = board.ticket(desk, cast.supervisor, old, utc_now())
    assert {name: kept[name] for name in ("zone_id", "team_id", "zone_set_id")} == {
        name: before[name] for name in ("zone_id", "team_id", "zone_set_id")
    }
    new = board.ticket(desk, cast.supervisor, received(desk, utc_now(), point=BETWEEN), utc_now())
    assert (new["zone_id"], new["team_id"]) == (ZONE_B, TEAM_B)
    assert new["zone_set_id"] > kept["zone_set_id"]


def test_everything_by_key_and_taken_back(pages: Pages) -> None:
    page = at_the_zones(pages)
    a_draft(page)
    told = page.locator("#draft-told")
    choose(page, ZONE_A)

    pick_vertex(page, EAST)
    expect(page.locator("#panel")).to_contain_text("共用, 一起移动")
    page.locator("#vertex-pair").fill("那里")
    page.keyboard.press("Enter")
    expect(page.locator("#panel .fault:visible")).to_contain_text("应为 经度, 纬度")
    page.locator("#vertex-pair").fill("112.966, 28.107")
    page.keyboard.press("Enter")
    expect(told).to_contain_text("第 2 稿")
    expect(page.locator("#problem-count")).to_have_text("✓ 无问题")  # the neighbours moved along

    page.locator("#panel").focus()
    page.keyboard.press("s")
    for pair in ("112.925, 28.098", "112.972, 28.098"):
        page.locator("#sketch-pair").fill(pair)
        page.keyboard.press("Enter")
    expect(page.locator(".points li")).to_have_count(2)
    page.get_by_role("button", name="完成").press("Enter")
    field(page, "编号").fill("天心-99")
    field(page, "班组").select_option(TEAM_B)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="分割", exact=True).last.press("Enter")
    expect(page.locator("#panel h2")).to_have_text("天心-99")
    expect(page.locator("#zone-count")).to_have_text("113")
    expect(page.locator("#problem-count")).to_have_text("✓ 无问题")

    page.locator("#zone-filter").fill("天心")
    page.locator(f"[data-zone='{ZONE_A}']").focus()
    page.keyboard.press(" ")
    expect(page.locator("#panel h2")).to_have_text("已选 2 个网格")
    field(page, "合并后保留").select_option(ZONE_A)
    page.get_by_role("button", name="合并").press("Enter")
    expect(page.locator("#zone-count")).to_have_text("112")
    expect(page.locator("#panel h2")).to_have_text(ZONE_A)

    field(page, "名称").fill("坡子街网格")
    page.keyboard.press("Enter")
    expect(page.locator(f"[data-zone='{ZONE_A}']")).to_contain_text("坡子街网格")
    page.locator("#panel").focus()
    for version in ("6", "7", "8", "9"):
        page.keyboard.press("Control+z")
        expect(told).to_contain_text(f"第 {version} 稿")
    expect(page.locator("#tool-undo")).to_be_disabled()
    pick_vertex(page, EAST)


def test_a_gap_is_filled_by_drawing_along_its_neighbours(pages: Pages) -> None:
    page = at_the_zones(pages)
    a_draft(page)
    choose(page, ZONE_B)
    handles = page.locator(".handle.vertex")
    corners = [middle(handles.nth(n)) for n in range(handles.count())]
    page.get_by_role("button", name="删除网格").click()
    expect(page.locator("#problem-count")).to_have_text("1")
    expect(page.locator("#problems .problem")).to_contain_text("缝隙")
    page.keyboard.press("d")
    for x, y in corners:
        page.mouse.click(x + 5, y - 4)
    expect(page.locator(".points li")).to_have_count(len(corners))
    page.keyboard.press("Escape")  # and once more, with a point too many
    expect(page.locator(".points")).to_have_count(0)
    page.keyboard.press("d")
    for x, y in [*corners, (corners[0][0] + 90, corners[0][1])]:
        page.mouse.click(x + 5, y - 4)
    page.keyboard.press("Control+z")
    expect(page.locator(".points li")).to_have_count(len(corners))
    picture(page, "zones-draw")
    page.keyboard.press("Enter")
    field(page, "编号").fill("天心-04A")
    field(page, "班组").select_option(TEAM_A)
    page.get_by_role("button", name="保存新网格").click()
    expect(page.locator("#problem-count")).to_have_text("✓ 无问题")
    expect(page.locator("#panel h2")).to_have_text("天心-04A")


def test_an_edge_gets_a_vertex_and_loses_it_in_both_grids(pages: Pages) -> None:
    page = at_the_zones(pages)
    a_draft(page)
    choose(page, ZONE_A)
    pick_vertex(page, EAST)
    page.get_by_role("button", name="其后插入顶点").click()
    page.locator("#vertex-pair").fill("112.955, 28.109")
    page.get_by_role("button", name="插入", exact=True).click()
    expect(page.locator("#panel")).to_contain_text(re.compile(f"由 .*{ZONE_B}.* 共用"))
    expect(page.locator("#problem-count")).to_have_text("✓ 无问题")
    page.get_by_role("button", name="删除顶点").click()
    expect(page.locator("#draft-told")).to_contain_text("第 3 稿")
    expect(page.locator("#problem-count")).to_have_text("✓ 无问题")
    # By mouse: the dot in the middle of an edge.
    dots = page.locator(".handle.middle")
    x, y = middle(dots.first)
    drag(page, (x, y), (x + 3, y + 30))
    expect(page.locator("#draft-told")).to_contain_text("第 4 稿")


def test_the_fixes_that_are_offered(pages: Pages, tmp_path: Path) -> None:
    page = at_the_zones(pages)
    zones = sample()
    insert(zones[ZONE_B], LOWER, BEYOND)
    insert(zones[ZONE_A], EAST, SOUTH)  # which nobody takes
    import_file(page, a_file(tmp_path, zones))
    expect(page.locator("#problem-count")).to_have_text("2")
    for word in ("重叠部分归", "并入"):
        page.locator(".problem", has_text={"重叠部分归": "重叠", "并入": "缝隙"}[word]).click()
        page.get_by_role("button", name=f"{word} {ZONE_B}").click()
        expect(page.locator(".fixes")).to_have_count(0)
    expect(page.locator("#problem-count")).to_have_text("✓ 无问题")
    page.get_by_role("button", name="撤销").click()
    expect(page.locator("#problem-count")).to_have_text("1")


def test_a_file_that_is_refused_says_where_and_why(pages: Pages, tmp_path: Path) -> None:
    page = at_the_zones(pages)
    zones = sample()
    corners = ring(zones[ZONE_A])
    corners[1], corners[3] = corners[3], corners[1]
    del zones[ZONE_B]["properties"]["id"]
    import_file(page, a_file(tmp_path, zones))
    report = page.locator("#report")
    expect(report).to_be_focused()
    expect(report).to_contain_text("没有新建草稿")
    expect(report.locator("tbody tr").first).to_contain_text(re.compile(r"\d+"))
    expect(report).to_contain_text("边界自相交")
    expect(page.locator("#drafts")).to_contain_text("没有草稿")


def test_a_wrong_datum_is_doubted_and_must_be_confirmed(pages: Pages, tmp_path: Path) -> None:
    zones = sample()
    for feature in zones.values():
        moved = [to_gcj02(Wgs84Point(*spot)) for spot in ring(feature)]
        feature["geometry"]["coordinates"][0] = [[spot.lon, spot.lat] for spot in moved]
    page = at_the_zones(pages)
    import_file(page, a_file(tmp_path, zones))
    expect(page.locator("#warnings")).to_contain_text("坐标系可能不对")
    page.reload()
    expect(page.locator("#warnings")).to_contain_text("坐标系可能不对")
    page.keyboard.press("p")
    page.get_by_label("保持原班组").check()
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.locator(".doubts li").first).to_contain_text("坐标系可能不对")
    expect(page.get_by_label("以上各条我已核实")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.locator("#versions tbody tr")).to_have_count(2)


def test_who_was_second_sees_what_there_is_now(pages: Pages) -> None:
    first = at_the_zones(pages)
    a_draft(first)
    second = at_the_zones(pages, "admin")
    second.goto(first.url)
    for page in (first, second):
        choose(page, ZONE_A)
    field(first, "名称").fill("甲改的")
    first.get_by_role("button", name="保存属性").click()
    expect(first.locator("#draft-told")).to_contain_text("第 2 稿")
    field(second, "名称").fill("乙改的")
    second.get_by_role("button", name="保存属性").click()
    expect(second.get_by_role("alert")).to_contain_text("草稿已被他人修改")
    expect(field(second, "名称")).to_have_value("甲改的")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_editor_is_for_everybody(pages: Pages, tmp_path: Path, language: str) -> None:
    page = at_the_zones(pages)
    import_file(page, moved_and_overlapping(tmp_path))
    expect(page.locator("#problem-count")).to_have_text("1")
    shown = pages.signed_in("supervisor", language=language)
    shown.goto(page.url)
    expect(shown.locator("#problem-count")).to_have_text("1")
    shown.keyboard.press("n")
    expect(shown.locator(".handle").first).to_be_visible()
    assert violations(shown) == []
    shown.keyboard.press("p")
    expect(shown.locator("#panel .figures")).to_be_visible()
    assert violations(shown) == []
    shown.keyboard.press("Escape")
    shown.keyboard.press("d")
    assert violations(shown) == []


def test_the_editor_fits_a_narrow_screen(pages: Pages, tmp_path: Path) -> None:
    page = at_the_zones(pages)
    import_file(page, moved_and_overlapping(tmp_path))
    expect(page.locator("#problem-count")).to_have_text("1")
    narrow = pages.signed_in("supervisor", width=320, height=640)
    narrow.goto(page.url)
    narrow.locator(".problem").click()
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 320
