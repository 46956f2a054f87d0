"""create-user, create-token, reset-password."""

from __future__ import annotations

from datetime import timedelta

import click

from dispatch.cli import context
from dispatch.domain.roles import ROLE_LABELS, SYSTEM, Role
from dispatch.services import accounts, setup
from dispatch.services.desk import Desk

_ROLES = [role.value for role in Role if role is not Role.SYSTEM]


@click.command("create-user")
@click.argument("login")
@click.option("--name", required=True, help="Name as the timeline shows it.")
@click.option("--role", type=click.Choice(_ROLES), required=True)
@click.option("--team", "team_id", help="Team id; needed for crew and lead.")
@click.option("--no-link", is_flag=True, help="Print no link: the user is to have tokens alone.")
@click.pass_context
def create_user(ctx: click.Context, login: str, name: str, role: str, team_id: str | None, no_link: bool) -> None:
    """Add a person or an integration; a person gets a link, valid once, to choose a password."""
    desk, now = context.ready_desk(ctx), context.utc_now()
    setup.create_user(desk, SYSTEM, login=login, name=name, role=Role(role), team_id=team_id, now=now)
    click.echo(f"已创建 {login} ({ROLE_LABELS[Role(role)]})")
    if not no_link and Role(role) is not Role.INTEGRATION:
        click.echo(link_text(desk, accounts.password_link(desk, SYSTEM, login, now)))


@click.command("reset-password")
@click.argument("login")
@click.option("--drop-factors", is_flag=True, help="Remove one-time codes and passkeys as well: the telephone is lost.")
@click.pass_context
def reset_password(ctx: click.Context, login: str, drop_factors: bool) -> None:
    """Take a password away, sign its user out everywhere, and print a link, valid once, to choose another."""
    desk = context.ready_desk(ctx)
    click.echo(link_text(desk, accounts.reset(desk, SYSTEM, login, context.utc_now(), drop_factors=drop_factors)))


def link_text(desk: Desk, token: str) -> str:
    """Return a link as it is printed."""
    hours = accounts.LINK_LIVES.total_seconds() / 3600
    return f"设置密码的链接 ({hours:.0f} 小时内有效, 只能用一次): {desk.settings.address}/welcome/{token}"


@click.command("create-token")
@click.argument("login")
@click.option("--label", default="cli", show_default=True, help="What it is for.")
@click.option("--days", type=click.IntRange(1, 3650), help="Valid for so many days; for ever if left out.")
@click.pass_context
def create_token(ctx: click.Context, login: str, label: str, days: int | None) -> None:
    """Make a bearer token for the API; it is printed this once."""
    now = context.utc_now()
    expires_at = now + timedelta(days=days) if days else None
    click.echo(
        setup.create_token(context.ready_desk(ctx), SYSTEM, login=login, label=label, expires_at=expires_at, now=now)
    )
