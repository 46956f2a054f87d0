"""Answers of geocoders by text, for a while, and not more than so many."""

from __future__ import annotations

import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from dispatch.domain.address import Candidate

SIZE = 2_000
# What is not known may be put on the map tomorrow.
KEPT, KEPT_UNKNOWN = timedelta(days=1), timedelta(hours=1)


class Cache:
    """The last used texts with their answers; shared by threads."""

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, tuple[datetime, Sequence[Candidate]]] = OrderedDict()

    def get(self, text: str, now: datetime) -> Sequence[Candidate] | None:
        """Return the answer to a text that means the same, or None where it is too old or not there."""
        key = _key(text)
        with self._lock:
            at, found = self._answers.get(key, (now, None))
            if found is None:
                return None
            if not timedelta(0) <= now - at < (KEPT if found else KEPT_UNKNOWN):
                del self._answers[key]
                return None
            self._answers.move_to_end(key)
            return found

    def put(self, text: str, found: Sequence[Candidate], now: datetime) -> None:
        """Keep an answer; the one unused for longest goes."""
        with self._lock:
            self._answers[_key(text)] = (now, found)
            self._answers.move_to_end(_key(text))
            while len(self._answers) > self._size:
                self._answers.popitem(last=False)


def _key(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).lower().split())
