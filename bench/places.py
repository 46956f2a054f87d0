"""Addresses in words: how long a text and the loading of the names take, their memory, and an intake by an address.

`python -m bench.places`. The limits are those that a call leaves: nobody on the phone may wait for the gazetteer.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime

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


def intakes() -> dict[str, list[float]]:
    """Return the seconds of calls with an address alone, and with a pin as well, in turn; SQLite in a folder."""
    from bench.intake import install
    from dispatch.app import create_app
    from dispatch.domain.call import NewCall
    from dispatch.domain.place import Datum, Wgs84Point
    from dispatch.domain.roles import SYSTEM
    from dispatch.domain.settings import Settings
    from dispatch.services import intake, place_import
    from dispatch.storage import directory

    names = [f"样例{one}{other}小区" for one, other in itertools.product("金银铜铁桃李杏梅兰竹菊松柏杨柳荷", repeat=2)]
    rows = [f"{name},{112.93 + n % 16 * 0.004:.6f},{28.10 + n // 16 * 0.005:.6f},120" for n, name in enumerate(names)]
    seconds: dict[str, list[float]] = {"address": [], "pin": []}
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        install(url)
        desk, now = create_app(Settings(database_url=url)).extensions["desk"], datetime.now(UTC)
        table = "\n".join(["name,lon,lat,radius_m", *rows]).encode()
        place_import.import_places(desk, SYSTEM, table, source="bench", datum=Datum.WGS84, now=now)
        with desk.store.read() as tx:
            agent = directory.user_by_login(tx, "bench")
        assert agent is not None
        desk.gazetteers.refresh()
        for n, (name, row) in enumerate(zip(names * 2, rows * 2, strict=True)):
            pin = Wgs84Point(*map(float, row.split(",")[1:3]))
            for kind, point in (("address", None), ("pin", pin)):
                call = NewCall(
                    called_at=now,
                    category="no_water",
                    description="停水",
                    caller_phone="13000000001",
                    address=f"{name}{n % 9 + 1}栋",
                    point=point,
                )
                begin = time.perf_counter()
                intake.register(desk, agent, call, {"n": f"{kind}{n}"}, now)
                seconds[kind].append(time.perf_counter() - begin)
        desk.store.close()
    return seconds


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
    seen = {kind: statistics.median(seconds) * 1e3 for kind, seconds in intakes().items()}
    report.note(f"one intake, median: by its address {seen['address']:.2f} ms, by its pin {seen['pin']:.2f} ms")
    report.row(20, "intake by an address alone / by a pin, time", seen["address"] / seen["pin"], "<=", 1.5)
    return int(report.has_missed)


if __name__ == "__main__":
    sys.exit(main())
