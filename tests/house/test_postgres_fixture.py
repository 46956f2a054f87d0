"""The PostgreSQL fixture does what the storage tests build on."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.pg import PostgresServer, open_temp

ROOT = Path(__file__).parents[2]

# Run by a child process: give up root if it has it, start a server of its own, say who answers, then wait.
START_AS_PLAIN_USER = """
import os, sys
import psycopg
from tests.support import pg
pg.binaries()  # as in a session of that user, whose venv is within its reach
if os.geteuid() == 0:
    uid, gid = pg.nobody()
    os.setgroups([]), os.setgid(gid), os.setuid(uid)
server = pg.PostgresServer()
server.start()
with psycopg.connect(server.url("postgres").replace("+psycopg", "")) as connection:
    version = connection.execute("SHOW server_version").fetchone()[0]
print(os.geteuid(), server.pid, version, flush=True)
sys.stdin.read()
server.stop()
"""


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(statement.encode()).fetchall()


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute(statement.encode())


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def template(pg_server: PostgresServer) -> str:
    pg_server.create_template("house", lambda url: execute(url, "CREATE TABLE note (text text)"))
    return "house"


@pytest.fixture
def plain_user_child() -> Iterator[subprocess.Popen[str]]:
    with tempfile.TemporaryDirectory(dir=open_temp()) as folder:
        Path(folder).chmod(0o777)
        child = subprocess.Popen(
            [sys.executable, "-c", START_AS_PLAIN_USER],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": folder},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with child:
            yield child
            child.kill()


def test_a_real_postgresql_answers(pg_server: PostgresServer) -> None:
    ((version,),) = query(pg_server.url("postgres"), "SELECT version()")
    assert str(version).startswith("PostgreSQL 18")


def test_it_listens_on_no_port(pg_server: PostgresServer) -> None:
    assert query(pg_server.url("postgres"), "SHOW listen_addresses") == [("",)]


def test_two_clones_do_not_see_each_other(pg_server: PostgresServer, template: str) -> None:
    one, two = pg_server.clone(template), pg_server.clone(template)
    execute(one, "INSERT INTO note VALUES ('李娭毑')")
    assert query(one, "SELECT text FROM note") == [("李娭毑",)]
    assert query(two, "SELECT text FROM note") == []


def test_a_dropped_clone_is_gone_even_in_use(pg_server: PostgresServer, template: str) -> None:
    url = pg_server.clone(template)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        pg_server.drop(url)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        query(url, "SELECT 1")


def test_the_template_is_closed(pg_server: PostgresServer, template: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        query(pg_server.url(template), "SELECT 1")


@pytest.mark.processes
def test_a_durable_server_keeps_commits_over_a_crash() -> None:
    server = PostgresServer(durable=True)
    server.start()
    try:
        assert query(server.url("postgres"), "SHOW fsync") == [("on",)]
        execute(server.url("postgres"), "CREATE TABLE note AS SELECT 'kept' AS text")
        server.crash()
        with pytest.raises(psycopg.OperationalError):
            query(server.url("postgres"), "SELECT 1")
        server.start()
        assert query(server.url("postgres"), "SELECT text FROM note") == [("kept",)]
        folder = server.folder
    finally:
        server.stop()
    assert not folder.exists()


@pytest.mark.processes
def test_it_runs_for_a_plain_user(plain_user_child: subprocess.Popen[str]) -> None:
    assert plain_user_child.stdout
    uid, _, version = plain_user_child.stdout.readline().split()
    assert int(uid) != 0
    assert version.startswith("18")
    plain_user_child.communicate("stop")
    assert plain_user_child.returncode == 0


@pytest.mark.processes
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PR_SET_PDEATHSIG is of Linux")
def test_it_dies_with_its_parent(plain_user_child: subprocess.Popen[str]) -> None:
    assert plain_user_child.stdout
    postgres = int(plain_user_child.stdout.readline().split()[1])
    assert is_alive(postgres)
    plain_user_child.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_alive(postgres) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(postgres)
