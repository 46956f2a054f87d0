# mypy: disable-error-code="import-not-found, import-untyped"
"""The roundup tracker that we are held against as a web application; run by the peers' Python only."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from roundup.cgi.wsgi_handler import RequestDispatcher


def application() -> Callable[..., list[bytes]]:
    """Return the application over the tracker of the environment.

    Roundup answers through the `write()` of PEP 3333, which granian does not offer: here it is a list.
    """
    dispatcher = RequestDispatcher(os.environ["PEER_TRACKER"])

    def answer(environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        written: list[bytes] = []

        def start(*head: Any) -> Callable[[bytes], None]:
            start_response(*head)
            return written.append

        dispatcher(environ, start)
        return written

    return answer
