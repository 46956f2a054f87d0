"""sweep, doctor, state-diagram: look after an installation."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from dispatch.cli import context, installation
from dispatch.domain import states
from dispatch.services import escalation, health

DIAGRAM = context.ROOT / "docs" / "states.md"
_HEAD = (
    "# Ticket states\n\nMade by `python run.py state-diagram --write` from `dispatch/domain/states.py`; do not edit.\n"
)


@click.command()
@click.option("--now", callback=context.parse_time, help="Sweep as of this time (ISO 8601 with zone).")
@click.pass_context
def sweep(ctx: click.Context, now: datetime | None) -> None:
    """Fire every due step once, by hand."""
    desk = context.ready_desk(ctx)
    clock = context.utc_now if now is None else lambda: now
    with click.progressbar(length=1, label="扫描时限", file=sys.stderr, show_pos=True) as bar:

        def progress(count: int) -> None:
            bar.length = (bar.length or 0) + count
            bar.update(count)

        done = escalation.catch_up(desk, clock, progress)
        bar.update(1)
    click.echo(
        f"触发 {done.fired} 步, 新超时 {done.breached} 个, 恢复挂起 {done.resumed} 个, 最晚 {done.max_late_s:.1f} 秒"
    )
    for error in done.errors:
        click.echo(error, err=True)
    if done.errors:
        ctx.exit(1)


@click.command()
@click.option("--folder", type=installation.Folder, help="Check the files that import-folder would read, too.")
@click.pass_context
def doctor(ctx: click.Context, folder: Path | None) -> None:
    """Check schema, grids, policy, roster, audit chain, heartbeat, outbox and orphans; exit 1 if anything is wrong.

    The whole audit chain is walked; how far it is stands on standard error.
    """
    findings = health.examine(context.desk(ctx), context.utc_now(), context.told)
    for finding in findings:
        click.echo(f"{'✓' if finding.is_good else '✗'} {finding.what}: {finding.detail}")
    if folder is not None:
        click.echo("\n".join(f"✓ {line}" for line in installation.look(context.ready_desk(ctx), folder)))
    if not all(finding.is_good for finding in findings):
        ctx.exit(1)


@click.command("state-diagram")
@click.option("--check", is_flag=True, help="Exit 1 unless docs/states.md is up to date.")
@click.option("--write", is_flag=True, help="Write docs/states.md.")
@click.pass_context
def state_diagram(ctx: click.Context, check: bool, write: bool) -> None:
    """Print the state diagram (Mermaid), made from the rules."""
    page = f"{_HEAD}\n```mermaid\n{states.diagram()}```\n"
    if write:
        DIAGRAM.write_text(page, encoding="utf-8")
    elif check:
        if not DIAGRAM.exists() or DIAGRAM.read_text(encoding="utf-8") != page:
            click.echo("docs/states.md 已过期: 运行 python run.py state-diagram --write", err=True)
            ctx.exit(1)
    else:
        click.echo(states.diagram(), nl=False)
