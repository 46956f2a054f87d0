"""All speed goals in one run: `make bench`. Exit 1 if one misses its limit; each part also runs alone."""

from __future__ import annotations

import sys

from bench import board, calendar, figures, intake, places, roads, routing, similar, streams, surge, sweep

if __name__ == "__main__":
    parts = (routing, calendar, places, roads, similar, intake, sweep, board, figures, surge, streams)
    sys.exit(max(part.main() for part in parts))
