"""What every benchmark shares: fair turns, medians, and rows that hold a figure against its limit."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version


def machine_line(*packages: str) -> str:
    """Processor count, load, Python and the versions of these packages, on one line."""
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    python = f"Python {platform.python_version()}"
    return f"{platform.machine()}, {os.cpu_count()} CPUs, load {load}; {python}; {versions}"


def interleaved(runs: Mapping[str, Callable[[], object]], rounds: int = 7) -> dict[str, float]:
    """Median seconds of each run; they take turns, so that a busy moment of the machine hits all alike.

    Args:
        runs: What to time, by name. Each is called once beforehand, untimed.
        rounds: How many turns each one gets, at least 5.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    gc.collect()
    for _ in range(rounds):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in seconds.items()}


class Report:
    """Prints rows as they come and remembers whether one missed its limit."""

    def __init__(self, title: str, *packages: str) -> None:
        """Print the title and the machine."""
        self.has_missed = False
        print(f"{title}\n{machine_line(*packages)}")

    def row(self, number: int, what: str, value: float, relation: str, limit: float) -> None:
        """Print one figure: `relation` is `<=` or `>=`, and says on which side of the limit it must be."""
        is_met = value <= limit if relation == "<=" else value >= limit
        self.has_missed |= not is_met
        verdict = "ok" if is_met else "MISS"
        print(f"#{number:<3} {what:<66} {value:>10.3f}  {relation} {limit:<8g} {verdict}")

    def note(self, text: str) -> None:
        """Print a line without a limit."""
        print(f"     {text}")
