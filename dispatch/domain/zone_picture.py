"""A grid map with its faults as a picture: SVG, which every browser opens and every print shop enlarges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import shapely
from shapely import Polygon

from dispatch.domain.place import metres_per_degree
from dispatch.domain.zone_problems import KIND_LABELS, Kind, ZoneProblem
from dispatch.domain.zones import Zone

_WIDTH, _LINE, _MARGIN = 1200.0, 20.0, 16.0
_COLOURS = {Kind.OVERLAP: "#C4161C", Kind.GAP: "#B25A00", Kind.SLIVER: "#595F69"}
_LISTED = 100
_MOST_LABELS = 300


def svg(zones: Sequence[Zone], problems: Sequence[ZoneProblem], title: str) -> str:
    """Return the picture: grids in grey, overlaps red, gaps orange, each with its number in the list below.

    Args:
        zones: At least one, WGS-84.
        problems: As of `problems_of`; only those that are areas are drawn.
        title: What the picture is of.
    """
    drawn = [problem for problem in problems if problem.kind in _COLOURS]
    west, south, east, north = shapely.total_bounds([zone.geometry for zone in zones]).tolist()
    east_m, north_m = metres_per_degree((south + north) / 2)
    scale = (_WIDTH - 2 * _MARGIN) / max((east - west) * east_m, 1.0)
    origin, per_degree = np.array([west, north]), np.array([east_m * scale, -north_m * scale])
    top = 3 * _LINE
    high = (north - south) * north_m * scale

    def placed(shape: Any) -> Any:
        return shapely.transform(shape, lambda lonlats: (lonlats - origin) * per_degree + (_MARGIN, top))

    listed = [_text(n, problem) for n, problem in enumerate(drawn[:_LISTED], 1)]
    if len(drawn) > _LISTED:
        listed.append(f"… 其余 {len(drawn) - _LISTED} 处从略")
    tall = top + high + (len(listed) + 2) * _LINE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {tall:.0f}" '
        'font-family="PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif" font-size="14">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="#FFF"/>',
        f'<text x="{_MARGIN}" y="{1.6 * _LINE}" font-size="18">{escape(title)}: {len(zones)} 个网格, '
        f"{len(drawn)} 处重叠或缝隙</text>",
        *(_path(placed(zone.geometry), 'fill="#E8ECEF" stroke="#7A828C" stroke-width="0.8"') for zone in zones),
        *_labels(zones, placed),
        *(line for n, problem in enumerate(drawn, 1) for line in _mark(n, problem, placed(problem.shape))),
        *(
            f'<text x="{_MARGIN}" y="{top + high + (n + 1.5) * _LINE:.1f}">{escape(text)}</text>'
            for n, text in enumerate(listed)
        ),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _text(n: int, problem: ZoneProblem) -> str:
    return f"{n}. {KIND_LABELS[problem.kind]} {problem.area_m2:,.1f} m²: {problem.reason}"


def _labels(zones: Sequence[Zone], placed: Any) -> Iterator[str]:
    for zone in zones if len(zones) <= _MOST_LABELS else ():
        spot = placed(zone.geometry.representative_point())
        style = 'font-size="9" fill="#595F69" text-anchor="middle"'
        yield f'<text x="{spot.x:.1f}" y="{spot.y:.1f}" {style}>{escape(zone.zone_id)}</text>'


def _mark(n: int, problem: ZoneProblem, shape: Any) -> Iterator[str]:
    """The area itself, and a ring with its number around what may be too thin to be seen."""
    colour = _COLOURS[problem.kind]
    yield _path(shape, f'fill="{colour}" fill-opacity="0.75" stroke="{colour}"')
    spot = shape.representative_point()
    yield f'<circle cx="{spot.x:.1f}" cy="{spot.y:.1f}" r="9" fill="none" stroke="{colour}" stroke-width="2"/>'
    yield f'<text x="{spot.x + 12:.1f}" y="{spot.y + 5:.1f}" fill="{colour}" font-weight="bold">{n}</text>'


def _path(shape: Any, style: str) -> str:
    parts = [part for part in shapely.get_parts(shape) if isinstance(part, Polygon)]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    steps = " ".join("M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in ring.coords[:-1]) + " Z" for ring in rings)
    return f'<path d="{steps}" fill-rule="evenodd" {style}/>'
