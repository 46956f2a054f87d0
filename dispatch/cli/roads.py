"""import-roads: a road graph from OpenStreetMap. eta: how long from here to there."""

from __future__ import annotations

from pathlib import Path

import click

from dispatch.cli import context, tables
from dispatch.cli.zones import DATUMS
from dispatch.domain.errors import InvalidCoordinate
from dispatch.domain.place import Datum, Wgs84Point, to_wgs84
from dispatch.domain.roles import SYSTEM
from dispatch.geocode.geodesic import distance_m
from dispatch.geocode.roads_osm import read_roads
from dispatch.services import roads


@click.command("import-roads")
@click.argument("file", type=context.ExistingFile)
@click.pass_context
def import_roads(ctx: click.Context, file: Path) -> None:
    """Read the roads of FILE (.osm.pbf, OpenStreetMap) and use them for travel times from now on.

    Needs the packages of requirements-routing.txt. One-ways, speed limits and access are respected; where a road tells
    no limit, data/travel.toml does (DISPATCH_TRAVEL). Turn restrictions and traffic are not known. A file that is
    damaged, has no roads, or lies outside of the grids is refused (exit 2), and the old roads stay in use.
    """
    desk = context.ready_desk(ctx)
    click.echo(f"正在读取 {file.name} ...", err=True)
    graph = read_roads(file, desk.roads.travel, lambda ways: click.echo(f"已读 {ways} 条道路", err=True))
    found = roads.import_graph(desk, SYSTEM, graph, desk.roads.travel, file.name, context.utc_now())
    click.echo(f"已导入路网 v{found.graph_id}: 节点 {len(graph.lonlats)} 个, 路段 {len(graph.tails)} 条")
    if found.covered < found.zones:
        click.echo(
            f"注意: 路网范围只到 {found.covered} / {found.zones} 个网格; 其余网格按直线估算, 不在服务圈内", err=True
        )


@click.command()
@click.option("--from", "origin", metavar="LON,LAT", required=True, help="Where somebody is.")
@click.option("--to", "target", metavar="LON,LAT", required=True, help="Where somebody is waited for.")
@click.option("--datum", type=DATUMS, default="wgs84", show_default=True, help="Datum of both.")
@click.pass_context
def eta(ctx: click.Context, origin: str, target: str, datum: str) -> None:
    """Tell how long it takes from one place to another, by road where roads were imported."""
    start, end = _place(origin, datum, "--from"), _place(target, datum, "--to")
    (found,) = context.ready_desk(ctx).roads.provider().etas(end, [start])
    if found is None:
        click.echo("两地之间没有可用的估计", err=True)
        ctx.exit(1)
    click.echo(f"{found.note} (直线距离 {distance_m(start, end) / 1000:.1f} 公里)")


def _place(text: str, datum: str, option: str) -> Wgs84Point:
    lon, _, lat = text.partition(",")
    try:
        return to_wgs84(tables.point(lon, lat, Datum(datum)))
    except InvalidCoordinate as error:
        raise click.BadParameter(f"{error.detail}; 应为 经度,纬度, 例如 112.98,28.20", param_hint=option) from error
