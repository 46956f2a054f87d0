"""A fresh installation: schema, shipped policy, sample roster and sample grids."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from dispatch.domain.place import Datum
from dispatch.domain.roles import SYSTEM
from dispatch.domain.zone_file import read_zones
from dispatch.services import setup
from dispatch.services.desk import Desk, NotReady
from dispatch.storage import directory, schema


def bring_up(desk: Desk, data: Path, now: datetime, *, with_sample: bool = True) -> list[str]:
    """Upgrade the schema, and load from folder `data` what the database lacks; return what was done, in words.

    Several processes may do so at once: one works, the others find it done.

    Args:
        desk: The process's desk.
        data: The folder with what is shipped.
        now: The server's time.
        with_sample: Load the sample teams and grids too, where no grids were ever imported; False for who brings grids.
    """
    with desk.store.alone():
        schema.upgrade(desk.store)
        return _load_missing(desk, data, now, with_sample)


def _load_missing(desk: Desk, data: Path, now: datetime, with_sample: bool) -> list[str]:
    with desk.store.read() as tx:
        book = directory.book(tx)
    done = []
    if book.policy_at(now) is None:
        version = setup.load_policy(desk, SYSTEM, (data / "policy.toml").read_bytes(), now).version
        done.append(f"已载入政策 {version} (样例, 上线前请核定)")
    # Grids that begin tomorrow are a city's own: sample teams must not take its calls until then.
    if with_sample and not book.zone_sets:
        teams = setup.load_roster(desk, SYSTEM, (data / "roster.json").read_bytes(), now)
        zones = (data / "zones.geojson").read_bytes()
        found = read_zones(zones, datum=Datum.WGS84).zones
        setup.import_zones(
            desk, SYSTEM, found, source="zones.geojson", data=zones, valid_from=now, now=now, is_sample=True
        )
        done.append(f"已载入样例网格 {len(found)} 个, 样例班组 {teams} 个")
    return done


def check_ready(desk: Desk) -> None:
    """Raise NotReady unless the schema is the one that this program knows."""
    version, newest = schema.current(desk.store.engine), schema.newest()
    if version != newest:
        raise NotReady(f"数据库版本为 {version or '空'}, 本程序需要 {newest}: 请先运行 python run.py init")
