"""Quarantine: placeholders, places far away, axes that changed places."""

import pytest
from shapely import box

from dispatch.domain.place import Wgs84Point, metres_per_degree
from dispatch.domain.zones import ServiceArea, Zone, quarantine_reason

ZONES = [
    Zone("天心-01", "天心-01网格", "城南", "tianxin-01", True, box(112.90, 28.00, 113.00, 28.10)),
    Zone("天心-02", "天心-02网格", "城南", "tianxin-02", True, box(113.00, 28.00, 113.10, 28.20)),
]
AREA = ServiceArea.around(ZONES, 50_000)


def test_the_area_is_the_bounds_and_a_margin_in_metres() -> None:
    east_m, north_m = metres_per_degree(28.1)
    assert (112.90 - AREA.west) * east_m == pytest.approx(50_000)
    assert (AREA.east - 113.10) * east_m == pytest.approx(50_000)
    assert (28.00 - AREA.south) * north_m == pytest.approx(50_000)
    assert (AREA.north - 28.20) * north_m == pytest.approx(50_000)


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(0, 0), (-0.0, 0.0), (1, 1), (-1, -1), (90, 90), (180, 90), (-180, -90), (180, -90), (-180, 0)],
)
def test_placeholders_are_quarantined_wherever_the_zones_are(lon: float, lat: float) -> None:
    everywhere = ServiceArea(-180, -90, 180, 90)
    reason = quarantine_reason(Wgs84Point(lon, lat), everywhere)
    assert reason is not None
    assert reason.endswith("是占位值, 不是真实位置")


def test_exchanged_axes_are_named_as_such() -> None:
    reason = quarantine_reason(Wgs84Point(28.05, 112.95), AREA)
    assert reason == "坐标 (28.050000, 112.950000) 在服务区外, 疑似经纬度颠倒"


def test_far_away_is_quarantined() -> None:
    reason = quarantine_reason(Wgs84Point(116.4, 39.9), AREA)
    assert reason == "坐标 (116.400000, 39.900000) 远在服务区外"


def test_the_margin_decides_to_the_metre() -> None:
    east_m, _ = metres_per_degree(28.1)
    assert quarantine_reason(Wgs84Point(113.10 + 49_999 / east_m, 28.1), AREA) is None
    assert quarantine_reason(Wgs84Point(113.10 + 50_001 / east_m, 28.1), AREA) is not None


def test_inside_is_believed() -> None:
    assert quarantine_reason(Wgs84Point(112.95, 28.05), AREA) is None
