"""duty: who is responsible. import-roster, export-roster: rosters as workbooks."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from dispatch.cli import context
from dispatch.cli.zones import DATUMS
from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Datum, point_of
from dispatch.domain.roles import SYSTEM, Actor, Role
from dispatch.domain.roster_file import InvalidRoster
from dispatch.services import duty_now, roster_sheet, rosters

# Whoever is at the command line may read all; the system's own role reads nothing.
_READER = Actor(0, "命令行", Role.ADMIN)


@click.command("duty")
@click.argument("address", required=False, default="")
@click.option("--lon", type=float, help="Degrees east, and ...")
@click.option("--lat", type=float, help="degrees north, in place of an address.")
@click.option("--datum", type=DATUMS, default="wgs84", show_default=True, help="What they are measured against.")
@click.option("--at", callback=context.parse_time, help="ISO 8601 with zone; now by default.")
@click.pass_context
def duty(
    ctx: click.Context, address: str, lon: float | None, lat: float | None, datum: str, at: datetime | None
) -> None:
    """Tell who is responsible for a place, now or at a time, and why: ADDRESS, or --lon and --lat.

    Exit code 1 where nobody is.
    """
    if (lon is None) != (lat is None):
        raise InvalidInput("请同时给出 --lon 和 --lat")
    point = point_of(lon, lat, Datum(datum)) if lon is not None else None
    told = duty_now.who(context.ready_desk(ctx), _READER, point, address, at, context.utc_now())
    roster = told["roster"]
    click.echo(f"{told['at_text']}  {told['place_reason']}")
    click.echo(f"班组 {told['team_name'] or '无'}; 排班表 {roster['name'] if roster else '未发布, 按班组名册次序'}")
    answers = [("责任人", told["responsible"]), ("接替", told["backup"]), *(("上级", one) for one in told["above"])]
    for word, one in answers:
        if one is not None:
            _tell(word, one)
    ctx.exit(0 if told["responsible"] and told["responsible"]["person_id"] else 1)


def _tell(word: str, one: dict[str, Any]) -> None:
    click.echo(f"{word} {one['name'] or '空缺'} ({one['unit_id']}): {one['reason']}")
    for passed in one["passed_over"]:
        click.echo(f"    跳过 {passed['name']}: {passed['why']}")


@click.command("import-roster")
@click.argument("source", type=context.ExistingFile)
@click.option("--name", help="Name of the roster; that of the file by default.")
@click.option("--publish", is_flag=True, help="Let it hold, from now on or from --valid-from.")
@click.option("--valid-from", callback=context.parse_time, help="ISO 8601 with zone; now by default.")
@click.option("--accept-holes", is_flag=True, help="The hours without anybody are known and accepted.")
@click.option("--sample", "is_sample", is_flag=True, help="Mark it as a sample on every screen.")
@click.pass_context
def import_roster(
    ctx: click.Context,
    source: Path,
    name: str | None,
    publish: bool,
    valid_from: datetime | None,
    accept_holes: bool,
    is_sample: bool,
) -> None:
    """Read a roster from an xlsx (sheets 班次, 人员, 班组岗位, 轮班) as a draft, and publish it if asked to.

    A file with any mistake is refused whole (exit 2), each with sheet, row and column. Zone-hours of the four weeks
    to come without anybody are listed; they must be accepted to publish.
    """
    desk, now = context.ready_desk(ctx), context.utc_now()
    try:
        draft = roster_sheet.add(desk, SYSTEM, name or source.stem, source.read_bytes(), now, is_sample=is_sample)
    except InvalidRoster as error:
        for one in error.extra["findings"]:
            click.echo(f"  {one['text']}", err=True)
        raise
    click.echo(f"排班草稿 {draft['id']}: {len(draft['body']['members'])} 条轮班")
    for one in draft["findings"]:
        click.echo(f"注意: {one['text']}", err=True)
    click.echo(
        f"四周内无人当班 {draft['zone_hours']} 网格·小时, {draft['hole_count']} 段", err=bool(draft["hole_count"])
    )
    if publish:
        rosters.publish(desk, SYSTEM, draft["id"], valid_from or now, "命令行", now, accepts_holes=accept_holes)
        click.echo("已发布")


@click.command("export-roster")
@click.argument("roster_id", type=int)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Workbook to write.")
@click.pass_context
def export_roster(ctx: click.Context, roster_id: int, out: Path) -> None:
    """Write a roster as xlsx, in the form that import-roster reads."""
    out.write_bytes(roster_sheet.workbook(context.ready_desk(ctx), SYSTEM, roster_id, context.utc_now()))
    click.echo(f"{out}: 已导出排班表 {roster_id}")
