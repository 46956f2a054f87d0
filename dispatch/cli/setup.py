"""init: make or upgrade an installation."""

from __future__ import annotations

from pathlib import Path

import click

from dispatch.cli import context
from dispatch.cli.serve import bring_up
from dispatch.domain.roles import SYSTEM
from dispatch.services import setup


@click.command()
@click.option("--policy", type=context.ExistingFile, help="Load this policy file as a new version.")
@click.option("--roster", type=context.ExistingFile, help="Load this roster of teams.")
@click.pass_context
def init(ctx: click.Context, policy: Path | None, roster: Path | None) -> None:
    """Make or upgrade the database, load what is shipped, and new policies or rosters."""
    desk = context.desk(ctx)
    bring_up(desk)
    if policy is not None:
        click.echo(f"政策 {setup.load_policy(desk, SYSTEM, policy.read_bytes(), context.utc_now()).version}")
    if roster is not None:
        click.echo(f"班组 {setup.load_roster(desk, SYSTEM, roster.read_bytes(), context.utc_now())} 个")
    click.echo("数据库已就绪")
