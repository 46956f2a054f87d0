"""import-zones: publish a grid map. route: from a table of places to a table of grids."""

from __future__ import annotations

import csv
import os
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import click
import shapely
from shapely.geometry.base import BaseGeometry

from dispatch.cli import context, tables
from dispatch.domain.errors import InvalidCoordinate, InvalidInput, InvalidZoneFile
from dispatch.domain.place import Datum, to_wgs84
from dispatch.domain.roles import SYSTEM
from dispatch.domain.times import shanghai_text
from dispatch.domain.zone_file import INDEX_FIELD, ZoneFile, read_zones
from dispatch.domain.zone_index import ZoneIndex
from dispatch.domain.zone_json import MAX_BYTES, check_size
from dispatch.domain.zone_picture import svg
from dispatch.domain.zone_problems import problems_of
from dispatch.domain.zones import Route, RouteStatus, Zone
from dispatch.services import bootstrap, doubts, gazetteers, setup
from dispatch.services.desk import Desk
from dispatch.services.districts import outlines

F = TypeVar("F", bound=Callable[..., Any])
ADDED = ("zone_id", "zone_name", "route_status", "reason", "boundary_m", "neighbour_zone_id")
INVALID = "invalid"
UNANSWERED = (RouteStatus.NO_ZONE.value, RouteStatus.QUARANTINED.value)
DATUMS = click.Choice([datum.value for datum in Datum])
_ID_HELP = "Property with the zone id; id, zone_id or code by default. @index numbers the features."
_NAME_HELP = "Property with the zone name; name by default."
_OUTLINE_HELP = (
    "GeoJSON of the areas that the zones must fill, in the datum of the zones; the districts of Changsha by default. "
    "`none` where there is no outline, or where the zones cover only a part on purpose."
)
NO_OUTLINE = "none"
_PICTURE_HELP = "SVG to draw the zones into, with overlaps and gaps and their areas; also where the file is refused."


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


def table_options(command: F) -> F:
    """Add the options of a command that finds the zones of a table of places."""
    for option in (
        click.option("--datum", type=DATUMS, default="wgs84", show_default=True, help="Datum of the table."),
        click.option("--lat-col", help=f"Column of degrees north; by default {', '.join(tables.LAT[:3])}."),
        click.option("--lon-col", help=f"Column of degrees east; by default {', '.join(tables.LON[:4])}."),
        zone_options,
        click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Table to write."),
        click.option("--csv", "source", type=context.ExistingFile, required=True, help="Table of places."),
    ):
        command = option(command)
    return command


def load(data: bytes, datum: str, **fields: Any) -> ZoneFile:
    """Read zones, with their warnings on standard error; `fields` as for read_zones."""
    found = read_zones(data, datum=Datum(datum), reference=_districts(), **fields)
    for warning in found.warnings:
        click.echo(f"注意: {problem_text(warning)}", err=True)
    return found


def read_file(path: Path) -> bytes:
    """Read a zone file; one that is too large is refused unread, a pipe after as much as is allowed.

    Raises:
        InvalidZoneFile: if it is too large.
    """
    with path.open("rb") as file:
        check_size(os.fstat(file.fileno()).st_size)
        return file.read(MAX_BYTES + 1)


def problem_text(found: Mapping[str, Any]) -> str:
    """Return one problem of a zone file in one line: feature, place, reason."""
    feature = f"要素 {found['feature']} ({found.get('id') or '无编号'})" if found.get("feature") else "整个文件"
    place = f" 位置 {found['place']}" if found.get("place") else ""
    return f"{feature}{place}: {found['reason']}"


def _districts() -> Mapping[str, BaseGeometry]:
    return outlines(context.DATA / "districts.geojson")


def _outlines(asked: str | None, datum: Datum) -> Mapping[str, BaseGeometry]:
    """The outlines that were asked for: those that are shipped, those of a file, or none."""
    if asked is None:
        return _districts()
    if asked == NO_OUTLINE:
        return {}
    try:
        data = read_file(Path(asked))
        found = read_zones(data, datum=datum, id_field=INDEX_FIELD, strict_topology=False)
    except OSError as error:
        reason = f"轮廓文件 {asked} 读不了: {error.strerror}; 不核对外缘请用 none"
        raise InvalidInput(reason, field="--outline") from error
    except InvalidZoneFile as error:
        problems = error.extra["problems"]
        raise InvalidInput(f"轮廓文件 {asked} 不可用", field="--outline", problems=problems) from error
    parts: defaultdict[str, list[BaseGeometry]] = defaultdict(list)
    for zone in found.zones:
        parts[zone.name].append(zone.geometry)
    return {name: shapely.union_all(areas) for name, areas in parts.items()}


