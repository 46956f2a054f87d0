"""import-zones: publish a grid map. route: from a table of places to a table of grids."""

from __future__ import annotations

import csv
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import shapely
from shapely.geometry.base import BaseGeometry

from dispatch.cli import context, tables
from dispatch.cli.serve import bring_up
from dispatch.domain.errors import InvalidCoordinate, InvalidInput
from dispatch.domain.place import Datum, to_wgs84
from dispatch.domain.roles import SYSTEM
from dispatch.domain.times import shanghai_text
from dispatch.domain.zone_file import ZoneFile, read_zones
from dispatch.domain.zone_index import ZoneIndex
from dispatch.domain.zones import Route
from dispatch.services import setup

F = TypeVar("F", bound=Callable[..., Any])
ADDED = ("zone_id", "zone_name", "route_status", "reason", "boundary_m", "neighbour_zone_id")
INVALID = "invalid"
DATUMS = click.Choice([datum.value for datum in Datum])
_ID_HELP = "Property with the zone id; id, zone_id or code by default. @index numbers the features."
_NAME_HELP = "Property with the zone name; name by default."


def zone_options(command: F) -> F:
    """Add the options of a command that reads zones from a file and needs no database for it."""
    for option in (
        click.option("--zones-datum", type=DATUMS, default="wgs84", show_default=True, help="Datum of the zone file."),
        click.option("--name-field", help=_NAME_HELP),
        click.option("--id-field", help=_ID_HELP),
        click.option("--zones", "zone_file", type=context.ExistingFile, default=context.DATA / "zones.geojson",
                     help="Zone file; the shipped sample by default."),
    ):  # fmt: skip
        command = option(command)
    return command


def load(data: bytes, datum: str, **fields: Any) -> ZoneFile:
    """Read zones, with their warnings on standard error; `fields` as for read_zones."""
    found = read_zones(data, datum=Datum(datum), reference=_districts(), **fields)
    for warning in found.warnings:
        click.echo(f"注意: {problem_text(warning)}", err=True)
    return found


def problem_text(found: Mapping[str, Any]) -> str:
    """Return one problem of a zone file in one line: feature, place, reason."""
    feature = f"要素 {found['feature']} ({found.get('id') or '无编号'})" if found.get("feature") else "整个文件"
    place = f" 位置 {found['place']}" if found.get("place") else ""
    return f"{feature}{place}: {found['reason']}"


def _districts() -> dict[str, BaseGeometry]:
    collection = json.loads((context.DATA / "districts.geojson").read_bytes())
    return {
        feature["properties"]["name"]: shapely.from_geojson(json.dumps(feature["geometry"]))
        for feature in collection["features"]
    }


@click.command("import-zones")
@click.argument("file", type=context.ExistingFile)
@click.option("--datum", type=DATUMS, required=True, help="What the coordinates are measured against.")
@click.option("--id-field", help=_ID_HELP)
@click.option("--name-field", help=_NAME_HELP)
@click.option("--team-field", help="Property with the team id; team_id or team by default.")
@click.option("--valid-from", callback=context.parse_time, help="ISO 8601 with zone; now by default.")
@click.option("--make-teams", is_flag=True, help="Make a team for each zone whose team the roster lacks.")
@click.option("--check", is_flag=True, help="Only validate the file; touch no database.")
@click.pass_context
def import_zones(
    ctx: click.Context,
    file: Path,
    datum: str,
    id_field: str | None,
    name_field: str | None,
    team_field: str | None,
    valid_from: datetime | None,
    make_teams: bool,
    check: bool,
) -> None:
    """Publish the zones of a GeoJSON FILE as a new version.

    A file with any problem is refused whole (exit 2) and the old version stays live; oddities are warned of.
    """
    data = file.read_bytes()
    zones = load(data, datum, id_field=id_field, name_field=name_field, team_field=team_field).zones
    if check:
        click.echo(f"{file.name}: {len(zones)} 个网格, 可以导入")
        return
    desk = context.desk(ctx)
    bring_up(desk)
    now = context.utc_now()
    version = setup.import_zones(
        desk,
        SYSTEM,
        zones,
        source=file.name,
        data=data,
        valid_from=valid_from or now,
        now=now,
        is_sample=json.loads(data.decode("utf-8-sig")).get("is_sample") is True,
        make_teams=make_teams,
    )
    click.echo(f"已导入网格 v{version}: {len(zones)} 个, 自 {shanghai_text(valid_from or now)} 起生效")
    lone = sum(zone.team_id is None for zone in zones)
    if lone and not make_teams:
        click.echo(f"注意: {lone} 个网格没有班组, 其工单等待调度员派单 (可用 --make-teams 生成班组)", err=True)


