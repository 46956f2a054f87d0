"""Clients of the event stream."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from tests.support.processes import WITHIN_S


class Client:
    """One open stream; its messages come in, each with the time at which it did, until it is closed by either side."""

    def __init__(self, port: int, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), WITHIN_S)
        head = f"GET /api/v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
        self._socket.sendall(head.encode())
        self._lines = self._socket.makefile("rb")
        self.status = int(self._lines.readline().split()[1])
        self.messages: list[tuple[float, dict[str, Any]]] = []
        self.is_over = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(OSError):
            for line in self._lines:
                if line.startswith(b"data: "):
                    self.messages.append((time.monotonic(), json.loads(line[6:])))
                elif line == b"0\r\n":  # the last chunk; the connection stays
                    break
        self.is_over = True
        self._lines.close()
        self._socket.close()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a kind so far."""
        return [message for _, message in self.messages if message["kind"] == kind]

    def heard_at(self, number: str) -> float | None:
        """When this ticket was first told of, on the monotonic clock."""
        return next((at for at, message in self.messages if message.get("number") == number), None)

    def close(self) -> None:
        """Go away without a word."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def clients(port: int, token: str, count: int) -> Iterator[list[Client]]:
    """Open so many streams."""
    opened = [Client(port, token) for _ in range(count)]
    try:
        yield opened
    finally:
        for client in opened:
            client.close()
