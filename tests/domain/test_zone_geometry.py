"""Zone files: every way in which a geometry can be bad, with feature, place and reason."""

import sys
from typing import Any

import pytest
import shapely
from shapely import box

from tests.domain.zone_files import LEFT, RING, document, feature, polygon, reasons, refused

NESTING = "坐标的嵌套层次不对"


@pytest.mark.parametrize(
    ("geometry", "words", "place"),
    [
        (None, "没有几何", None),
        (
            {"type": "LineString", "coordinates": RING},
            "几何类型是 LineString, 网格必须是 Polygon 或 MultiPolygon",
            None,
        ),
        (
            {"type": "Point", "coordinates": [1, 2]},
            "几何类型是 Point, 网格必须是 Polygon 或 MultiPolygon",
            None,
        ),
        ({"type": ["Polygon"]}, "几何类型是 空, 网格必须是 Polygon 或 MultiPolygon", None),
        ({"type": "Polygon", "coordinates": None}, NESTING, None),
        ({"type": "MultiPolygon", "coordinates": {"a": 1}}, NESTING, None),
        ({"type": "MultiPolygon", "coordinates": [7]}, NESTING, None),
        (
            {"type": "MultiPolygon", "coordinates": [RING[:1]]},
            "环的第 1 个点不是两个有限的数字 (共 2 处)",
            None,
        ),
        (polygon("ring"), NESTING, None),
        (polygon(), "几何是空的", None),
        ({"type": "MultiPolygon", "coordinates": []}, "几何是空的", None),
        (polygon([]), "环只有 0 个点, 至少要 4 个", None),
        (polygon(RING[:2] + RING[:1]), "环只有 3 个点, 至少要 4 个", "112.900000,28.000000"),
        (polygon(RING[:-1]), "环没有闭合: 末点是 112.900000,28.100000, 应与首点相同", "112.900000,28.000000"),
        (
            polygon([*RING[:2], [float("nan"), 28.1], *RING[2:]]),
            "环的第 3 个点不是两个有限的数字 (共 1 处)",
            None,
        ),
        (
            polygon([*RING[:2], [112.9, float("inf")], *RING[2:]]),
            "环的第 3 个点不是两个有限的数字 (共 1 处)",
            None,
        ),
        (polygon([*RING[:2], ["112.9", 28.1], *RING[2:]]), "环的第 3 个点不是两个有限的数字 (共 1 处)", None),
        (
            polygon([*RING[:2], [True, False], [1], 10**5000, *RING[2:]]),
            "环的第 3 个点不是两个有限的数字 (共 3 处)",
            None,
        ),
        (polygon([*RING[:2], [10**400, 28.1], *RING[2:]]), "环的第 3 个点不是两个有限的数字 (共 1 处)", None),
        (
            polygon([position[::-1] for position in RING]),
            "坐标超出 ±180, ±90 度, 疑似经纬度颠倒 (应为 经度, 纬度) (共 5 处)",
            "28.000000,112.900000",
        ),
        (
            polygon([[lon * 1e5, lat * 1e5] for lon, lat in RING]),
            "坐标超出 ±180, ±90 度, 疑似投影坐标 (需要经纬度) (共 5 处)",
            "11290000.000000,2800000.000000",
        ),
        (
            polygon([*RING[:2], [181.5, 28.1], *RING[2:]]),
            "坐标超出 ±180, ±90 度 (共 1 处)",
            "181.500000,28.100000",
        ),
        (
            polygon([[112.9, 28.0], [113.0, 28.1], [113.0, 28.0], [112.9, 28.1], [112.9, 28.0]]),
            "几何无效: 边界自相交",
            "112.950000,28.050000",
        ),
        (polygon([[112.9, 28.0]] * 4), "几何无效: 不同的点太少", "112.900000,28.000000"),
        (polygon(RING, [[0, 0], [1, 0], [1, 1], [0, 0]]), "几何无效: 洞在外环之外", "0.000000,0.000000"),
    ],
)
def test_bad_geometry(geometry: Any, words: str, place: str | None, unlimited_digits: None) -> None:
    problems = refused(document(feature(geometry, id="A"), feature(box(0, 0, 1, 1), id="B")))
    assert problems == [{"feature": 1, "id": "A", "place": place, "reason": words}]


@pytest.fixture
def unlimited_digits() -> Any:
    """Let json write the enormous integers that the reader must bear."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    yield
    sys.set_int_max_str_digits(limit)


def test_what_is_no_feature() -> None:
    problems = refused(document(7, {"type": "Feature", "properties": None, "geometry": None}, feature(LEFT, id="A")))
    assert [(problem["feature"], problem["reason"]) for problem in problems] == [
        (1, "没有编号"),
        (2, "没有编号"),
        (1, "不是 GeoJSON Feature"),
        (2, "没有几何"),
    ]


def test_an_unknown_flaw_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapely, "is_valid_reason", lambda _: "Something new")
    crossed = polygon([[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]])
    assert reasons(refused(document(feature(crossed, id="A")))) == ["几何无效: Something new"]


def test_all_problems_are_told_at_once() -> None:
    """A bad ring beside an overlap; the hole that the bad zone leaves is not told."""
    problems = refused(
        document(
            feature(polygon(RING[:-1], RING[:-1]), id="A"),
            feature(LEFT, id="B"),
            feature(box(112.91, 28.0, 112.93, 28.1), id="B"),
        )
    )
    assert [problem["feature"] for problem in problems] == [3, 1, 1, 2]