@click.command()
@click.option("--csv", "source", type=context.ExistingFile, required=True, help="Table of places.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Table to write.")
@zone_options
@click.option("--lon-col", help=f"Column of degrees east; by default {', '.join(tables.LON[:4])}.")
@click.option("--lat-col", help=f"Column of degrees north; by default {', '.join(tables.LAT[:3])}.")
@click.option("--datum", type=DATUMS, default="wgs84", show_default=True, help="Datum of the table.")
@click.pass_context
def route(
    ctx: click.Context,
    source: Path,
    out: Path,
    zone_file: Path,
    id_field: str | None,
    name_field: str | None,
    zones_datum: str,
    lon_col: str | None,
    lat_col: str | None,
    datum: str,
) -> None:
    """Find the zone of every row of a CSV; needs no database.

    OUT has the columns of the input, in its encoding, and: zone_id, zone_name, route_status, reason, boundary_m,
    neighbour_zone_id. An input that has one of these already is refused. Rows are numbered as in a spreadsheet, the
    header is row 1. Rows without usable coordinates are kept with route_status `invalid`; OUT is complete, they are
    listed and the exit code is 1. OUT appears only when it is complete.
    """
    fields = {"id_field": id_field, "name_field": name_field, "strict_topology": False}
    index = ZoneIndex(load(zone_file.read_bytes(), zones_datum, **fields).zones)
    counts: Counter[str] = Counter()
    faults: defaultdict[str, list[int]] = defaultdict(list)
    with tables.reading(source) as table:
        _check_columns(table.columns, source, out)
        lon, lat = table.find("--lon-col", lon_col, tables.LON), table.find("--lat-col", lat_col, tables.LAT)
        with tables.replacing(out, table.encoding) as text, _progress(source) as bar:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow([*table.columns, *ADDED])
            for row in table.rows():
                added = _route_row(index, row, row.cells[lon], row.cells[lat], Datum(datum))
                writer.writerow([*row.cells, *added])
                counts[added[2]] += 1
                if added[2] == INVALID:
                    faults[added[3]].append(row.number)
                bar.update(table.bytes_read - bar.pos)
    _tell(out, counts, faults)
    ctx.exit(1 if faults else 0)


def _check_columns(columns: list[str], source: Path, out: Path) -> None:
    taken = [name for name in ADDED if name in columns]
    if taken:
        raise InvalidInput(f"{source.name} 已有列 {', '.join(taken)}: 请先改名或删除, 以免混淆")
    if out.exists() and out.samefile(source):
        raise InvalidInput("--out 不能与 --csv 是同一个文件")


def _progress(source: Path) -> Any:
    return click.progressbar(length=source.stat().st_size, label="查找网格", file=sys.stderr)


def _route_row(index: ZoneIndex, row: tables.Row, lon: str, lat: str, datum: Datum) -> tuple[str, ...]:
    """Return the added cells."""
    if row.fault:
        return "", "", INVALID, row.fault, "", ""
    try:
        found: Route = index.route(to_wgs84(tables.point(lon, lat, datum)))
    except InvalidCoordinate as error:
        return "", "", INVALID, error.detail, "", ""
    boundary_m = "" if found.boundary_m is None else f"{found.boundary_m:.1f}"
    return (
        found.zone_id or "", found.zone_name or "", found.status.value, found.reason,
        boundary_m, found.neighbour_zone_id or "",
    )  # fmt: skip


def _tell(out: Path, counts: Counter[str], faults: Mapping[str, list[int]]) -> None:
    parts = ", ".join(f"{status} {count}" for status, count in counts.most_common()) or "没有数据行"
    click.echo(f"{out}: {counts.total()} 行 ({parts})")
    for reason, numbers in faults.items():
        click.echo(f"  {reason}: {tables.listed(numbers)}")
