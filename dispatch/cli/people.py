"""create-user, create-token."""

from __future__ import annotations

from datetime import timedelta

import click

from dispatch.cli import context
from dispatch.domain.roles import ROLE_LABELS, SYSTEM, Role
from dispatch.services import setup

_ROLES = [role.value for role in Role if role is not Role.SYSTEM]


@click.command("create-user")
@click.argument("login")
@click.option("--name", required=True, help="Name as the timeline shows it.")
@click.option("--role", type=click.Choice(_ROLES), required=True)
@click.option("--team", "team_id", help="Team id; needed for crew and lead.")
@click.pass_context
def create_user(ctx: click.Context, login: str, name: str, role: str, team_id: str | None) -> None:
    """Add a person or an integration."""
    setup.create_user(
        context.ready_desk(ctx),
        SYSTEM,
        login=login,
        name=name,
        role=Role(role),
        team_id=team_id,
        now=context.utc_now(),
    )
    click.echo(f"已创建 {login} ({ROLE_LABELS[Role(role)]})")


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
