"""Small files of the tests: two square grids in Changsha, and tables of places and calls."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from dispatch.cli.main import cli
from dispatch.domain.settings import Settings

Json = dict[str, Any]
IN_A, IN_B = ("112.95", "28.15"), ("113.05", "28.15")


def square(west: float, south: float, size: float = 0.1) -> list[list[float]]:
    """A closed ring."""
    east, north = west + size, south + size
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def feature(ring: Any, kind: str = "Polygon", **properties: Any) -> Json:
    coordinates = [ring] if kind == "Polygon" else ring
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def collection(*features: Json, **members: Any) -> Json:
    return {"type": "FeatureCollection", **members, "features": list(features)}


def two_zones(**members: Any) -> Json:
    """Grids `a` and `b` side by side."""
    a = feature(square(112.9, 28.1), id="a", name="甲网格")
    return collection(a, feature(square(113.0, 28.1), id="b", name="乙网格"), **members)


def write_zones(folder: Path, content: Json | None = None) -> Path:
    path = folder / "grids.geojson"
    path.write_text(json.dumps(two_zones() if content is None else content), encoding="utf-8")
    return path


def write(folder: Path, text: str, name: str = "in.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def run(folder: Path, *args: object) -> Result:
    """Run a command on a database in `folder`."""
    settings = Settings(database_url=database(folder))
    texts: Sequence[str] = [str(arg) for arg in args]
    return CliRunner().invoke(cli, texts, obj=lambda: settings)


def database(folder: Path) -> str:
    return f"sqlite:///{folder / 'dispatch.db'}"
