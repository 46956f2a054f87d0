"""How a process hears that the database has changed."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Waits for a change; it may report one that is none, but keeps none to itself for longer than a second."""

    def wait(self, most_s: float) -> bool:
        """Return when something has changed, or after `most_s`; tell whether it is time to look."""

    def close(self) -> None:
        """Give back what it holds."""