@click.command("import-zones")
@click.argument("file", type=context.ExistingFile)
@click.option("--datum", type=DATUMS, required=True, help="What the coordinates are measured against.")
@click.option("--id-field", help=_ID_HELP)
@click.option("--name-field", help=_NAME_HELP)
@click.option("--team-field", help="Property with the team id; team_id or team by default.")
@click.option("--outline", metavar="FILE|none", help=_OUTLINE_HELP)
@click.option("--valid-from", callback=context.parse_time, help="ISO 8601 with zone; now by default.")
@click.option("--make-teams", is_flag=True, help="Make a team for each zone whose team the roster lacks.")
@click.option("--check", is_flag=True, help="Only validate the file; touch no database.")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help=_PICTURE_HELP)
@click.pass_context
def import_zones(
    ctx: click.Context,
    file: Path,
    datum: str,
    id_field: str | None,
    name_field: str | None,
    team_field: str | None,
    outline: str | None,
    valid_from: datetime | None,
    make_teams: bool,
    check: bool,
    picture: Path | None,
) -> None:
    """Publish the zones of a FILE as a new version: GeoJSON, a zipped Shapefile, KML, KMZ or CSV with WKT.

    A file with any problem is refused whole (exit 2) and the old version stays live; oddities are warned of. Ctrl+C
    leaves everything as it was; while the version is being written, in one transaction, it must be pressed twice.
    Largest file: 256 MiB, 2,000,000 vertices.

    Refused, with feature, place and reason: overlaps, holes, and open slits up to 500 m wide, each over 400 m2; and
    what is missing, over 500 m wide, from an outline that the zones cover by half (--outline). Overlaps and gaps of up
    to 400 m2 are only warned of: they come from digitising. What overlaps belongs to the zone with the lower id.

    Teams are those of --team-field; they must be in the roster (init --roster), or --make-teams makes them. An empty
    database gets its schema and the shipped policy, no sample zones and no sample teams; it takes no calls before
    --valid-from.
    """
    data = read_file(file)
    areas = _outlines(outline, Datum(datum))
    named: dict[str, Any] = {"id_field": id_field, "name_field": name_field, "team_field": team_field}
    if picture is not None:
        _draw(picture, file.name, read_zones(data, datum=Datum(datum), strict_topology=False, **named).zones)
    found = load(data, datum, outlines=areas, track=context.told, **named)
    if areas:
        click.echo(_compared_text(found.compared), err=True)
    if check:
        click.echo(f"{file.name}: {len(found.zones)} 个网格, 可以导入")
        return
    now = context.utc_now()
    start = valid_from or now
    version = _publish(context.desk(ctx), found, file.name, data, start, now, make_teams)
    click.echo(f"已导入网格 v{version}: {len(found.zones)} 个, 自 {shanghai_text(start)} 起生效")
    lone = sum(zone.team_id is None for zone in found.zones)
    if lone and not make_teams:
        click.echo(f"注意: {lone} 个网格没有班组, 其工单等待调度员派单 (可用 --make-teams 生成班组)", err=True)


def _draw(out: Path, name: str, drawn: Sequence[Zone]) -> None:
    """Draw the zones with their overlaps and gaps, so that a refused file can be looked at."""
    problems = problems_of(drawn, None)
    out.write_text(svg(drawn, problems, name), encoding="utf-8")
    click.echo(f"{out}: 已画出 {len(drawn)} 个网格", err=True)


def _compared_text(names: Sequence[str]) -> str:
    if not names:
        return "注意: 网格没有覆盖任何轮廓的一半, 外缘未核对 (可用 --outline 指定轮廓)"
    return f"外缘已按轮廓核对: {', '.join(names)}"


def _publish(
    desk: Desk, found: ZoneFile, source: str, data: bytes, start: datetime, now: datetime, make_teams: bool
) -> int:
    """Write the zones, all in one transaction, and return the version."""
    for line in bootstrap.bring_up(desk, context.DATA, now, with_sample=False):
        click.echo(line, err=True)
    with click.progressbar(length=len(found.zones), label="写入网格", file=sys.stderr, show_pos=True) as bar:
        try:
            with _to_the_end():
                version = setup.import_zones(
                    desk, SYSTEM, found.zones, source=source, data=data, valid_from=start, now=now,
                    is_sample=found.is_sample, make_teams=make_teams,
                )  # fmt: skip
        except Exception as error:
            if _was_interrupted(error):
                raise click.Abort from error
            raise
        bar.update(len(found.zones))
    return version


