"""Run one application under the project's own web server."""

from __future__ import annotations

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels


def serve(target: str, port: int, threads: int) -> None:
    """Serve `module:factory` until terminated."""
    Granian(
        target,
        factory=True,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=threads,
        log_level=LogLevels.error,
    ).serve()
