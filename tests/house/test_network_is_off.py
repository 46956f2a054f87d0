"""Unit tests have no network; `network` opens this machine only; child processes are free."""

import asyncio
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_socket import SocketBlockedError, SocketConnectBlockedError


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_tcp_is_refused() -> None:
    with pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET)


def test_asyncio_still_runs() -> None:
    # In a thread: where a browser test came before, the driver's loop runs in this one.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: asyncio.run(asyncio.sleep(0, "done"))).result() == "done"


@pytest.mark.network
def test_the_marker_opens_loopback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.network
@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_the_marker_opens_no_other_machine() -> None:
    with pytest.raises(SocketConnectBlockedError):
        socket.create_connection(("192.0.2.1", 80), timeout=1)  # TEST-NET-1: nobody is there


def test_child_processes_may_listen() -> None:
    listen = "import socket; socket.create_server(('127.0.0.1', 0)).close()"
    assert subprocess.run([sys.executable, "-c", listen], check=False).returncode == 0
