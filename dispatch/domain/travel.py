"""What travel is reckoned with: speeds on roads, and along the straight line where there are none, with their basis."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dispatch.domain.errors import InvalidInput

_ROADS = ("slow", "snap_m", "off_road_kmh")
_LINE = ("detour_low", "detour_high", "fast_kmh", "slow_kmh", "crossing_m")
_FROM_ONE = ("slow", "detour_low", "detour_high")
MAX_KMH = 150.0


class InvalidTravel(InvalidInput):
    """A file of speeds that cannot be used."""

    code = "invalid-travel"


@dataclass(frozen=True, slots=True)
class RoadRules:
    """How roads are reckoned with.

    Attributes:
        slow: The slower end of a range is so many times the free drive.
        snap_m: A place farther from every road on which a car can stop, in metres, is not on the graph.
        off_road_kmh: Speed between a place and its road, in km/h.
    """

    slow: float
    snap_m: float
    off_road_kmh: float


@dataclass(frozen=True, slots=True)
class LineRules:
    """How the straight line is reckoned with.

    Attributes:
        detour_low: Roads are at least so many times as long as the line.
        detour_high: And at most so many times.
        fast_kmh: Speed when all goes well, in km/h.
        slow_kmh: Speed to reckon with, in km/h.
        crossing_m: Metres more for each barrier that the line crosses.
    """

    detour_low: float
    detour_high: float
    fast_kmh: float
    slow_kmh: float
    crossing_m: float


@dataclass(frozen=True, slots=True)
class Travel:
    """One file of numbers.

    Attributes:
        speeds: km/h by OpenStreetMap's `highway`, where a road tells no limit of its own; others are not driven on.
        roads: For the road graph.
        line: For the straight line.
        raw: The file as it was read, with the basis of every section.
    """

    speeds: Mapping[str, float]
    roads: RoadRules
    line: LineRules
    raw: Mapping[str, Any]


def read(data: bytes) -> Travel:
    """Read a TOML file.

    Raises:
        InvalidTravel: with the field at fault.
    """
    try:
        raw = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise InvalidTravel(f"车速文件应为 UTF-8 的 TOML: {error}") from error
    return parse(raw)


def parse(raw: Mapping[str, Any]) -> Travel:
    """Check what was read, or kept with a road graph.

    Raises:
        InvalidTravel: with the field at fault.
    """
    for name in ("speeds", "roads", "line"):
        section = raw.get(name)
        if not isinstance(section, Mapping):
            raise InvalidTravel(f"缺少 [{name}]", field=name)
        if not isinstance(section.get("basis"), str) or not section["basis"].strip():
            raise InvalidTravel("请写明数值的依据", field=f"{name}.basis")
    speeds = {name: _number(raw, "speeds", name, 1, MAX_KMH) for name in raw["speeds"] if name != "basis"}
    if not speeds:
        raise InvalidTravel("至少要有一种道路的车速", field="speeds")
    roads = RoadRules(*(_value(raw, "roads", name) for name in _ROADS))
    line = LineRules(*(_value(raw, "line", name) for name in _LINE))
    if line.detour_low > line.detour_high:
        raise InvalidTravel("detour_low 不能大于 detour_high", field="line.detour_low")
    if line.slow_kmh > line.fast_kmh:
        raise InvalidTravel("slow_kmh 不能大于 fast_kmh", field="line.slow_kmh")
    return Travel(speeds, roads, line, raw)


def _value(raw: Mapping[str, Any], section: str, name: str) -> float:
    """Read a factor from 1 to 10, a speed, or a length up to 100 km."""
    if name in _FROM_ONE:
        return _number(raw, section, name, 1, 10)
    return _number(raw, section, name, 1, MAX_KMH) if name.endswith("_kmh") else _number(raw, section, name, 0, 1e5)


def _number(raw: Mapping[str, Any], section: str, name: str, least: float, most: float) -> float:
    value = raw[section].get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not least <= value <= most:
        raise InvalidTravel(f"应为 {least:g} 到 {most:g} 之间的数, 现为 {value!r}", field=f"{section}.{name}")
    return float(value)
