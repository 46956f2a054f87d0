"""set-contact, test-channel, sms-count."""

from __future__ import annotations

import click

from dispatch.cli import context
from dispatch.domain.contact import WAY_LABELS, Way
from dispatch.domain.roles import SYSTEM
from dispatch.services import contacts, receipts


@click.command("set-contact")
@click.argument("login")
@click.option("--phone", default="", help="138…, 0731-…, +86…; SMS goes to mobile numbers alone.")
@click.option("--email", default="", help="Address.")
@click.option("--wecom", default="", help="Account in WeCom (企业微信).")
@click.pass_context
def set_contact(ctx: click.Context, login: str, phone: str, email: str, wecom: str) -> None:
    """Write down where a person is reached, in place of what was known; what is left out is forgotten."""
    desk, now = context.ready_desk(ctx), context.utc_now()
    told = contacts.put(desk, SYSTEM, login, phone=phone, email=email, wecom_id=wecom, now=now)
    reached = [f"{WAY_LABELS[way]} {told.address(way)}" for way in Way if told.address(way)]
    click.echo(f"{login}: {', '.join(reached) or '没有可用的联系方式'}")


@click.command("test-channel")
@click.argument("way", type=click.Choice([way.value for way in Way]))
@click.argument("login")
@click.pass_context
def test_channel(ctx: click.Context, way: str, login: str) -> None:
    """Send one real message to a person by one way; a running scheduler carries it out."""
    address = contacts.test(context.ready_desk(ctx), SYSTEM, login, Way(way), context.utc_now())
    click.echo(f"已排队, 发往 {address}; 结果见 doctor 的 outbox failed 和调度器日志")


@click.command("sms-count")
@click.pass_context
def sms_count(ctx: click.Context) -> None:
    """Count this month's short messages as they are billed, by what became of them."""
    rows = receipts.month(context.ready_desk(ctx), context.utc_now())
    for row in rows:
        click.echo(f"{row['channel']} {row['state']}: {row['messages']} 条, 计费 {row['parts']} 条")
    if not rows:
        click.echo("本月没有发送")
