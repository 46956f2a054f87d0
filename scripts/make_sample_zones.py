"""Make the sample grids and their roster from the district outlines.

    python scripts/make_sample_zones.py [--out DIR]

Reads data/districts.geojson; writes zones.geojson and roster.json (to data/ by default). The same input gives
the same bytes on every run. Real grids are not public: these are a stand-in of a realistic shape.

How: in each district, seeds from a low-discrepancy sequence are spread by Lloyd's method, denser near the
depots. Their Voronoi edges and all outlines are noded together on one coordinate grid, so that neighbouring
zones share exactly the same vertices, within a district and across districts.

The source outlines already share their vertices (measured: no overlap, gap or hole between the nine), so
there is no rule for slivers between districts; `check` fails if a later source needs one. Where a grid edge
meets an outline, its end is rounded to 7 decimals and bends that outline by at most 1 cm.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

Points = npt.NDArray[np.float64]  # (n, 2): x, y in metres or lon, lat in degrees
Values = npt.NDArray[np.float64]  # (n,)
Json = dict[str, Any]

DATA = Path(__file__).resolve().parent.parent / "data"
DECIMALS = 7  # about 1 cm
GRID = 10.0**-DECIMALS


class District(NamedTuple):
    """One district: how it is named, cut and run."""

    adcode: str
    short: str
    slug: str
    zones: int
    branch: str


DISTRICTS = (
    District("430102", "芙蓉", "furong", 12, "城东"),
    District("430103", "天心", "tianxin", 15, "城南"),
    District("430104", "岳麓", "yuelu", 22, "城西"),
    District("430105", "开福", "kaifu", 15, "城北"),
    District("430111", "雨花", "yuhua", 19, "城东"),  # its south: see SOUTH_YUHUA
    District("430112", "望城", "wangcheng", 13, "望城"),
    District("430121", "长沙", "changshaxian", 16, "星沙"),
)
SOUTH_YUHUA = (28.11, "城南")  # a zone of 雨花 whose inner point lies south of this latitude: this branch
BRANCHES = ("城东", "城南", "城西", "城北", "望城", "星沙")

# Invented depots (lon, lat), no real addresses. A zone is in the 30-minute circle when its inner point lies
# within CIRCLE_M of one: 25 minutes at 30 km/h make 12.5 km of road, or about 9 km in a straight line.
DEPOTS: Points = np.array(
    [
        (113.030, 28.195),
        (112.990, 28.125),
        (113.005, 28.050),
        (112.930, 28.190),
        (112.985, 28.255),
        (112.820, 28.360),
        (113.090, 28.240),
    ]
)
CIRCLE_M = 9_000.0

PILOT_DISTRICT, PILOT_ZONES = "天心", 8  # its last eight: 8 zones, 9 stewards
NOTICE = (
    "样例数据：由 scripts/make_sample_zones.py 依据简化区县轮廓生成，并非供水企业的真实网格。 "
    "Sample data made by scripts/make_sample_zones.py from simplified district outlines; "
    "not the real grids of any utility."
)
ROSTER_NOTICE = (
    "样例数据：班组与水管家均为虚构角色，不含姓名与电话。 "
    "Sample data: teams and stewards are fictional roles, without names or phone numbers."
)

# Local metres around the city centre; within 0.5 % over the city, enough for spacing and distances.
ORIGIN: Points = np.array((113.0, 28.2))
M_PER_DEG: Points = np.array((111_320.0 * math.cos(math.radians(28.2)), 110_850.0))


@dataclass
class Zone:
    """One grid; the id is known only after all grids of its district are ordered."""

    district: District
    shape: BaseGeometry
    point: Points  # representative point, lon, lat
    id: str = ""
    team: str = ""

    @property
    def branch(self) -> str:
        """Branch that serves the zone."""
        latitude, branch = SOUTH_YUHUA
        is_south = self.district.short == "雨花" and self.point[1] < latitude
        return branch if is_south else self.district.branch

    @property
    def in_circle(self) -> bool:
        """Whether a crew can be there in 30 minutes."""
        return bool(depot_distance_m(to_metres(self.point[None]))[0] <= CIRCLE_M)


def to_metres(lonlat: Points) -> Points:
    """Degrees to local metres."""
    return (lonlat - ORIGIN) * M_PER_DEG


def to_degrees(xy: Points) -> Points:
    """Local metres to degrees."""
    return xy / M_PER_DEG + ORIGIN


def distances_m(points: Points, others: Points) -> Points:
    """Distances of every point (rows) to every other (columns)."""
    apart = points[:, None] - others[None]
    distances: Points = np.hypot(apart[..., 0], apart[..., 1])
    return distances


def depot_distance_m(points: Points) -> Values:
    """Distance of each point, in local metres, to the nearest depot."""
    nearest: Values = distances_m(points, to_metres(DEPOTS)).min(axis=1)
    return nearest


# --- cutting ---


def density(points: Points) -> Values:
    """How much more finely the city is cut near a depot than far out."""
    weight: Values = 1.0 / (1.0 + (depot_distance_m(points) / 4_000.0) ** 2) + 0.02
    return weight


def low_discrepancy(count: int) -> Points:
    """First points of the R3 sequence in the unit cube. Source: M. Roberts, 2018."""
    ratio = 1.2207440846057596  # root of x**4 = x + 1
    steps = np.array([ratio**-1, ratio**-2, ratio**-3])
    points: Points = (0.5 + np.arange(1, count + 1)[:, None] * steps) % 1.0
    return points


def spread_seeds(outline: BaseGeometry, count: int) -> Points:
    """Evenly spread seeds in the outline (local metres), denser where `density` is higher."""
    low_x, low_y, high_x, high_y = outline.bounds
    cube = low_discrepancy(40_000)
    cloud = cube[:, :2] * (high_x - low_x, high_y - low_y) + (low_x, low_y)
    inside = shapely.contains_xy(outline, cloud[:, 0], cloud[:, 1])
    cloud, chance = cloud[inside], cube[inside, 2]
    weight = density(cloud)
    seeds: Points = cloud[chance < weight / weight.max()][:count]
    for _ in range(60):
        nearest = distances_m(cloud, seeds).argmin(axis=1)
        total = np.bincount(nearest, weight, count)
        sums = [np.bincount(nearest, weight * axis, count) for axis in cloud.T]
        # Rounded so that the last bits, which differ between machines, cannot grow from round to round.
        seeds[:] = np.round(np.stack(sums, axis=1) / total[:, None], 1)
    return seeds


def cut_lines(outline: BaseGeometry, seeds: Points) -> BaseGeometry:
    """Voronoi edges of the seeds (local metres), clipped to the outline; outline and edges in degrees."""
    extent = outline_m(outline)
    edges = shapely.voronoi_polygons(shapely.MultiPoint(seeds), extend_to=extent, only_edges=True)
    return shapely.transform(edges, to_degrees).intersection(outline)


def outline_m(outline: BaseGeometry) -> BaseGeometry:
    """The outline in local metres."""
    return shapely.transform(outline, to_metres)


def faces_of(lines: Iterable[BaseGeometry]) -> list[BaseGeometry]:
    """Node all lines on one coordinate grid and return the faces between them."""
    noded = shapely.union_all(list(lines), grid_size=GRID)
    # Snapped coordinates may still carry last-bit noise; equal ones round equally, so vertices stay shared.
    noded = shapely.transform(noded, lambda xy: np.round(xy, DECIMALS))
    return list(shapely.polygonize(list(shapely.get_parts(noded))).geoms)


def join_strays(parts: Sequence[tuple[int, BaseGeometry]]) -> list[BaseGeometry]:
    """One polygon per seed: a piece cut off from its main part joins the neighbour with most common edge."""
    by_seed: dict[int, list[BaseGeometry]] = defaultdict(list)
    for seed, face in sorted(parts, key=lambda part: -part[1].area):
        by_seed[seed].append(face)
    mains = {seed: faces[0] for seed, faces in sorted(by_seed.items())}
    for faces in by_seed.values():
        for stray in faces[1:]:
            host = max(mains, key=lambda seed: mains[seed].intersection(stray).length)
            mains[host] = shapely.coverage_union_all([mains[host], stray])
    return list(mains.values())


def cut_city(outlines: dict[str, BaseGeometry]) -> list[Zone]:
    """Cut every district into its grids, all on the same vertices."""
    seeds = {d.adcode: spread_seeds(outline_m(outlines[d.adcode]), d.zones) for d in DISTRICTS}
    borders = [shapely.boundary(outlines[d.adcode]) for d in DISTRICTS]
    faces = faces_of(borders + [cut_lines(outlines[code], points) for code, points in seeds.items()])
    inner = [face.representative_point() for face in faces]
    zones: list[Zone] = []
    for district in DISTRICTS:
        parts = []
        for face, point in zip(faces, inner, strict=True):
            if outlines[district.adcode].covers(point):
                at = to_metres(shapely.get_coordinates(point))
                parts.append((int(distances_m(at, seeds[district.adcode]).argmin()), face))
        zones += number([zone_of(district, shape) for shape in join_strays(parts)])
    return zones


def zone_of(district: District, shape: BaseGeometry) -> Zone:
    """A grid whose ring has a fixed start and runs counter-clockwise, as RFC 7946 wants."""
    tidy = shapely.orient_polygons(shapely.normalize(shape))
    return Zone(district, tidy, shapely.get_coordinates(tidy.representative_point())[0])


def number(zones: list[Zone]) -> list[Zone]:
    """Order the grids of a district like a page: rows north to south, west to east in each."""
    north = max(zone.shape.bounds[3] for zone in zones)
    south = min(zone.shape.bounds[1] for zone in zones)
    row_height = (north - south) / round(math.sqrt(len(zones)))
    zones = sorted(zones, key=lambda z: (int((north - z.point[1]) / row_height), z.point[0]))
    for index, zone in enumerate(zones, start=1):
        zone.id, zone.team = f"{zone.district.short}-{index:02d}", f"{zone.district.slug}-{index:02d}"
    return zones


# --- people ---


def share_teams(zones: list[Zone]) -> None:
    """Outside the circle one team serves two adjoining grids where it can."""
    free = [zone for zone in zones if not zone.in_circle]
    while free:
        zone = free.pop(0)
        home = (zone.district, zone.branch)
        common = [
            zone.shape.intersection(other.shape).length if (other.district, other.branch) == home else 0.0
            for other in free
        ]
        if any(common):
            free.pop(common.index(max(common))).team = zone.team


def pilot_of(zones: list[Zone]) -> list[Zone]:
    """The grids of the pilot area."""
    return [zone for zone in zones if zone.district.short == PILOT_DISTRICT][-PILOT_ZONES:]


def roster_of(zones: list[Zone]) -> Json:
    """Branches, teams and stewards; in the pilot only the first grid has a B."""
    pilot = [zone.id for zone in pilot_of(zones)]
    first: dict[str, Zone] = {}
    for zone in zones:
        first.setdefault(zone.team, zone)
    teams = []
    for team, zone in first.items():
        ranks = "A" if zone.id in pilot[1:] else "AB"
        stewards = [
            {"id": f"{team}-{rank.lower()}", "name": f"{zone.id} 水管家 {rank}角", "rank": rank} for rank in ranks
        ]
        name = f"{zone.id} 水管家班组"
        teams.append({"id": team, "name": name, "branch": zone.branch, "stewards": stewards})
    return {
        "is_sample": True,
        "notice": ROSTER_NOTICE,
        "pilot": {"name": "城南试点片区", "zone_ids": pilot},
        "branches": [{"id": branch, "name": f"{branch}分公司"} for branch in BRANCHES],
        "teams": teams,
    }


# --- files and check ---


def feature_of(zone: Zone, names: dict[str, str]) -> Json:
    """One GeoJSON feature."""
    properties = {
        "id": zone.id,
        "name": f"{zone.id}网格",
        "branch": zone.branch,
        "district": names[zone.district.adcode],
        "adcode": zone.district.adcode,
        "team_id": zone.team,
        "in_circle": zone.in_circle,
    }
    geometry = json.loads(shapely.to_geojson(zone.shape))
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def dump(head: Json, key: str, rows: Iterable[Json]) -> str:
    """Compact JSON with one row per line, so that a change reads well in a diff."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    return f'{json.dumps(head, ensure_ascii=False)[:-1]}, "{key}": [\n{lines}\n]}}\n'


