"""import-depots: where crews set out from."""

from __future__ import annotations

from pathlib import Path

import click

from dispatch.cli import context, tables
from dispatch.cli.zones import DATUMS
from dispatch.domain.errors import InvalidCoordinate, InvalidInput
from dispatch.domain.place import Datum
from dispatch.domain.roles import SYSTEM
from dispatch.services import depots
from dispatch.services.depots import Depot


@click.command("import-depots")
@click.argument("source", type=context.ExistingFile)
@click.option("--datum", type=DATUMS, required=True, help="Datum of the coordinates.")
@click.option("--sample", "is_sample", is_flag=True, help="Mark them as a sample on every screen.")
@click.pass_context
def import_depots(ctx: click.Context, source: Path, datum: str, is_sample: bool) -> None:
    """Put the depots of a CSV (id, name, lon, lat; UTF-8 or GBK) in the place of all others.

    A row that cannot be used refuses the whole file (exit 2): half a list of depots would make holes that are none.
    """
    desk = context.ready_desk(ctx)
    count = depots.replace(desk, SYSTEM, read(source, Datum(datum)), context.utc_now(), is_sample=is_sample)
    click.echo(f"驻点 {count} 个, 替换原有列表")


def read(source: Path, datum: Datum) -> list[Depot]:
    """Read the file.

    Raises:
        InvalidInput: with the row at fault.
    """
    found = []
    with tables.reading(source) as table:
        id_, name = table.find("--id", None, ("id", "编号")), table.find("--name", None, ("name", "名称"))
        lon, lat = table.find("--lon", None, tables.LON), table.find("--lat", None, tables.LAT)
        for row in table.rows():
            if row.fault:
                raise InvalidInput(f"第 {row.number} 行: {row.fault}")
            cells = row.cells
            try:
                point = tables.point(cells[lon], cells[lat], datum)
            except InvalidCoordinate as error:
                raise InvalidInput(f"第 {row.number} 行: {error.detail}", field=error.field) from error
            found.append(Depot(row.number, cells[id_].strip(), cells[name].strip(), point))
    return found
