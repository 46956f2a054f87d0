"""Small zone files in Changsha, and how the tests of zones read them."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from shapely import Polygon, box
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from dispatch.domain.errors import InvalidZoneFile
from dispatch.domain.place import Datum, Wgs84Point, to_bd09, to_gcj02
from dispatch.domain.zone_file import ZoneFile, read_zones
from dispatch.domain.zone_json import Problem

LEFT, RIGHT = box(112.90, 28.0, 112.92, 28.1), box(112.92, 28.0, 112.94, 28.1)
RING = [[112.9, 28.0], [113.0, 28.0], [113.0, 28.1], [112.9, 28.1], [112.9, 28.0]]
# A crooked district: a straight border may slide along itself when shifted.
DISTRICT = Polygon(
    [
        (112.9, 28.0),
        (112.94, 28.02),
        (113.0, 27.99),
        (113.05, 28.03),
        (113.02, 28.09),
        (112.96, 28.07),
        (112.91, 28.1),
    ]
)
REFERENCE = {"天心区": DISTRICT}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    shape = mapping(geometry) if isinstance(geometry, BaseGeometry) else geometry
    return {"type": "Feature", "properties": properties, "geometry": shape}


def polygon(*rings: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def document(*features: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode()


def read(*features: Any, **options: Any) -> ZoneFile:
    return read_zones(document(*features), **({"datum": Datum.WGS84} | options))


def refused(data: bytes, **options: Any) -> list[Problem]:
    with pytest.raises(InvalidZoneFile) as caught:
        read_zones(data, **({"datum": Datum.WGS84} | options))
    problems: list[Problem] = caught.value.extra["problems"]
    assert f"共 {len(problems)} 处问题" in caught.value.detail
    assert problems[0]["reason"] in caught.value.detail
    return problems


def reasons(problems: Sequence[Problem]) -> list[str]:
    return [problem["reason"] for problem in problems]


def shift(lonlats: Any, datum: Datum) -> Any:
    forward = {Datum.WGS84: lambda point: point, Datum.GCJ02: to_gcj02, Datum.BD09: to_bd09}[datum]
    points = [forward(Wgs84Point(lon, lat)) for lon, lat in lonlats.tolist()]
    return np.array([(point.lon, point.lat) for point in points])