def check(zones: list[Zone], outlines: dict[str, BaseGeometry]) -> str:
    """Prove the coverage on the shapes as written; raise SystemExit when it is not one."""
    shapes = [zone.shape for zone in zones]
    union, outline = shapely.union_all(shapes), shapely.union_all([outlines[d.adcode] for d in DISTRICTS])
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = [(shapes[i], shapes[j]) for i, j in zip(left, right, strict=True) if i < j]
    overlaps = sum(shapely.relate_pattern(a, b, "T********") for a, b in pairs)
    holes = sum(len(part.interiors) for part in shapely.get_parts(union))
    square_m = float(M_PER_DEG.prod())
    facts = {
        "zones": len(zones) == sum(d.zones for d in DISTRICTS),
        "single valid polygons": all(s.geom_type == "Polygon" and s.is_valid for s in shapes),
        "shared vertices": shapely.coverage_is_valid(shapes, gap_width=0.001),
        "no overlap": overlaps == 0,
        "one piece without holes": union.geom_type == "Polygon" and holes == 0,
    }
    if not all(facts.values()):
        raise SystemExit(f"not a coverage: {[fact for fact, is_true in facts.items() if not is_true]}")
    return (
        f"{len(zones)} zones, {sum(z.in_circle for z in zones)} in the circle, {len(pairs)} touching pairs, "
        f"{overlaps} overlaps, {holes} holes; against the outlines: "
        f"{outline.difference(union).area * square_m:.1f} m² uncovered, "
        f"{union.difference(outline).area * square_m:.1f} m² outside, "
        f"of {outline.area * square_m / 1e6:.1f} km²"
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Write both files and print the figures."""
    parser = argparse.ArgumentParser(description="Make the sample zones and roster.")
    parser.add_argument("--out", type=Path, default=DATA, help="folder to write to (default: data/)")
    out: Path = parser.parse_args(argv).out
    source = json.loads((DATA / "districts.geojson").read_text(encoding="utf-8"))["features"]
    outlines = {f["properties"]["adcode"]: shapely.from_geojson(json.dumps(f["geometry"])) for f in source}
    names = {f["properties"]["adcode"]: f["properties"]["name"] for f in source}
    zones = cut_city(outlines)
    share_teams(zones)
    figures = check(zones, outlines)
    head = {"type": "FeatureCollection", "name": "changsha_sample_zones", "is_sample": True}
    head |= {"notice": NOTICE, "datum": "wgs84"}
    roster = roster_of(zones)
    teams = roster.pop("teams")
    files = {
        "zones.geojson": dump(head, "features", [feature_of(zone, names) for zone in zones]),
        "roster.json": dump(roster, "teams", teams),
    }
    for name, text in files.items():
        (out / name).write_text(text, encoding="utf-8", newline="\n")
    print(figures)


if __name__ == "__main__":
    main()
