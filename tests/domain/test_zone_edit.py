"""Edits of a grid map: neighbours stay joined, and what would break a border is refused in words."""

from __future__ import annotations

from dataclasses import replace

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point, Polygon, box

from dispatch.domain import zone_edit
from dispatch.domain.errors import InvalidInput
from dispatch.domain.zone_edit import Names, Zones
from dispatch.domain.zone_problems import Kind, problems_of
from dispatch.domain.zones import Zone

WEST, MIDDLE, EAST = 112.90, 112.92, 112.94


def zone(zone_id: str, area: Polygon | MultiPolygon, team_id: str | None = "t") -> Zone:
    return Zone(zone_id, f"{zone_id}网格", "城南", team_id, True, area)


LEFT = zone("A", box(WEST, 28.0, MIDDLE, 28.1))
RIGHT = zone("B", box(MIDDLE, 28.0, EAST, 28.1))
PAIR: Zones = (LEFT, RIGHT)


def area(zones: Zones, zone_id: str) -> Polygon | MultiPolygon:
    return zone_edit.find(zones, zone_id).geometry


def kinds(zones: Zones) -> list[Kind]:
    return [problem.kind for problem in problems_of(zones, {"t"})]


def shared_m(zones: Zones, first: str, second: str) -> float:
    """Length of the border that two grids have in common to the last digit, in degrees."""
    return float(shapely.intersection(area(zones, first).boundary, area(zones, second).boundary).length)


def cut_out(whole: Polygon | MultiPolygon, hole: Polygon) -> Polygon:
    left = shapely.difference(whole, hole)
    assert isinstance(left, Polygon)
    return left


# ---------------------------------------------------------------- draw and reshape


def test_a_grid_is_drawn_and_snaps_to_its_neighbour() -> None:
    hair = 2e-6  # some 20 cm
    above = Polygon([(WEST, 28.1 + hair), (112.91, 28.1 - hair), (MIDDLE, 28.1), (MIDDLE, 28.2), (WEST, 28.2)])
    drawn = zone_edit.draw(PAIR, zone("C", above))
    assert [each.zone_id for each in drawn] == ["A", "B", "C"]
    assert kinds(drawn) == []
    assert shared_m(drawn, "A", "C") == pytest.approx(0.02)
    # The vertex in the middle of the edge is one of the neighbour's now.
    middle = next(x for x in area(drawn, "C").exterior.coords if x[0] == 112.91)  # type: ignore[union-attr]
    assert middle in list(area(drawn, "A").exterior.coords)  # type: ignore[union-attr]


def test_a_grid_far_from_all_others_stays_as_drawn() -> None:
    lone = box(113.5, 28.0, 113.6, 28.1)
    assert area(zone_edit.draw(PAIR, zone("C", lone)), "C") == lone
    assert zone_edit.draw((), zone("C", lone))[0].geometry == lone


def test_an_id_is_given_once() -> None:
    with pytest.raises(InvalidInput, match="编号 B 已被使用") as caught:
        zone_edit.draw(PAIR, zone("B", box(113.5, 28.0, 113.6, 28.1)))
    assert caught.value.field == "zone.zone_id"


def test_a_border_is_replaced_and_its_names_stay() -> None:
    wider = box(MIDDLE, 28.0, 112.95, 28.1)
    changed = zone_edit.reshape(PAIR, "B", wider)
    assert area(changed, "B").equals(wider)
    assert zone_edit.find(changed, "B").team_id == "t"
    with pytest.raises(InvalidInput, match="没有编号为 X 的网格"):
        zone_edit.reshape(PAIR, "X", wider)


def test_where_snapping_would_spoil_a_border_it_is_left_alone() -> None:
    # Two vertices of the fresh one would fall on the same corner of the other.
    thin = Polygon([(EAST, 28.1), (EAST + 3e-6, 28.1), (EAST + 3e-6, 28.1 + 3e-6), (EAST, 28.1 + 3e-6)])
    drawn = zone_edit.draw(PAIR, zone("C", thin))
    assert area(drawn, "C").is_valid
    spoilt = zone("D", thin)
    joined = zone_edit.draw((*PAIR, spoilt), zone("E", box(EAST + 1e-6, 28.1, 112.96, 28.2)))
    assert area(joined, "D").equals(thin)


# ---------------------------------------------------------------- a vertex


def test_a_vertex_moves_in_every_grid_that_shares_it() -> None:
    moved = zone_edit.move_vertex(PAIR, Point(MIDDLE, 28.1), Point(112.925, 28.09))
    assert kinds(moved) == []
    for zone_id in "AB":
        assert (112.925, 28.09) in list(area(moved, zone_id).exterior.coords)  # type: ignore[union-attr]
    assert shared_m(moved, "A", "B") > 0.08


