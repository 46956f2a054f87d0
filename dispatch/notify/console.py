"""The channel that always works: a line on standard output."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TextIO

from dispatch.domain.times import shanghai_text
from dispatch.notify.port import Parcel


class Console:
    """Prints `2026-11-24 14:05 → crew:tianxin-03: ...`."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def send(self, parcel: Parcel, now: datetime) -> None:
        """Print one line and flush it."""
        line = f"{shanghai_text(now)} → {', '.join(parcel.recipients)}: {parcel.text}"
        print(line, file=self._stream or sys.stdout, flush=True)
