"""`python run.py COMMAND`. Exit codes: 0 done, 1 found something wrong, 2 cannot do what was asked."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy.exc import DatabaseError, OperationalError

from dispatch import __version__
from dispatch.cli import (
    articles,
    care,
    contacts,
    customers,
    demo,
    depots,
    installation,
    people,
    places,
    push,
    replay,
    roads,
    rosters,
    serve,
    setup,
    zone_maps,
    zones,
)
from dispatch.domain.errors import DispatchError


class Unusable(click.ClickException):
    """Something outside the program that it cannot do without."""

    exit_code = 2


class Refused(click.ClickException):
    """An error of the domain, told in one line or, for files, with its problems."""

    exit_code = 2

    def __init__(self, error: DispatchError) -> None:
        lines = [error.detail + (f" ({error.field})" if error.field else "")]
        lines += [f"  {zones.problem_text(found)}" for found in error.extra.get("problems", ())]
        super().__init__("\n".join(lines))


class Commands(click.Group):
    """Turns what the services refuse, and what the settings lack, into plain words."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except DispatchError as error:
            raise Refused(error) from error
        except OperationalError as error:
            raise Unusable(f"数据库不可用, 请检查 DISPATCH_DATABASE_URL: {error.orig}") from error
        except DatabaseError as error:
            # Its other kinds are mistakes of this program, which need their traceback.
            if type(error) is not DatabaseError:
                raise
            raise Unusable(f"数据库文件已损坏或不是数据库, 请检查 DISPATCH_DATABASE_URL: {error.orig}") from error
        except OSError as error:
            raise Unusable(f"文件或端口不可用: {error}") from error


@click.group(cls=Commands, invoke_without_command=True)
@click.version_option(package_name=None, version=__version__, prog_name="96533 Dispatch")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """96533 Dispatch: one call, one ticket, one crew, one visit, one repair.

    Without a command: serve.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(serve.serve)


for _command in (
    serve.serve,
    serve.scheduler,
    demo.demo,
    setup.init,
    people.create_user,
    people.create_token,
    people.reset_password,
    contacts.set_contact,
    contacts.test_channel,
    contacts.sms_count,
    zones.import_zones,
    depots.import_depots,
    customers.import_customers,
    zones.route,
    zone_maps.export_zones,
    zone_maps.import_zone_codes,
    zone_maps.rezone,
    places.locate,
    places.import_places,
    articles.import_articles,
    articles.export_articles,
    roads.import_roads,
    roads.eta,
    rosters.duty,
    rosters.import_roster,
    rosters.export_roster,
    installation.export_folder,
    installation.import_folder,
    replay.replay,
    care.sweep,
    care.doctor,
    care.state_diagram,
    push.push_key,
):
    cli.add_command(_command)
