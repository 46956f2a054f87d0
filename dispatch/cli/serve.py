"""serve: web and scheduler in one command. scheduler: a scheduler alone, as many as you like."""

from __future__ import annotations

import ctypes
import signal
import socket
import sys
import threading
from collections.abc import Callable
from multiprocessing.util import Finalize
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.common import AbstractServer

from dispatch.cli import context, people
from dispatch.scheduler.jobs import Jobs
from dispatch.services import accounts, bootstrap
from dispatch.services.desk import Desk

# Longest a worker may take to finish its requests when it is told to stop, in seconds.
_KILL_AFTER_S = 3
_STOP = (signal.SIGINT, signal.SIGTERM)
# From <linux/prctl.h>.
_PR_SET_PDEATHSIG = 1


@click.command()
@click.pass_context
def serve(ctx: click.Context) -> None:
    """Run web and scheduler (default)."""
    settings = context.settings(ctx)
    bring_up(context.desk(ctx))
    click.echo(f"96533 Dispatch: http://{settings.host}:{settings.port}/docs  (Ctrl+C 停止)")
    server(settings.host, settings.port, settings.workers, settings.threads).serve()


def server(host: str, port: int, workers: int, threads: int) -> AbstractServer[Any]:
    """Return the web server; each of its processes runs a scheduler, which any number may."""
    return Granian(
        "run:server_app",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        respawn_failed_workers=True,
        workers_kill_timeout=_KILL_AFTER_S,
        log_level=LogLevels.error,
        working_dir=context.ROOT,
    )


def start_in_worker(jobs: Jobs, stop_live: Callable[[], object]) -> None:
    """Start the scheduler of a web worker: it stops with the worker, and the worker is killed with its parent.

    Open streams end as soon as the worker is told to stop: it would wait for them until it is killed.

    A worker that outlived a killed parent would hold the port against the next start, and nobody would be left to
    stop it. Only Linux can do that; elsewhere the port must be freed by hand.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _on_signal(stop_live)
    jobs.start()
    # atexit would come too late, and not at all in a child: the job threads are waited for before that.
    Finalize(None, jobs.stop, exitpriority=1)


def _on_signal(told: Callable[[], object]) -> None:
    """Call `told` when this process is told to stop; the web server sets its own handlers, and later."""
    heard, said = socket.socketpair()
    said.setblocking(False)
    signal.set_wakeup_fd(said.fileno())

    def wait() -> None:
        with heard, said:
            while True:
                if heard.recv(1)[0] in _STOP:
                    told()

    threading.Thread(target=wait, name="stop-live", daemon=True).start()


def bring_up(desk: Desk) -> None:
    """Bring the schema up to date; on a fresh installation load what is shipped, and invite the first administrator."""
    made = bootstrap.bring_up(desk, context.DATA, context.utc_now())
    for line in made:
        click.echo(line, err=True)
    token = accounts.first_admin_link(desk, context.utc_now())
    if token is not None:
        click.echo(f"还没有管理员。{people.link_text(desk, token)}")
    desk.store.close()


@click.command()
@click.pass_context
def scheduler(ctx: click.Context) -> None:
    """Run a scheduler alone; any number may run at once."""
    app = context.ready_application(ctx)
    # Blocked and waited for: a handler runs only when this thread does, and a signal that came just before it fell
    # asleep would wake nobody. The threads of the jobs inherit the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
    app.extensions["jobs"].start()
    click.echo("调度进程已启动 (Ctrl+C 停止)", err=True)
    signal.sigwait(_STOP)
    app.extensions["jobs"].stop()
