"""Real processes of the project, to be killed.

Used by tests/processes and by bench/faults.py. Every process runs `run.py` in a group of its own, which ends with the
site that started it, or with the process that did. It is forked from one that has imported the project already: a
suite starts hundreds, and imports take longer than all the rest of a start. tests/processes/test_web.py has the cold
start.
"""

from __future__ import annotations

import ctypes
import http.client
import multiprocessing
import os
import runpy
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Self, TypeVar

import pytest
from sqlalchemy import select

from dispatch.services.desk import Desk
from dispatch.storage import health

ROOT = Path(__file__).parents[2]
# Generous, and no promise of the product: an idle machine starts a process in one second, a busy one in ten; one at a
# sixth of its usual speed needed more than thirty for the several schedulers of a test.
WITHIN_S = 60.0
R = TypeVar("R", bound="Running")
# From <linux/prctl.h>.
_PR_SET_PDEATHSIG = 1
_FORK = multiprocessing.get_context("forkserver")
_FORK.set_forkserver_preload(["dispatch.app", "dispatch.cli.main", __name__])


def utc_now() -> datetime:
    return datetime.now(UTC)


def wait_for(is_so: Callable[[], object], what: str, within_s: float = WITHIN_S, every_s: float = 0.02) -> None:
    """Return as soon as `is_so()`; fail with `what` when it never comes."""
    deadline = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        time.sleep(every_s)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """One `python run.py ...` and its children."""

    def __init__(self, log: Path, environ: Mapping[str, str], *arguments: str) -> None:
        self._log = log
        log.touch()
        self._process = _FORK.Process(target=_run, args=(log, {**os.environ, **environ}, arguments))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def members(self) -> list[int]:
        """The living processes of the group."""
        return [pid for pid, group in _living() if group == self.pid]

    def children(self) -> list[int]:
        """The living members but the first."""
        return [pid for pid in self.members() if pid != self.pid]

    def log(self) -> str:
        """What it has said so far."""
        return self._log.read_text(errors="replace")

    def wait_for(self, is_so: Callable[[], object], what: str) -> None:
        """Wait while it lives."""

        def settled() -> bool:
            return bool(is_so()) or self._process.exitcode is not None

        try:
            wait_for(settled, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()[-3000:]}") from None
        if not is_so():
            raise AssertionError(f"it ended before {what}:\n{self.log()[-3000:]}")

    def kill(self) -> None:
        """SIGKILL to the whole group; returns when all are dead and their locks and ports free."""
        self._process.kill()  # it may not lead its group yet
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.join()
        wait_for(lambda: not self.members(), "the killed group is gone")

    def stop(self, within_s: float = WITHIN_S) -> int:
        """SIGTERM to the first process, as an init system does; return its exit code."""
        self._process.terminate()
        self._process.join(within_s)
        assert self._process.exitcode is not None, f"still running {within_s:g} s after SIGTERM"
        return self._process.exitcode


def _run(log: Path, environ: Mapping[str, str], arguments: Sequence[str]) -> None:
    """Become `python run.py ...` with its output in a file."""
    os.setsid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    multiprocessing.set_start_method(None, force=True)  # the default again, for the workers of the web
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(ROOT)
    sys.argv = ["run.py", *arguments]
    runpy.run_path(str(ROOT / "run.py"), run_name="__main__")


def _living() -> Iterator[tuple[int, int]]:
    """Pid and group of every process that is no zombie."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, _, group, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
                if state not in "ZX":
                    yield int(entry.name), int(group)


class Web(Running):
    """`python run.py`: web and scheduler."""

    def __init__(self, log: Path, environ: Mapping[str, str]) -> None:
        super().__init__(log, environ)
        self.port = int(environ["DISPATCH_PORT"])

    def wait_until_up(self) -> Self:
        self.wait_for(lambda: self.health() is not None, "the web answers")
        return self

    def health(self) -> int | None:
        """The status of /healthz, or None where nobody answers."""
        return http_status(self.port, "/healthz")


def http_status(port: int, path: str) -> int | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        with connection.getresponse() as answer:
            return answer.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Site:
    """One installation: a furnished database, a port, and every process started on it."""

    def __init__(self, desk: Desk, folder: Path, **environ: str) -> None:
        self.desk = desk
        self._folder = folder
        self._environ = {
            "DISPATCH_DATABASE_URL": desk.settings.database_url,
            "DISPATCH_SECRET_KEY": "k" * 32,
            **environ,
        }
        self._started: list[Running] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for running in self._started:
            running.kill()

    @cached_property
    def port(self) -> int:
        """Where the web listens, each time it starts."""
        return free_port()

    def web(self) -> Web:
        """Start web and scheduler."""
        return self._add(Web(self._next_log(), self._environ | {"DISPATCH_PORT": str(self.port)}))

    def scheduler(self) -> Running:
        """Start a scheduler alone."""
        return self._add(Running(self._next_log(), self._environ, "scheduler"))

    def beating(self, count: int) -> bool:
        """Whether so many schedulers have beaten so far."""
        return len(self.shares()) >= count

    def shares(self) -> list[int]:
        """How many steps each scheduler had fired at its last heartbeat."""
        with self.desk.store.read() as tx:
            return list(tx.conn.execute(select(health.BEATS.c.swept)).scalars())

    def _next_log(self) -> Path:
        return self._folder / f"process-{len(self._started)}.log"

    def _add(self, running: R) -> R:
        self._started.append(running)
        return running


@pytest.fixture
def site(desk: Desk, tmp_path: Path) -> Iterator[Site]:
    """A furnished installation; the test says when its processes start and end."""
    with Site(desk, tmp_path) as opened:
        yield opened
