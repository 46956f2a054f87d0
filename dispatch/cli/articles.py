"""import-articles, export-articles: the knowledge base from a file, and back into one."""

from __future__ import annotations

from pathlib import Path

import click

from dispatch.cli import context, tables
from dispatch.domain.roles import SYSTEM
from dispatch.services import article_file


@click.command("import-articles")
@click.argument("file", type=context.ExistingFile)
@click.option("--publish", "is_published", is_flag=True, help="Publish all; else those whose status is published.")
@click.option("--owner", metavar="LOGIN", help="Who is reminded of their reviews.")
@click.pass_context
def import_articles(ctx: click.Context, file: Path, is_published: bool, owner: str | None) -> None:
    """Take articles of the knowledge base from JSON, CSV (UTF-8, GBK) or xlsx.

    Columns, in English or Chinese: title (标题), body (正文), keywords (关键词, by ;), category (类别), review_at
    (复审日期, 2027-06-01), status (状态). An article whose title is known gets another version where it says something
    else. Rows that cannot be used are listed with their number, the others are taken, and the exit code is 1.
    """
    desk = context.ready_desk(ctx)
    done = article_file.import_articles(
        desk, SYSTEM, file.read_bytes(), context.utc_now(), is_published=is_published, owner=owner
    )
    click.echo(f"新增 {done.added} 篇, 新版 {done.changed} 篇, 未变 {done.unchanged} 篇")
    for row, reason in done.refused:
        click.echo(f"  第 {row} 行: {reason}")
    ctx.exit(1 if done.refused else 0)


@click.command("export-articles")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_context
def export_articles(ctx: click.Context, file: Path) -> None:
    """Write all articles into FILE, as CSV where its name ends in .csv, else as JSON; import-articles reads both."""
    found = article_file.exported(context.ready_desk(ctx), SYSTEM, context.utc_now())
    is_csv = file.suffix.lower() == ".csv"
    # With a mark that lets Excel read it as UTF-8.
    with tables.replacing(file, "utf-8-sig" if is_csv else "utf-8") as text:
        text.write(article_file.as_csv(found) if is_csv else article_file.as_json(found))
    click.echo(f"{file}: {len(found)} 篇")