def test_a_grid_with_only_an_edge_there_gets_the_vertex_first() -> None:
    above = zone("C", box(WEST, 28.1, EAST, 28.2))
    moved = zone_edit.move_vertex((*PAIR, above), Point(MIDDLE, 28.1), Point(MIDDLE, 28.11))
    assert kinds(moved) == []
    assert area(moved, "C").area < above.geometry.area


def test_the_end_of_a_move_snaps_to_a_vertex_that_is_there() -> None:
    lone = zone("C", box(112.96, 28.0, 112.98, 28.1))
    moved = zone_edit.move_vertex((*PAIR, lone), Point(112.96, 28.1), Point(EAST + 1e-6, 28.1 - 1e-6))
    assert (EAST, 28.1) in list(area(moved, "C").exterior.coords)  # type: ignore[union-attr]


def test_a_vertex_that_lands_on_an_edge_becomes_one_of_it() -> None:
    lone = zone("C", box(112.96, 28.0, 112.98, 28.1))
    moved = zone_edit.move_vertex((*PAIR, lone), Point(112.96, 28.0), Point(EAST, 28.05))
    assert (EAST, 28.05) in list(area(moved, "B").exterior.coords)  # type: ignore[union-attr]


def test_a_move_that_crosses_a_border_changes_nothing() -> None:
    with pytest.raises(InvalidInput, match=r"网格 A网格 的边界就坏了: 几何无效: 边界自相交 \(位置 "):
        zone_edit.move_vertex(PAIR, Point(WEST, 28.1), Point(112.91, 27.95))
    with pytest.raises(InvalidInput, match="没有边界顶点"):
        zone_edit.move_vertex(PAIR, Point(112.91, 28.05), Point(112.91, 28.06))


# ---------------------------------------------------------------- split and merge


def test_a_grid_is_split_along_a_line_from_border_to_border() -> None:
    fresh = replace(LEFT, zone_id="A2", name="A2")
    cut = zone_edit.split(PAIR, "A", LineString([(WEST, 28.03), (MIDDLE, 28.03)]), fresh)
    assert kinds(cut) == []
    assert area(cut, "A2").area == pytest.approx(LEFT.geometry.area * 0.3)
    assert area(cut, "A").area + area(cut, "A2").area == pytest.approx(LEFT.geometry.area)
    assert (MIDDLE, pytest.approx(28.03)) in list(area(cut, "B").exterior.coords)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ([(112.905, 28.03), (112.915, 28.03)], "没有穿过网格"),
        ([(113.0, 28.03), (113.1, 28.03)], "没有穿过网格"),
        ([(112.89, 28.03), (112.93, 28.03), (112.93, 28.06), (112.89, 28.06)], "切成了 3 块"),
    ],
)
def test_a_line_must_cut_a_grid_in_just_two(line: list[tuple[float, float]], why: str) -> None:
    with pytest.raises(InvalidInput, match=why) as caught:
        zone_edit.split(PAIR, "A", LineString(line), replace(LEFT, zone_id="A2"))
    assert caught.value.field == "line"


def test_of_a_grid_in_pieces_only_one_is_split() -> None:
    island = box(WEST, 27.8, MIDDLE, 27.9)
    both = zone("A", MultiPolygon([box(WEST, 28.0, MIDDLE, 28.1), island]))
    cut = zone_edit.split((both, RIGHT), "A", LineString([(WEST, 28.05), (MIDDLE, 28.05)]), zone("A2", island))
    assert area(cut, "A").intersects(island)
    with pytest.raises(InvalidInput, match="编号 B 已被使用"):
        zone_edit.split(PAIR, "A", LineString([(WEST, 28.05), (MIDDLE, 28.05)]), RIGHT)


def test_grids_side_by_side_become_one() -> None:
    third = zone("C", box(EAST + 1e-6, 28.0, 112.96, 28.1))  # 10 cm off
    merged = zone_edit.merge((*PAIR, third), ["A", "B", "C"], "B")
    assert [each.zone_id for each in merged] == ["B"]
    assert isinstance(merged[0].geometry, Polygon)
    assert merged[0].name == "B网格"


def test_what_cannot_be_merged() -> None:
    far = zone("C", box(113.5, 28.0, 113.6, 28.1))
    for zone_ids, into, why in ((["A", "C"], "A", "不相邻"), (["A"], "A", "至少两个"), (["A", "B"], "C", "至少两个")):
        with pytest.raises(InvalidInput, match=why):
            zone_edit.merge((*PAIR, far), zone_ids, into)


# ---------------------------------------------------------------- overlaps and gaps

OVER = zone("B", box(112.915, 28.0, EAST, 28.1))


