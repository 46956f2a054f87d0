"""A store on both databases, ready to work: schema, sample policy, roster, grids and the cast.

Each database is made once a session as a template, and copied for every test.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import create_engine

from dispatch.domain.place import Datum
from dispatch.domain.roles import SYSTEM
from dispatch.domain.settings import Settings
from dispatch.domain.zone_file import read_zones
from dispatch.services import setup
from dispatch.services.desk import Desk
from dispatch.storage import schema
from dispatch.storage.db import Store, engine_options
from tests.support import cast
from tests.support.pg import PostgresServer

T = TypeVar("T")
DATA = Path(__file__).parents[2] / "data"
# From then on the sample policy and the sample grids hold.
SINCE = datetime(2026, 11, 1, tzinfo=UTC)
# 10:00 in Changsha, a Tuesday.
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
THREADS = 64
BOTH = ("sqlite", "postgresql")


def open_store(url: str, threads: int = THREADS) -> Store:
    """Open a store as the application does."""
    return Store(create_engine(url, **engine_options(url, threads)))


def open_desk(url: str) -> Desk:
    """Open a desk as the application does; a second one stands for a second process."""
    return Desk(open_store(url), Settings(database_url=url))


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def furnish(url: str) -> None:
    """Make schema, policy, roster, grids and users in an empty database."""
    desk = open_desk(url)
    schema.upgrade(desk.store)
    setup.load_policy(desk, SYSTEM, (DATA / "policy.toml").read_bytes(), SINCE)
    setup.load_roster(desk, SYSTEM, (DATA / "roster.json").read_bytes(), SINCE)
    data = (DATA / "zones.geojson").read_bytes()
    zones = read_zones(data, datum=Datum.WGS84).zones
    setup.import_zones(
        desk, SYSTEM, zones, source="zones.geojson", data=data, valid_from=SINCE, now=SINCE, is_sample=True
    )
    cast.hire(desk, SINCE)
    desk.store.close()


def in_parallel(jobs: Sequence[Callable[[], T]]) -> list[T | Exception]:
    """Start all jobs at once, each in a thread of its own; return what each returned or raised."""
    gate = threading.Barrier(len(jobs))

    def run(job: Callable[[], T]) -> T | Exception:
        gate.wait(30)
        try:
            return job()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The furnished SQLite file that tests copy."""
    path = tmp_path_factory.mktemp("template") / "dispatch.db"
    furnish(sqlite_url(path))
    return path


@pytest.fixture(scope="session")
def postgres_template(pg_server: PostgresServer) -> str:
    """The name of the furnished PostgreSQL database that tests clone."""
    pg_server.create_template("furnished", furnish)
    return "furnished"


@pytest.fixture(scope="session")
def postgres_empty(pg_server: PostgresServer) -> str:
    """The name of an empty PostgreSQL database that tests clone."""
    pg_server.create_template("empty", lambda url: None)
    return "empty"


@pytest.fixture(params=BOTH)
def dialect(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    return str(request.param)


@pytest.fixture
def url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a furnished database of the test's own."""
    if dialect == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "dispatch.db")
        yield sqlite_url(tmp_path / "dispatch.db")
        return
    template = request.getfixturevalue("postgres_template")
    server = request.getfixturevalue("pg_server")
    clone = server.clone(template)
    yield clone
    server.drop(clone)


@pytest.fixture
def empty_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without a schema."""
    if dialect == "sqlite":
        yield sqlite_url(tmp_path / "empty.db")
        return
    template = request.getfixturevalue("postgres_empty")
    server = request.getfixturevalue("pg_server")
    clone = server.clone(template)
    yield clone
    server.drop(clone)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """A furnished store."""
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def bare_store(empty_url: str) -> Iterator[Store]:
    """A store without a schema."""
    opened = open_store(empty_url)
    yield opened
    opened.close()


@pytest.fixture
def desk(store: Store, url: str) -> Desk:
    """A desk over the furnished store."""
    return Desk(store, Settings(database_url=url))


@pytest.fixture
def now() -> datetime:
    """The moment at which every test takes place."""
    return NOW
