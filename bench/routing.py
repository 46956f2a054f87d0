"""Numbers #5, #6 and #7: a point to its zone, a million points to theirs, agreement with the naive scan.

Run `python -m bench.routing` from the project's folder. PostGIS and geopandas are not at hand here: the naive
loop and the best that shapely alone does in bulk stand for them.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from bench.report import Report, interleaved
from dispatch.domain.place import Datum, Floats
from dispatch.domain.zone_file import read_zones
from dispatch.domain.zone_index import Ints, ZoneIndex
from dispatch.domain.zones import Zone

WEST, SOUTH, EAST, NORTH = 112.6, 27.9, 113.5, 28.7
SINGLES, BULK, PROBES = 2_000, 1_000_000, 100_000
ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "data" / "zones.geojson"


def tiling(count: int) -> list[Zone]:
    """Crooked cells that cover the city: a Voronoi diagram with 20 vertices more on every edge."""
    random = np.random.default_rng(count)
    city = box(WEST, SOUTH, EAST, NORTH)
    seeds = shapely.multipoints(random.uniform((WEST, SOUTH), (EAST, NORTH), (count, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=city))
    width = 0.5 * (EAST - WEST) / count**0.5
    shapes = shapely.segmentize(shapely.intersection(cells, city), width / 20)
    return zones_of([shape for shape in shapes if not shape.is_empty])


def zones_of(shapes: Sequence[Polygon | MultiPolygon]) -> list[Zone]:
    """Name the shapes in order."""
    return [Zone(f"Z{n:05d}", f"网格 {n}", None, None, True, shape) for n, shape in enumerate(shapes)]


def places(seed: int, count: int) -> Floats:
    """Random lon and lat, shape (count, 2), a tenth of them outside the city."""
    return np.random.default_rng(seed).uniform((WEST - 0.05, SOUTH), (EAST + 0.05, NORTH), (count, 2))


def single(report: Report, index: ZoneIndex, label: str) -> None:
    """#5: one point at a time."""
    pairs = [(lon, lat) for lon, lat in places(1, SINGLES).tolist()]
    few = pairs[: max(20, 20_000 // len(index.zones))]
    one = index.zones[0].geometry

    def locate() -> None:
        for lon, lat in pairs:
            index.locate(lon, lat)

    def exact() -> None:
        for lon, lat in pairs:
            shapely.contains_xy(one, lon, lat)

    def naive() -> None:
        for lon, lat in few:
            point = Point(lon, lat)
            next((zone for zone in index.zones if zone.geometry.covers(point)), None)

    seconds = interleaved({"index": locate, "exact": exact, "naive": naive})
    index_us = seconds["index"] / len(pairs) * 1e6
    exact_us = seconds["exact"] / len(pairs) * 1e6
    naive_us = seconds["naive"] / len(few) * 1e6
    report.note(f"{label}: index {index_us:.2f} µs, one contains_xy {exact_us:.2f} µs, naive {naive_us:,.0f} µs")
    report.row(5, f"single point / one exact contains_xy, {label}", index_us / exact_us, "<=", 2)
    if len(index.zones) >= 2_000:
        report.row(5, f"single point / naive loop, {label}", index_us / naive_us, "<=", 0.1)


def bulk(report: Report, index: ZoneIndex, label: str) -> None:
    """#6: a million points; the peer gets its point objects and its prepared geometry for nothing."""
    lons, lats = np.ascontiguousarray(places(2, BULK).T)
    points = shapely.points(lons, lats)
    geometries = np.array([zone.geometry for zone in index.zones], dtype=object)
    shapely.prepare(geometries)
    tree = shapely.STRtree(geometries)

    def raster() -> Ints:
        return index.locate_many(lons, lats)

    def shapely_only() -> Ints:
        point, position = tree.query(points)
        is_in = shapely.contains_xy(geometries[position], lons[point], lats[point])
        found = np.full(len(lons), -1)
        found[point[is_in]] = position[is_in]
        return found

    seconds = interleaved({"raster": raster, "shapely": shapely_only}, rounds=5)
    report.note(f"{label}: index {seconds['raster']:.3f} s, shapely {seconds['shapely']:.3f} s, 1 M points")
    report.row(6, f"speed against bbox query + contains_xy, {label}", seconds["shapely"] / seconds["raster"], ">=", 1)


def rezoning(report: Report) -> None:
    """#6 as people use it: `rezone` reads and writes a table of a million rows, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "in.csv", Path(folder) / "out.csv"
        np.savetxt(source, places(4, BULK), "%.6f", delimiter=",", header="lon,lat", comments="")
        command = [sys.executable, str(ROOT / "run.py"), "rezone", "--csv", str(source), "--out", str(out)]
        begin = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    report.note(f"{done.stdout.strip().rpartition(': ')[2]} in {seconds:.1f} s, from file to file")
    report.row(6, "memory of `rezone` at 1 M rows, MB", peak / 1024, "<=", 500)


def agreement(report: Report, index: ZoneIndex, label: str) -> None:
    """#7: random points, all vertices, all edge midpoints against covers in the order of the ids."""
    parts = shapely.get_parts([zone.geometry for zone in index.zones])
    edges = [np.asarray(ring.coords) for ring in shapely.get_rings(parts)]
    middles = [(edge[:-1] + edge[1:]) / 2 for edge in edges]
    lonlats = np.concatenate([places(3, PROBES), *edges, *middles])
    points = np.asarray(shapely.points(lonlats))
    expected = np.full(len(lonlats), -1)
    for position in reversed(range(len(index.zones))):
        expected[shapely.covers(index.zones[position].geometry, points)] = position
    zones = [*index.zones, None]
    singly = [index.locate(lon, lat) is not zones[n] for (lon, lat), n in zip(lonlats.tolist(), expected, strict=True)]
    many = index.locate_many(*lonlats.T) != expected
    report.row(7, f"differences at {len(lonlats):,} places, one by one, {label}", sum(singly), "<=", 0)
    report.row(7, f"differences at {len(lonlats):,} places, in bulk, {label}", int(many.sum()), "<=", 0)


def main() -> int:
    """Print all figures; return 1 if one misses its limit, else 0."""
    report = Report("Routing", "shapely", "numpy")
    report.note(f"GEOS {shapely.geos_version_string}")
    cases = {"9 zones": tiling(9), "2,000 zones": tiling(2_000)}
    if SAMPLE.exists():
        zones = read_zones(SAMPLE.read_bytes(), datum=Datum.WGS84).zones
        cases = {f"{len(zones)} sample grids": list(zones)} | cases
    for label, zones_ in cases.items():
        begin = time.perf_counter()
        index = ZoneIndex(zones_)
        report.note(f"{label}: built in {time.perf_counter() - begin:.2f} s")
        single(report, index, label)
        bulk(report, index, label)
        agreement(report, index, label)
    rezoning(report)
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
