"""Things that are made once by a key and never change, kept as long as they are in use."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")
# Old versions are asked for by tickets that keep them; a handful is ever in use at once.
_KEPT = 8


class Versions(dict[K, V]):
    """Immutable versions by key, made once by whichever thread comes first."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def get_or_make(self, key: K, make: Callable[[], V]) -> V:
        """Return what is kept under a key, or make it; the oldest of too many is forgotten."""
        found = self.get(key)
        if found is not None:
            return found
        with self._lock:
            if key not in self:
                while len(self) >= _KEPT:
                    self.pop(next(iter(self)), None)
                self[key] = make()
            return self[key]
