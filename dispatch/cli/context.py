"""What commands share: the settings as an application, the time, and files read with a clear error."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, cast

import click
from apiflask import APIFlask

from dispatch.app import create_app
from dispatch.domain.progress import Counted
from dispatch.domain.settings import Settings
from dispatch.services import bootstrap
from dispatch.services.desk import Desk

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
DATA = ROOT / "data"
ExistingFile = click.Path(exists=True, dir_okay=False, path_type=Path)


def settings(ctx: click.Context) -> Settings:
    """Return the settings, read from the environment when a command first asks."""
    try:
        return cast(Settings, ctx.obj())
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def application(ctx: click.Context) -> APIFlask:
    """Return the application on a database that may be empty."""
    return create_app(settings(ctx))


def ready_application(ctx: click.Context) -> APIFlask:
    """Return the application on a database that was initialised.

    Raises:
        NotReady: if it was not, or is older than this program.
    """
    app = application(ctx)
    bootstrap.check_ready(app.extensions["desk"])
    return app


def desk(ctx: click.Context) -> Desk:
    """Return the desk of the application, whatever the state of its database."""
    return cast(Desk, application(ctx).extensions["desk"])


def ready_desk(ctx: click.Context) -> Desk:
    """Return the desk of an application that is ready."""
    return cast(Desk, ready_application(ctx).extensions["desk"])


def told(label: str, items: Counted[T]) -> Iterator[T]:
    """Iterate with a progress bar on standard error; as the domain's Track."""
    # A line for each of thousands of items would be most of what a slow terminal does.
    every = max(1, len(items) // 100)
    with click.progressbar(
        items, length=len(items), label=label, file=sys.stderr, show_pos=True, update_min_steps=every
    ) as bar:
        yield from bar


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """Turn Ctrl+C into an event that is heeded between two steps."""
    stopped = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: stopped.set())
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def utc_now() -> datetime:
    """Read the clock: here, at the edge."""
    return datetime.now(UTC)


def parse_time(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """Read ISO 8601 with a time zone."""
    if value is None:
        return None
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter("应为 2026-11-24T14:05:00+08:00 的形式") from error
    if parsed.tzinfo is None:
        raise click.BadParameter("缺少时区, 例如 +08:00")
    return parsed.astimezone(UTC)
