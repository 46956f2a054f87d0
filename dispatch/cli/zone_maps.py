"""export-zones, import-zone-codes, rezone: grid maps out, names in, and a million places at once."""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
import numpy as np

from dispatch.cli import context, tables
from dispatch.cli.zones import DATUMS, load, read_file, table_options
from dispatch.domain.errors import InvalidCoordinate, InvalidInput
from dispatch.domain.place import Datum, lonlats_to_wgs84
from dispatch.domain.roles import SYSTEM
from dispatch.domain.zone_export import Form, written
from dispatch.domain.zone_index import ZoneIndex
from dispatch.services import zone_codes
from dispatch.services.zone_codes import ZoneCode
from dispatch.storage import directory

REZONED = ("zone_id", "zone_name")
_CHUNK = 50_000
_STREET = ("street", "街道", "街道/镇")
_ZONE = ("zone_id", "zone", "网格", "网格编号")
_OPTIONAL = {
    "district": ("district", "区", "区县"),
    "community": ("community", "社区", "社区/村"),
    "code": ("code", "代码"),
}


@click.command("export-zones")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="File to write.")
@click.option("--form", type=click.Choice([form.value for form in Form]), default="geojson", show_default=True)
@click.option("--datum", type=DATUMS, default="wgs84", show_default=True, help="What it is measured against.")
@click.option("--version", "set_id", type=int, help="Published version; the one that is valid now by default.")
@click.pass_context
def export_zones(ctx: click.Context, out: Path, form: str, datum: str, set_id: int | None) -> None:
    """Write a published grid map to a file, which names its datum."""
    desk = context.ready_desk(ctx)
    with desk.store.snapshot() as tx:
        set_id = set_id if set_id is not None else desk.rules(tx, context.utc_now()).zone_set_id
        zones = directory.zones_of(tx, set_id)
        if not zones:
            raise InvalidInput(f"没有网格版本 v{set_id}", field="--version")
        is_sample = directory.is_sample(tx, set_id)
    out.write_bytes(written(zones, Form(form), datum=Datum(datum), is_sample=is_sample))
    click.echo(f"{out}: 网格 v{set_id}, {len(zones)} 个" + (" (样例)" if is_sample else ""))


@click.command("import-zone-codes")
@click.argument("file", type=context.ExistingFile)
@click.pass_context
def import_zone_codes(ctx: click.Context, file: Path) -> None:
    """Say by a CSV which 街道 or 社区 belongs to which grid; it replaces the table before.

    Columns: street (街道), zone_id (网格); and where there are: district (区), community (社区), code (代码).
    """
    desk = context.ready_desk(ctx)
    with tables.reading(file) as table:
        street, zone = table.find("street", None, _STREET), table.find("zone_id", None, _ZONE)
        known = [name.lower() for name in table.columns]
        others = {
            field: next((known.index(name) for name in names if name in known), None)
            for field, names in _OPTIONAL.items()
        }
        rows = [_code(row, street, zone, others) for row in table.rows()]
    count = zone_codes.import_codes(desk, SYSTEM, rows, context.utc_now())
    click.echo(f"已导入 {count} 条街道、社区与网格的对应")


def _code(row: tables.Row, street: int, zone: int, others: dict[str, int | None]) -> ZoneCode:
    if row.fault:
        raise InvalidInput(f"第 {row.number} 行: {row.fault}")
    told = {field: "" if place is None else row.cells[place].strip() for field, place in others.items()}
    return ZoneCode(
        told["district"], row.cells[street].strip(), told["community"], told["code"] or None, row.cells[zone].strip()
    )


@click.command()
@table_options
def rezone(
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
    """Find the grids of very many places: the grid that covers each, without reasons or neighbours (see route).

    OUT has the columns of the input and: zone_id, zone_name; both are empty where no grid covers the place, or
    where the row has no usable coordinates. It appears only when it is complete.
    """
    fields = {"id_field": id_field, "name_field": name_field, "strict_topology": False}
    index = ZoneIndex(load(read_file(zone_file), zones_datum, **fields).zones)
    names = [*((zone.zone_id, zone.name) for zone in index.zones), ("", "")]
    rows = found = 0
    with tables.reading(source) as table:
        if taken := [name for name in REZONED if name in table.columns]:
            raise InvalidInput(f"{source.name} 已有列 {', '.join(taken)}: 请先改名或删除, 以免混淆")
        lon, lat = table.find("--lon-col", lon_col, tables.LON), table.find("--lat-col", lat_col, tables.LAT)
        with tables.replacing(out, table.encoding) as text, _bar(source) as bar:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow([*table.columns, *REZONED])
            for chunk in _chunks(table.rows()):
                positions = _positions(index, chunk, lon, lat, Datum(datum))
                writer.writerows([*row.cells, *names[at]] for row, at in zip(chunk, positions, strict=True))
                rows, found = rows + len(chunk), found + sum(at >= 0 for at in positions)
                bar.update(table.bytes_read - bar.pos)
    click.echo(f"{out}: {rows:,} 行, {found:,} 行在网格内")


def _bar(source: Path) -> Any:
    return click.progressbar(length=source.stat().st_size, label="查找网格", file=sys.stderr)


def _chunks(rows: Iterator[tables.Row]) -> Iterator[list[tables.Row]]:
    while chunk := list(itertools.islice(rows, _CHUNK)):
        yield chunk


def _positions(index: ZoneIndex, rows: list[tables.Row], lon: int, lat: int, datum: Datum) -> list[int]:
    """Positions of the grids of a chunk, -1 for none."""
    lonlats = np.full((len(rows), 2), np.nan)
    for n, row in enumerate(rows):
        if row.fault:
            continue
        with suppress(InvalidCoordinate):
            spot = tables.point(row.cells[lon], row.cells[lat], datum)
            lonlats[n] = spot.lon, spot.lat
    placed = lonlats_to_wgs84(lonlats, datum)
    found: list[int] = index.locate_many(placed[:, 0], placed[:, 1]).tolist()
    return found
