"""A notice as a picture for WeChat and the newspaper: SVG with presentation attributes alone, which any CSP shows."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import shapely
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

from dispatch.domain.outage_words import heading, lines
from dispatch.domain.place import metres_per_degree
from dispatch.domain.times import shanghai_text
from dispatch.domain.zones import Zone

WIDTH = 1080
_MARGIN, _LINE, _MAP_HIGH = 60.0, 52.0, 560.0
# A line holds so many wide characters.
_COLUMNS = 29
_HEAD = 170.0
# A smaller area is shown with as much around it: without streets nobody would know where it lies.
_LEAST_M = 1_500.0


def svg(row: Mapping[str, Any], zones: Sequence[Zone], names: Sequence[str], shape: BaseGeometry) -> str:
    """Return the picture.

    Args:
        row: The notice as it is kept.
        zones: The grids that it lies among, drawn as outlines.
        names: Names of its own grids.
        shape: What it covers, WGS-84; may be empty.
    """
    told = [piece for line in lines(row, names) for piece in _wrapped(line)]
    has_map = not shape.is_empty
    top = _HEAD + (_MAP_HIGH + _LINE if has_map else 0.0)
    tall = top + (len(told) + 3) * _LINE
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{tall:.0f}" viewBox="0 0 {WIDTH} {tall:.0f}" '
        'font-family="PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif" font-size="34" fill="#1A1A1A">',
        f"<title>{escape(heading(row))}: {escape(row['title'])}</title>",
        '<rect width="100%" height="100%" fill="#FFF"/>',
        f'<rect width="{WIDTH}" height="120" fill="#0B4F7D"/>',
        f'<text x="{WIDTH / 2}" y="80" font-size="56" font-weight="bold" fill="#FFF" text-anchor="middle">'
        f"{escape(heading(row))}</text>",
        *(_map(zones, shape) if has_map else ()),
        *(f'<text x="{_MARGIN}" y="{top + n * _LINE:.0f}">{escape(piece)}</text>' for n, piece in enumerate(told)),
        f'<text x="{_MARGIN}" y="{tall - 1.4 * _LINE:.0f}" font-weight="bold">供水服务热线 96533</text>',
        f'<text x="{WIDTH - _MARGIN}" y="{tall - 1.4 * _LINE:.0f}" text-anchor="end" fill="#595F69">'
        f"{shanghai_text(row['published_at'] or row['created_at'])}</text>",
        "</svg>",
    ]
    return "\n".join(drawn) + "\n"


def _map(zones: Sequence[Zone], shape: BaseGeometry) -> Iterator[str]:
    """The covered area in the middle of its surroundings, each way half as wide again."""
    west, south, east, north = shape.bounds
    east_m, north_m = metres_per_degree((south + north) / 2)
    wide, high = max((east - west) * east_m, _LEAST_M) * 1.6, max((north - south) * north_m, _LEAST_M) * 1.6
    across = WIDTH - 2 * _MARGIN
    scale = min(across / wide, _MAP_HIGH / high)
    middle = np.array([(west + east) / 2, (south + north) / 2])
    per_degree = np.array([east_m * scale, -north_m * scale])
    centre = np.array([WIDTH / 2, _HEAD - 20 + _MAP_HIGH / 2])
    window = shapely.box(_MARGIN, _HEAD - 20, WIDTH - _MARGIN, _HEAD - 20 + _MAP_HIGH)

    def placed(one: BaseGeometry) -> BaseGeometry:
        moved = shapely.transform(one, lambda lonlats: (lonlats - middle) * per_degree + centre)
        return shapely.intersection(shapely.make_valid(moved), window)

    yield _path(window, 'fill="#F4F6F8" stroke="#7A828C"')
    for zone in zones:
        grid = placed(zone.geometry)
        if not grid.is_empty:
            yield _path(grid, 'fill="none" stroke="#9AA3AD" stroke-width="1.5"')
    yield _path(placed(shape), 'fill="#0B4F7D" fill-opacity="0.35" stroke="#0B4F7D" stroke-width="5"')


def _path(shape: BaseGeometry, style: str) -> str:
    parts = [part for part in shapely.get_parts(shape) if isinstance(part, Polygon)]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    steps = " ".join("M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in ring.coords[:-1]) + " Z" for ring in rings)
    return f'<path d="{steps}" fill-rule="evenodd" {style}/>'


def _wrapped(text: str) -> list[str]:
    """Break a line where it is full: a Chinese sign is as wide as two letters."""
    pieces, width = [""], 0
    for char in text:
        wide = 2 if unicodedata.east_asian_width(char) in "WFA" else 1
        if width + wide > 2 * _COLUMNS:
            pieces.append("")
            width = 0
        pieces[-1] += char
        width += wide
    return pieces
