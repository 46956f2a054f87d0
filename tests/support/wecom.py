"""WeCom on this machine: tokens that end, a robot that throttles, an application that drops repetitions."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CORP, AGENT, SECRET, ROBOT_KEY = "wwexample", 1000002, "not-a-secret", "693a91f6-example"
OK = {"errcode": 0, "errmsg": "ok"}
LOST = "lost"


class WeCom(ThreadingHTTPServer):
    """Keeps what it shows; `answers` says what it answers next: an errcode, or nothing though it took the message."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.shown: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.answers: list[int | str] = []
        self.unknown = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def robot(self) -> str:
        return f"{self.url}/cgi-bin/webhook/send?key={ROBOT_KEY}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WeCom

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        answer = self.answer_to(parts.path, asked, json.loads(body) if body else {})
        self.close_connection = True
        if answer is not None:
            data = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def answer_to(self, path: str, asked: dict[str, str], told: dict[str, Any]) -> dict[str, Any] | None:
        if path == "/cgi-bin/gettoken":
            if (asked["corpid"], asked["corpsecret"]) != (CORP, SECRET):
                return {"errcode": 40001, "errmsg": "invalid credential"}
            self.server.tokens.append(f"token-{len(self.server.tokens)}")
            return OK | {"access_token": self.server.tokens[-1], "expires_in": 7200}
        if path == "/cgi-bin/webhook/send":
            if asked["key"] != ROBOT_KEY:
                return {"errcode": 93000, "errmsg": "invalid webhook url"}
        elif asked["access_token"] != self.server.tokens[-1]:
            return {"errcode": 40014, "errmsg": "invalid access_token"}
        answer = self.server.answers.pop(0) if self.server.answers else 0
        if isinstance(answer, int) and answer:
            return {"errcode": answer, "errmsg": "as told"}
        # Within the interval the same content to the same person is taken, and not shown twice.
        if not (told.get("enable_duplicate_check") and told in self.server.shown):
            self.server.shown.append(told)
        return None if answer == LOST else OK | {"msgid": "m1", "invaliduser": self.server.unknown}

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def wecom() -> Iterator[WeCom]:
    """Run one."""
    with WeCom() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
