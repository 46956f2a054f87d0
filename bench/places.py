"""Addresses in words: how long one text takes, how long the names take to load, and how much memory they need.

`python -m bench.places`. The limits are those that a call leaves: nobody on the phone may wait for the gazetteer.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from bench.report import Report

ROUNDS = 7
# A process that has nothing but the gazetteer tells how long it took and how much memory it holds.
_LOAD = """
import resource, time
from dispatch.geocode.gazetteer import Gazetteer
begin = time.perf_counter()
gazetteer = Gazetteer()
gazetteer.find("芙蓉区定王台街道")
print(time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def loaded() -> tuple[float, float]:
    """Return seconds until the first answer of a fresh process, and its greatest resident size in MB."""
    told = subprocess.run([sys.executable, "-c", _LOAD], check=True, capture_output=True, text=True).stdout
    seconds, size_mb = map(float, told.split())
    return seconds, size_mb


def main() -> int:
    """Print the figures; 1 if one misses its limit."""
    from dispatch.geocode.gazetteer import Gazetteer
    from tests.support.addresses import cases

    report = Report("Addresses in words", "rapidfuzz", "pypinyin")
    loads = [loaded() for _ in range(ROUNDS)]
    gazetteer = Gazetteer()
    texts = [case.text for found in cases(96533, 400) for case in found]
    times: list[float] = []
    for _ in range(ROUNDS):
        for text in texts:
            begin = time.perf_counter()
            gazetteer.find(text)
            times.append(time.perf_counter() - begin)
    report.note(f"{len(texts)} texts, {ROUNDS} rounds; slowest {max(times) * 1e3:.2f} ms")
    report.row(17, "one text, median ms", statistics.median(times) * 1e3, "<=", 5)
    report.row(18, "loading the names, s, median", statistics.median(seconds for seconds, _ in loads), "<=", 1)
    report.row(19, "resident, MB, the largest", max(size_mb for _, size_mb in loads), "<=", 150)
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
