"""import-customers: who must not be without water, or matters to many."""

from __future__ import annotations

from pathlib import Path

import click

from dispatch.cli import context, tables
from dispatch.cli.zones import DATUMS
from dispatch.domain.place import Datum
from dispatch.domain.roles import SYSTEM
from dispatch.services import customers


@click.command("import-customers")
@click.argument("source", type=context.ExistingFile)
@click.option("--datum", type=DATUMS, default="wgs84", show_default=True, help="Datum of the coordinates.")
@click.pass_context
def import_customers(ctx: click.Context, source: Path, datum: str) -> None:
    """Import customer flags from a CSV (UTF-8 or GBK) or xlsx; what came with a file of this name is replaced.

    Columns: 标记 (a flag of the policy), 名称, 电话, 地址, 经度, 纬度, 半径, 备注, 联系人, 有效期. Rows
    that cannot be used are listed by reason, the others are taken.
    """
    desk = context.ready_desk(ctx)
    done = customers.import_customers(
        desk, SYSTEM, source.read_bytes(), source=source.name, datum=Datum(datum), now=context.utc_now()
    )
    click.echo(f"客户标记 {done.count} 行, 替换 {done.replaced} 行, 未导入 {len(done.refused)} 行")
    remarks = tables.Remarks()
    for number, why in done.refused:
        remarks.add(number, why)
    for line in remarks.lines():
        click.echo(f"  {line}")
