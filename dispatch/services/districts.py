"""The outlines that are shipped: the districts of the city, to doubt a datum and to find what a grid map leaves out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import shapely
from shapely.geometry.base import BaseGeometry

SHIPPED = Path(__file__).parents[2] / "data" / "districts.geojson"


@cache
def outlines(file: Path) -> Mapping[str, BaseGeometry]:
    """Return the areas of a GeoJSON file by name, WGS-84; read once."""
    features = json.loads(file.read_bytes())["features"]
    return {
        feature["properties"]["name"]: shapely.from_geojson(json.dumps(feature["geometry"])) for feature in features
    }
