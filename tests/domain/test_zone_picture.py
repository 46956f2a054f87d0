"""The picture of a grid map: well-formed, every fault drawn and told, nothing of a name taken for markup."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
import shapely
from shapely import MultiPolygon, Polygon

from dispatch.domain import zone_picture
from dispatch.domain.zone_picture import svg
from dispatch.domain.zone_problems import problems_of
from dispatch.domain.zones import Zone
from tests.domain.zone_files import LEFT, RIGHT

OVER = Zone("B", "<乙> & 丙", None, None, True, shapely.box(112.915, 28.0, 112.94, 28.1))
ONE = Zone("A", "甲", None, "t", True, LEFT)


def test_overlaps_and_gaps_are_drawn_and_told_with_their_areas() -> None:
    hole = list(shapely.box(112.905, 28.02, 112.91, 28.03).exterior.coords)
    zones = (Zone("A", "甲", None, "t", True, Polygon(LEFT.exterior, [hole])), OVER)
    picture = svg(zones, problems_of(zones, {"t"}), "二格.geojson")
    root = fromstring(picture)
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "二格.geojson: 2 个网格, 2 处重叠或缝隙"
    assert any(text.startswith("1. 重叠 5,4") and "<乙> & 丙" in text for text in texts)
    assert any(text.startswith("2. 缝隙 ") for text in texts)
    assert "没有班组" not in picture
    assert len(list(root.iter("{http://www.w3.org/2000/svg}circle"))) == 2


def test_a_picture_of_very_many_stays_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_picture, "_LISTED", 0)
    monkeypatch.setattr(zone_picture, "_MOST_LABELS", 1)
    both = Zone("C", "丁", None, "t", True, MultiPolygon([RIGHT, shapely.box(113.0, 28.0, 113.1, 28.1)]))
    picture = svg((ONE, OVER, both), problems_of((ONE, OVER, both), {"t"}), "x")
    assert "… 其余 2 处从略" in picture
    assert ">A</text>" not in picture
