"""export-folder, import-folder: an installation as readable files, and built again from them."""

from __future__ import annotations

import os
from pathlib import Path

import click

from dispatch.cli import context
from dispatch.cli.people import link_text
from dispatch.cli.zones import read_file
from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import SYSTEM
from dispatch.services import bootstrap, installation
from dispatch.services.desk import Desk
from dispatch.services.installation import FILES, InvalidFolder

Folder = click.Path(exists=True, file_okay=False, path_type=Path)
# Telephone numbers are for the owner's eyes.
_MODE = 0o600


@click.command("export-folder")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.pass_context
def export_folder(ctx: click.Context, folder: Path) -> None:
    """Write policy, teams, grids, roster and users of now into FOLDER; what it holds of an earlier export is replaced.

    Passwords, tokens and keys stay where they are, and so do calls and tickets.
    """
    files = installation.export(context.ready_desk(ctx), SYSTEM, context.utc_now())
    folder.mkdir(parents=True, exist_ok=True)
    foreign = sorted(path.name for path in folder.iterdir() if path.name not in FILES)
    if foreign:
        raise InvalidInput(f"{folder} 里有别的文件 ({', '.join(foreign[:5])}), 请换一个空文件夹")
    for name in FILES:
        (folder / name).unlink(missing_ok=True)
    for name, data in files.items():
        with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE), "wb") as file:
            file.write(data)
        click.echo(f"{folder / name}: {len(data):,} 字节")
    click.echo("含电话号码, 请妥善保管; 在别处用 import-folder 导入")


@click.command("import-folder")
@click.argument("folder", type=Folder)
@click.option("--check", "is_check", is_flag=True, help="Only tell what would change; write nothing.")
@click.option("--accept-holes", is_flag=True, help="The hours without anybody are known and accepted.")
@click.pass_context
def import_folder(ctx: click.Context, folder: Path, is_check: bool, accept_holes: bool) -> None:
    """Let what the files of FOLDER say hold from now on: all of it or, with any mistake, nothing (exit 2).

    A file that is missing changes nothing, nor do teams and users that the files do not name. An empty database gets
    its schema and the shipped policy first, no sample grids. Whoever is new gets a link, valid once, to choose a
    password.
    """
    desk, now = context.desk(ctx), context.utc_now()
    if is_check:
        bootstrap.check_ready(desk)
        told = look(desk, folder)
        click.echo("\n".join((*told, "可以导入; 未写入任何内容")))
        return
    for line in bootstrap.bring_up(desk, context.DATA, now, with_sample=False):
        click.echo(line)
    files = read(folder)
    try:
        brought = installation.bring_in(desk, SYSTEM, files, now, accepts_holes=accept_holes)
    except InvalidFolder as error:
        tell(error)
        raise
    click.echo("\n".join(brought.told))
    for login, token in brought.links.items():
        click.echo(f"{login}: {link_text(desk, token)}")


def look(desk: Desk, folder: Path) -> tuple[str, ...]:
    """Return what importing a folder would change; print what is wrong with it.

    Raises:
        InvalidFolder: if anything is.
    """
    try:
        return installation.check(desk, SYSTEM, read(folder), context.utc_now()).told
    except InvalidFolder as error:
        tell(error)
        raise


def read(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder by name; hidden ones are none of ours."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return {path.name: read_file(path) if path.name in FILES else b"" for path in paths}


def tell(error: InvalidFolder) -> None:
    """Print what is wrong with a folder, a line each."""
    for fault in error.extra["faults"]:
        where = " ".join(filter(None, (fault["file"], fault["place"])))
        click.echo(f"  {where}: {fault['text']}", err=True)
