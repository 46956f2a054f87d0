"""locate: what an address in words means, one or a table of them. import-places: names of places from a table."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from shapely.geometry.base import BaseGeometry

from dispatch.cli import context, tables, zones
from dispatch.domain.address import LEVEL_LABELS, Located
from dispatch.domain.errors import InvalidCoordinate, InvalidInput
from dispatch.domain.place import Datum
from dispatch.domain.roles import SYSTEM
from dispatch.services import bootstrap, doubts, gazetteers, place_import, places
from dispatch.services.desk import Desk, NotReady

ADDED = ("located", "level", "district", "street", "zone_id", "lon", "lat", "confidence", "reason", "candidates")
TEXT = ("address", "地址", "text", "文字")
UNKNOWN = "没有确定"


@click.command()
@click.argument("text", required=False)
@click.option("--csv", "source", type=context.ExistingFile, help="Table of addresses.")
@click.option("--text-col", help=f"Column of the address; by default {', '.join(TEXT)}.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Table to write.")
@click.option("--lon-col", help="Column of degrees east, and ...")
@click.option("--lat-col", help="of degrees north: to be held against the address.")
@click.option("--datum", type=zones.DATUMS, default="wgs84", show_default=True, help="What they are measured against.")
@click.pass_context
def locate(
    ctx: click.Context,
    text: str | None,
    source: Path | None,
    text_col: str | None,
    out: Path | None,
    lon_col: str | None,
    lat_col: str | None,
    datum: str,
) -> None:
    """Find what an address in words means: TEXT, or every row of a CSV.

    OUT has the columns of the input, in its encoding, and: located, level, district, street, zone_id, lon, lat,
    confidence, reason, candidates. What is ambiguous or unknown stays empty, with the reason. Names come with the
    program; those that were imported or learned are in the database, if there is one. No network.

    With --lon-col and --lat-col also datum_doubt: where the row's own point meets the address only in another datum
    than the declared one.
    """
    if (text is None) == (source is None) or (source is None) != (out is None):
        raise click.UsageError("请给出一个地址, 或 --csv 和 --out")
    if (lon_col is None) != (lat_col is None):
        raise click.UsageError("请同时给出 --lon-col 和 --lat-col")
    desk = context.desk(ctx)
    is_ready = _is_ready(desk)
    if not is_ready:
        click.echo("注意: 数据库尚未初始化, 只用随附地名", err=True)
    if text is not None:
        _tell_one(_find(desk, text, is_ready))
    elif source is not None and out is not None:
        own = None if lon_col is None or lat_col is None else (lon_col, lat_col)
        _table(desk, source, text_col, out, is_ready, own, Datum(datum))


def _is_ready(desk: Desk) -> bool:
    try:
        bootstrap.check_ready(desk)
    except NotReady:
        return False
    return True


def _find(desk: Desk, text: str, is_ready: bool) -> Located:
    if not is_ready:
        return gazetteers.shipped().find(text)
    with desk.store.read() as tx:
        return places.placed_in(desk, tx, places.find(desk, tx, text).located, context.utc_now())


def _tell_one(located: Located) -> None:
    click.echo(located.note)
    for candidate in located.candidates:
        mark = "→" if candidate == located.best else " "
        above = "".join(filter(None, (candidate.district, candidate.street)))
        where = f" {candidate.point.lon:.6f}, {candidate.point.lat:.6f}" if candidate.point else ""
        zone = f" 网格 {candidate.zone_id}" if candidate.zone_id else ""
        click.echo(f"{mark} {candidate.confidence:.2f} {above} {candidate.label}{where}{zone}: {candidate.reason}")


def _table(
    desk: Desk,
    source: Path,
    text_col: str | None,
    out: Path,
    is_ready: bool,
    own: tuple[str, str] | None,
    datum: Datum,
) -> None:
    """Write the table; `own` are the columns of the rows' own points."""
    areas = _areas(desk) if is_ready and own else {}
    counts: Counter[str] = Counter()
    with tables.reading(source) as table:
        added = (*ADDED, "datum_doubt") if own else ADDED
        zones.check_columns(table.columns, source, out, added)
        at = table.find("--text-col", text_col, TEXT)
        point_at = [table.find(name, name, ()) for name in own or ()]
        with tables.replacing(out, table.encoding) as text, zones.progress(source, "查找地址") as bar:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow([*table.columns, *added])
            for row in table.rows():
                located = Located((), None, row.fault) if row.fault else _find(desk, row.cells[at], is_ready)
                doubt = [_doubt(located, row, at, point_at, datum, areas)] if own else []
                writer.writerow([*row.cells, *_cells(located), *doubt])
                counts[LEVEL_LABELS[located.best.level] if located.best else UNKNOWN] += 1
                bar.update(table.bytes_read - bar.pos)
    parts = ", ".join(f"{level} {count}" for level, count in counts.most_common()) or "没有数据行"
    click.echo(f"{out}: {counts.total()} 行 ({parts})")


def _areas(desk: Desk) -> dict[str, BaseGeometry]:
    with desk.store.read() as tx:
        return {zone.zone_id: zone.geometry for zone in desk.rules(tx, context.utc_now()).zones.zones}


def _doubt(
    located: Located,
    row: tables.Row,
    text_at: int,
    point_at: Sequence[int],
    datum: Datum,
    areas: Mapping[str, BaseGeometry],
) -> str:
    """Return the doubt about the datum of the row's own point, or nothing; a row without one has no doubt."""
    try:
        point = tables.point(row.cells[point_at[0]], row.cells[point_at[1]], datum)
    except InvalidCoordinate:
        return ""
    found = doubts.of_meaning(located, point, row.cells[text_at], lambda best: areas.get(best.zone_id or ""))
    return found.text if found else ""


def _cells(located: Located) -> tuple[str, ...]:
    best = located.best
    names = "; ".join(f"{one.district or ''}{one.street or ''} {one.label}" for one in located.candidates)
    if best is None:
        return "", "", "", "", "", "", "", "", located.note, names
    pair = (f"{best.point.lon:.6f}", f"{best.point.lat:.6f}") if best.point else ("", "")
    above = (best.district or "", best.street or "", best.zone_id or "")
    return best.label, best.level.value, *above, *pair, f"{best.confidence:.2f}", located.note, names


@click.command("import-places")
@click.argument("file", type=context.ExistingFile)
@click.option("--datum", type=zones.DATUMS, required=True, help="What the coordinates are measured against.")
@click.pass_context
def import_places(ctx: click.Context, file: Path, datum: str) -> None:
    """Take a CSV (UTF-8, GBK) or xlsx of estates, roads, landmarks, addresses, account numbers and aliases.

    Columns, in English or Chinese: name (名称), kind (类型: 小区 道路 地标 地址 户号 别名), aliases (别名, by ;),
    district, street, community, lon, lat, radius_m, zone_id (网格), target (对应地址), source. Rows of the same kind,
    name, district and street are replaced. Rows that cannot be used are listed with their number, the others are
    taken, and the exit code is 1.
    """
    if file.stat().st_size > place_import.MAX_BYTES:
        raise InvalidInput(f"文件超过 {place_import.MAX_BYTES >> 20} MB, 请分成几个")
    done = place_import.import_places(
        context.ready_desk(ctx), SYSTEM, file.read_bytes(),
        source=file.name, datum=Datum(datum), now=context.utc_now(), track=context.told,
    )  # fmt: skip
    click.echo(f"已导入 {done.count} 个地名")
    for row, reason in done.refused:
        click.echo(f"  第 {row} 行: {reason}")
    ctx.exit(1 if done.refused else 0)