@contextmanager
def _to_the_end() -> Iterator[None]:
    """Let a first Ctrl+C wait for the body, lest it say "aborted" of what is committed; a second one breaks in."""

    def wait(*_: object) -> None:
        signal.signal(signal.SIGINT, before)
        click.echo("正在写入, 即将完成; 再按一次 Ctrl+C 强行中断", err=True)

    before = signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl+C is behind it: within a statement it breaks the connection, and taking back then fails loudly."""
    return error is not None and (isinstance(error, KeyboardInterrupt) or _was_interrupted(error.__context__))


@click.command()
@table_options
@click.option("--text-col", help="Column of the address. A point that meets it only in another datum is warned of.")
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
    text_col: str | None,
) -> None:
    """Find the zone of every row of a CSV; needs no database.

    OUT has the columns of the input, in its encoding, and: zone_id, zone_name, route_status, reason, boundary_m,
    neighbour_zone_id. An input that has one of these already is refused. Rows are numbered as in a spreadsheet, the
    header is row 1. Rows without usable coordinates are kept with route_status `invalid`; OUT is complete, they are
    listed and the exit code is 1. Rows that no zone answers for (`no_zone`, `quarantined`) are listed too; they are an
    answer. A quote that is never closed is refused with its row (exit 2). OUT appears only when it is complete.

    With --text-col the point is held against the district that the address names: where it is there only in another
    datum than the declared one, the reason says so and the row is listed.
    """
    fields = {"id_field": id_field, "name_field": name_field, "strict_topology": False}
    index = ZoneIndex(load(read_file(zone_file), zones_datum, **fields).zones)
    counts: Counter[str] = Counter()
    faults, unanswered, doubted = tables.Remarks(), tables.Remarks(), tables.Remarks()
    with tables.reading(source) as table:
        check_columns(table.columns, source, out, ADDED)
        lon, lat = table.find("--lon-col", lon_col, tables.LON), table.find("--lat-col", lat_col, tables.LAT)
        text_at = table.find("--text-col", text_col, ()) if text_col else None
        with tables.replacing(out, table.encoding) as text, progress(source, "查找网格") as bar:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow([*table.columns, *ADDED])
            for row in table.rows():
                added = _route_row(index, row, row.cells[lon], row.cells[lat], Datum(datum))
                doubt = _doubt(row, lon, lat, Datum(datum), text_at) if added[2] != INVALID else None
                if doubt:
                    doubted.add(row.number, doubt)
                    added = (*added[:3], f"{added[3]}; {doubt}".removeprefix("; "), *added[4:])
                writer.writerow([*row.cells, *added])
                counts[added[2]] += 1
                if added[2] == INVALID:
                    faults.add(row.number, added[3])
                elif added[2] in UNANSWERED:
                    unanswered.add(row.number, f"{added[2]}: {added[3]}")
                bar.update(table.bytes_read - bar.pos)
    _tell(out, counts, faults, unanswered, doubted)
    ctx.exit(1 if faults else 0)


def check_columns(columns: list[str], source: Path, out: Path, added: Sequence[str]) -> None:
    """Raise InvalidInput where columns would be there twice, or the table written over itself."""
    taken = [name for name in added if name in columns]
    if taken:
        raise InvalidInput(f"{source.name} 已有列 {', '.join(taken)}: 请先改名或删除, 以免混淆")
    if out.exists() and out.samefile(source):
        raise InvalidInput("--out 不能与 --csv 是同一个文件")


def progress(source: Path, label: str) -> Any:
    """Return a bar over the bytes of a file."""
    return click.progressbar(length=source.stat().st_size, label=label, file=sys.stderr)


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


def _doubt(row: tables.Row, lon: int, lat: int, datum: Datum, text_at: int | None) -> str | None:
    """Return the doubt about the datum of a row with an address, in words, or None."""
    if text_at is None:
        return None
    point, address = tables.point(row.cells[lon], row.cells[lat], datum), row.cells[text_at]
    found = doubts.of_meaning(gazetteers.shipped().find(address), point, address, lambda _: None)
    return found.text if found else None


def _tell(out: Path, counts: Counter[str], *remarks: tables.Remarks) -> None:
    parts = ", ".join(f"{status} {count}" for status, count in counts.most_common()) or "没有数据行"
    click.echo(f"{out}: {counts.total()} 行 ({parts})")
    for line in chain.from_iterable(kind.lines() for kind in remarks):
        click.echo(f"  {line}")
