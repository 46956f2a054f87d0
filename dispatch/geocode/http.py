"""One question to a service on the network, bounded in time and size whatever the other side does.

The whole exchange, not only each read of it, ends after `timeout_s`: a service that sends a byte a second is a service
that hangs. No redirect is followed and nothing is tried twice.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; the names of its headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoReply(Exception):
    """Nothing that can be read; `is_slow` where it did not come in time."""

    def __init__(self, detail: str, *, is_slow: bool = False) -> None:
        super().__init__(detail)
        self.is_slow = is_slow


class NotJson(ValueError):
    """A page, a torn document, or one that is nested beyond reason."""


def ask(url: str, *, timeout_s: float, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Reply:
    """GET, or POST where there is a body.

    Args:
        url: `http://` or `https://`.
        timeout_s: Seconds for all of it, the look-up of the host's name apart.
        headers: Further headers.
        body: What is posted.

    Raises:
        NoReply: where nobody answers, not in time, or with more than a megabyte.
    """
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    cut = threading.Event()
    try:
        with _connected(parts.scheme == "https", parts.hostname or "", parts.port, timeout_s, cut) as conn:
            conn.request("POST" if body is not None else "GET", path, body, dict(headers or {}))
            with contextlib.closing(conn.getresponse()) as answer:
                data = answer.read(MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        raise NoReply(type(error).__name__, is_slow=cut.is_set() or isinstance(error, TimeoutError)) from error
    if cut.is_set():  # what was read by then looks whole where no length is told
        raise NoReply("cut off", is_slow=True)
    if len(data) > MOST_BYTES:
        raise NoReply(f"more than {MOST_BYTES} bytes")
    return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, data)


def read_json(data: bytes) -> Any:
    """Read a document.

    Raises:
        NotJson: for anything else.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotJson(type(error).__name__) from error


@contextlib.contextmanager
def _connected(
    is_tls: bool, host: str, port: int | None, timeout_s: float, cut: threading.Event
) -> Iterator[http.client.HTTPConnection]:
    """Yield a connection that is cut after `timeout_s`; `cut` then says so."""
    conn = http.client.HTTPConnection(host, port or (443 if is_tls else 80), timeout=timeout_s)
    conn.sock = socket.create_connection((conn.host, conn.port), timeout_s)

    def end() -> None:
        cut.set()
        with contextlib.suppress(OSError, AttributeError):  # closed already
            conn.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(timeout_s, end)
    timer.daemon = True
    timer.start()
    try:
        if is_tls:
            context = ssl.create_default_context()
            tls = conn.sock = context.wrap_socket(conn.sock, server_hostname=host, do_handshake_on_connect=False)
            tls.do_handshake()
        yield conn
    finally:
        timer.cancel()
        conn.close()
