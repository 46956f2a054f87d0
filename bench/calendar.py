"""Working time: what one call of the calendar costs, over four years with lunch breaks, holidays and 调休.

Run `python -m bench.calendar` from the project's folder.
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from bench.report import Report, interleaved
from dispatch.domain import policy_file

ROOT = Path(__file__).resolve().parent.parent
CALLS = 10_000
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
LENGTH = timedelta(hours=40)
LIMIT_US = 50


def main() -> int:
    """Print the rows; 1 where one misses its limit."""
    report = Report("Working time", "chinesecalendar")
    calendar = policy_file.parse(policy_file.read_toml((ROOT / "data" / "policy.toml").read_bytes())).calendars.usual
    dice = random.Random(96533)
    starts = [FIRST + timedelta(minutes=dice.randrange(4 * 365 * 1440)) for _ in range(CALLS + 1)]

    def add() -> None:
        for start in starts[1:]:
            calendar.add_working(start, LENGTH)

    def between() -> None:
        for start, end in pairwise(starts):
            calendar.working_between(start, end)

    for what, seconds in interleaved({"add_working": add, "working_between": between}).items():
        report.row(30, f"{what}, µs a call", seconds / CALLS * 1e6, "<=", LIMIT_US)
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