@pytest.mark.parametrize(("to", "loser"), [("A", "B"), ("B", "A")])
def test_an_overlap_is_given_to_one_of_two(to: str, loser: str) -> None:
    assert kinds((LEFT, OVER)) == [Kind.OVERLAP]
    mended = zone_edit.give_overlap((LEFT, OVER), ["A", "B"], to)
    assert kinds(mended) == []
    whole = {"A": LEFT, "B": OVER}[to].geometry
    assert area(mended, to).equals(whole)
    assert shared_m(mended, "A", "B") == pytest.approx(0.1)
    assert area(mended, loser).area == pytest.approx({"A": LEFT, "B": OVER}[loser].geometry.area - 0.0005)


def test_what_cannot_be_given() -> None:
    inside = zone("C", box(112.905, 28.02, 112.91, 28.05))
    for zones, zone_ids, to, why in (
        (PAIR, ["A", "B"], "A", "没有重叠"),
        ((LEFT, inside), ["A", "C"], "A", "整个消失"),
        (PAIR, ["A"], "A", "选择归属"),
        (PAIR, ["A"], "B", "选择归属"),
    ):
        with pytest.raises(InvalidInput, match=why):
            zone_edit.give_overlap(zones, zone_ids, to)


def test_a_hole_is_filled() -> None:
    hole = box(112.915, 28.04, 112.925, 28.06)
    holed: Zones = tuple(zone(each.zone_id, cut_out(each.geometry, hole)) for each in PAIR)
    assert kinds(holed) == [Kind.GAP]
    filled = zone_edit.fill_gap(holed, problems_of(holed, {"t"})[0].shape, "A")
    assert kinds(filled) == []
    assert area(filled, "A").area == pytest.approx(holed[0].geometry.area + hole.area)
    with pytest.raises(InvalidInput, match="已有网格覆盖"):
        zone_edit.fill_gap(filled, hole, "A")


def test_an_open_slit_is_filled() -> None:
    slit: Zones = (LEFT, zone("B", Polygon([(112.921, 28.0), (EAST, 28.0), (EAST, 28.1), (MIDDLE, 28.1)])))
    problems = problems_of(slit, {"t"})
    assert [problem.kind for problem in problems] == [Kind.GAP]
    assert problems[0].zone_ids == ("A", "B")
    filled = zone_edit.fill_gap(slit, problems[0].shape, "B")
    assert kinds(filled) == []
    assert shared_m(filled, "A", "B") == pytest.approx(0.1, abs=1e-4)


def test_a_gap_goes_to_a_grid_beside_it() -> None:
    far = zone("C", box(113.5, 28.0, 113.6, 28.1))
    with pytest.raises(InvalidInput, match="不与网格 C网格 相邻"):
        zone_edit.fill_gap((*PAIR, far), box(112.915, 28.1, 112.925, 28.11), "C")


# ---------------------------------------------------------------- the rest


def test_a_grid_is_removed_or_renamed() -> None:
    assert zone_edit.remove(PAIR, "A") == (RIGHT,)
    named = zone_edit.rename(PAIR, "A", Names(name="新名", team_id="t2", is_in_circle=False), frozenset({"branch"}))
    assert named[0] == replace(LEFT, name="新名", team_id="t2", is_in_circle=False, branch=None)
    assert zone_edit.rename(PAIR, "A", Names(), frozenset({"team_id"}))[0] == replace(LEFT, team_id=None)
    with pytest.raises(InvalidInput):
        zone_edit.remove(PAIR, "X")


def test_a_border_that_shrinks_to_nothing_is_refused() -> None:
    tiny = zone("C", Polygon([(113.0, 28.0), (113.001, 28.0), (113.0, 28.001)]))
    for end in (Point(113.0005, 28.0), Point(113.001, 28.0)):
        with pytest.raises(InvalidInput, match="这样网格 C网格"):
            zone_edit.move_vertex((tiny,), Point(113.0, 28.001), end)


def test_teams_are_looked_up_in_the_roster_where_that_is_known() -> None:
    nobody = (zone("A", LEFT.geometry, None), zone("B", RIGHT.geometry, "x"))
    found = problems_of(nobody, {"t"})
    assert [(problem.kind, problem.is_grave) for problem in found] == [
        (Kind.UNKNOWN_TEAM, True),
        (Kind.MISSING_TEAM, False),
    ]
    assert [problem.kind for problem in problems_of(nobody, None)] == [Kind.MISSING_TEAM]
    assert problems_of((), {"t"}) == []


@given(st.floats(112.901, 112.939), st.floats(28.001, 28.099))
def test_wherever_the_common_vertex_goes_nothing_is_lost(lon: float, lat: float) -> None:
    above = zone("C", box(WEST, 28.1, EAST, 28.2))
    before: Zones = (*PAIR, above)
    moved = zone_edit.move_vertex(before, Point(MIDDLE, 28.1), Point(lon, lat))
    total = sum(each.geometry.area for each in moved)
    assert total == pytest.approx(sum(each.geometry.area for each in before))
    assert [kind for kind in kinds(moved) if kind is not Kind.SLIVER] == []
