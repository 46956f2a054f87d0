"""The three systems as web servers: each under granian with the same threads, loaded by the same client."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.intake import _SERVE, ROOT, THREADS, Server, install
from tests.support.processes import free_port

TRIES = 3
TEXT = "水表漏水, 急, 请尽快派人到现场处理"


class Target(Server):
    """One application under granian, and how a program creates a ticket there.

    Args:
        python: The Python to run it with.
        application: `module:factory`.
        environ: What its process finds in its environment besides ours.
        path: Where a ticket is posted.
        headers: Sent with each.
        port: Where it listens; a free one by default.

    Attributes:
        failures: How often it answered with an error of its own so far.
    """

    def __init__(
        self,
        python: str,
        application: str,
        environ: Mapping[str, str],
        path: str,
        headers: Mapping[str, str],
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.path = path
        self.headers = {"Content-Type": "application/json", **headers}
        self.failures = 0
        self._ids = count()
        command = [python, "-c", _SERVE, application, str(self.port), str(THREADS)]
        self.process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environ}, stdout=subprocess.DEVNULL)
        try:
            self._wait()
        except RuntimeError:
            self.stop()
            raise

    def load(self, clients: int, requests: int) -> tuple[float, list[float]]:
        """Create `requests` tickets from `clients` keep-alive connections; return seconds and latencies."""
        left = count()

        def client() -> list[float]:
            latencies = []
            conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            while next(left) < requests:
                begin = time.perf_counter()
                self.create(conn)
                latencies.append(time.perf_counter() - begin)
            conn.close()
            return latencies

        begin = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            runs = [pool.submit(client) for _ in range(clients)]
        seconds = time.perf_counter() - begin
        return seconds, [latency for run in runs for latency in run.result()]

    def create(self, conn: http.client.HTTPConnection) -> None:
        """Create one ticket."""
        self.post(conn, self.path, self.body())

    def post(self, conn: http.client.HTTPConnection, path: str, body: bytes) -> bytes:
        """Post something that makes something, again if the server fails, and return the answer."""
        for _ in range(TRIES):
            conn.request("POST", path, body, self.headers)
            answer = conn.getresponse()
            text = answer.read()
            if answer.status == 201:
                return text
            if answer.status < 500:
                break
            self.failures += 1
        raise RuntimeError(f"{path}: {answer.status} {text[:200]!r}")


class Ours(Target):
    """The real thing, scheduler and all: `POST /api/v1/calls` with a bearer token."""

    def __init__(self, url: str) -> None:
        environ = {
            "DISPATCH_DATABASE_URL": url,
            "DISPATCH_SECRET_KEY": "k" * 32,
            "DISPATCH_THREADS": str(THREADS),
            "DISPATCH_LOG_LEVEL": "ERROR",
        }
        headers = {"Authorization": f"Bearer {install(url)}"}
        super().__init__(sys.executable, "run:server_app", environ, "/api/v1/calls", headers)


class Helpdesk(Target):
    """django-helpdesk: `POST /api/tickets/` of its REST API with a token.

    Its own form validates and saves the ticket, and tells the team by mail.
    """

    def __init__(self, python: str, url: str) -> None:
        with Worker(python, url) as worker:
            token = worker.ask("install")
        application, headers = "django.core.wsgi:get_wsgi_application", {"Authorization": f"Token {token}"}
        super().__init__(python, application, helpdesk_environ(url), "/api/tickets/", headers)

    def body(self) -> bytes:
        """One ticket for its one queue."""
        title = f"水表漏水 {next(self._ids)}"
        return json.dumps({"queue": 1, "title": title, "description": TEXT, "priority": 2}).encode()


class Roundup(Target):
    """roundup: the text to `/rest/data/msg` and the issue to `/rest/data/issue` of its REST API, after one login.

    The issue is assigned to the team, whom its detectors then tell.
    """

    def __init__(self, python: str, tracker: Path) -> None:
        port = free_port()
        site = f"http://127.0.0.1:{port}"
        # Mail ends in a file instead of an SMTP server.
        options = f"tracker_web={site}/,mail_domain=example.invalid,mail_host=localhost,mail_debug={tracker}.mail"
        for command in (
            ["install", "classic", "sqlite", options],
            ["initialise", "bench"],
            ["create", "user", "username=team", "address=team@example.invalid", "roles=User"],
        ):
            admin = [str(Path(python).with_name("roundup-admin")), "-i", str(tracker), *command]
            subprocess.run(admin, check=True, stdout=subprocess.DEVNULL)
        headers = {"Origin": site, "Referer": f"{site}/", "X-Requested-With": "rest"}
        environ = {"PEER_TRACKER": str(tracker)}
        super().__init__(python, "bench.peers.roundup_site:application", environ, "/rest/data/issue", headers, port)
        self.headers["Cookie"] = self._login(headers)

    def _login(self, headers: Mapping[str, str]) -> str:
        """Return the session's cookie: a password with every request would cost it 0.1 s of hashing each."""
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        form = urlencode({"@action": "login", "__login_name": "admin", "__login_password": "bench"})
        conn.request("POST", "/", form, {"Content-Type": "application/x-www-form-urlencoded", **headers})
        cookie = conn.getresponse().headers["Set-Cookie"]
        conn.close()
        return str(cookie).partition(";")[0]

    def create(self, conn: http.client.HTTPConnection) -> None:
        """Create one issue with one message."""
        message = self.post(conn, "/rest/data/msg", json.dumps({"content": TEXT, "author": "admin"}).encode())
        issue = {
            "title": f"水表漏水 {next(self._ids)}",
            "messages": [json.loads(message)["data"]["id"]],
            "priority": "urgent",
            "status": "unread",
            "assignedto": "team",
        }
        self.post(conn, self.path, json.dumps(issue).encode())


def helpdesk_environ(url: str) -> dict[str, str]:
    """What a process of django-helpdesk needs to know."""
    return {"DJANGO_SETTINGS_MODULE": "bench.peers.helpdesk_settings", "PEER_DATABASE_URL": url}


class Worker:
    """A process of django-helpdesk that does what it is told; see helpdesk_worker.py."""

    def __init__(self, python: str, url: str) -> None:
        self.process = subprocess.Popen(
            [python, "-m", "bench.peers.helpdesk_worker"],
            cwd=ROOT,
            env={**os.environ, **helpdesk_environ(url)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=60)

    def tell(self, command: str, *numbers: int) -> None:
        """Send a command without waiting for its answer."""
        assert self.process.stdin
        print(command, *numbers, file=self.process.stdin, flush=True)

    def answer(self) -> Any:
        """Wait for the answer to the command told."""
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def ask(self, command: str, *numbers: int) -> Any:
        """Send a command and return its answer."""
        self.tell(command, *numbers)
        return self.answer()
