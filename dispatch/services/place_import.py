"""Names of places that staff bring in as a table: checked row by row, what is right is kept, the rest is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain.address_text import plain
from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidCoordinate, InvalidInput
from dispatch.domain.place import Datum, Wgs84Point, point_of, to_wgs84
from dispatch.domain.progress import Track, untold
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.services.desk import Desk, Rules
from dispatch.services.place_file import read_rows
from dispatch.storage import places

KINDS = {
    "estate": "小区", "road": "道路", "landmark": "地标", "address": "地址", "account": "户号", "alias": "别名",
}  # fmt: skip
_BY_LABEL = {label: kind for kind, label in KINDS.items()} | {kind: kind for kind in KINDS} | {"": "estate"}
_LONGEST = {"name": 100, "district": 20, "street": 40, "community": 60, "zone_id": 60, "target": 300, "source": 200}
_MAX_RADIUS_M = 20_000.0
_MAX_REPORTED = 1_000
_BLOCK = 5_000
MAX_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a table.

    Attributes:
        count: Rows that were taken.
        refused: (row number, why) of the others.
    """

    count: int
    refused: Sequence[tuple[int, str]]


def import_places(
    desk: Desk, actor: Actor, data: bytes, *, source: str, datum: Datum, now: datetime, track: Track = untold
) -> Imported:
    """Take a CSV or Excel table of places: estates, roads, landmarks, addresses, account numbers and aliases.

    Args:
        desk: The process's desk.
        actor: Who brings it.
        data: The file.
        source: Its name.
        datum: What its coordinates are measured against.
        now: The server's time.
        track: Told of each row.

    Raises:
        NotPermitted: if the role may not.
        InvalidInput: if it is no table.
    """
    check_permitted(actor, Permission.PLACES)
    rows = read_rows(data)
    told = {"source": source[:200], "imported_at": now, "imported_by": actor.user_id}
    with desk.store.read() as tx:
        rules = desk.rules(tx, now)
        grids = frozenset(zone.zone_id for zone in rules.zones.zones)
        known = {row["name"]: row["target"] for row in places.all_(tx) if row["kind"] == "alias"}
    known |= {row["name"]: row.get("target", "") for _, row in rows if _BY_LABEL.get(row.get("kind", "")) == "alias"}
    good, refused = [], []
    for number, row in track("核对地名", rows):
        try:
            good.append(told | _place(row, datum, rules, grids, known))
        except InvalidInput as error:
            refused.append((number, error.detail))
    _write(desk, actor, good, source[:200], len(refused), now)
    return Imported(len(good), refused[:_MAX_REPORTED])


def _write(desk: Desk, actor: Actor, good: Sequence[dict[str, Any]], source: str, refused: int, now: datetime) -> None:
    """Write the rows in blocks, so that calls get their turn; they are read as names once all are there."""
    for first in range(0, len(good) or 1, _BLOCK):
        block = good[first : first + _BLOCK]
        with desk.store.write() as tx:
            places.put(tx, block)
            tx.audit(now, actor, "import-places", source, taken=len(block), refused=refused)
            if first + _BLOCK >= len(good):
                places.turn(tx)


def _place(
    row: Mapping[str, str], datum: Datum, rules: Rules, grids: Collection[str], aliases: Mapping[str, str]
) -> dict[str, Any]:
    kind = _BY_LABEL.get(row.get("kind", ""))
    if kind is None:
        raise InvalidInput(f"类型“{row['kind'][:20]}”不认识, 可用: {'、'.join(KINDS.values())}")
    for name, most in _LONGEST.items():
        check_text(row.get(name), name)
        if len(row.get(name, "")) > most:
            raise InvalidInput(f"{name} 超过 {most} 字")
    if len(plain(row["name"])) < 2:
        raise InvalidInput("名称太短: 至少两个字")
    point = _point(row, datum, rules)
    values = {name: row.get(name, "") for name in ("name", "district", "street", "community", "target")}
    _check_target(kind, values, aliases)
    values = values if not row.get("source") else values | {"source": row["source"]}
    return values | {
        "kind": kind,
        "aliases": [alias.strip() for alias in row.get("aliases", "").replace("；", ";").split(";") if alias.strip()],
        "lon": point.lon if point else None,
        "lat": point.lat if point else None,
        "radius_m": _radius(row.get("radius_m", "")),
        "zone_id": _zone(row.get("zone_id", ""), grids),
    }


def _check_target(kind: str, values: Mapping[str, str], aliases: Mapping[str, str]) -> None:
    if kind not in ("alias", "account"):
        return
    if not values["target"]:
        raise InvalidInput(f"{KINDS[kind]}须填写对应地址 (target)")
    chain, name = [values["name"]], values["target"]
    while kind == "alias" and name in aliases:
        if name in chain:
            raise InvalidInput(f"别名循环: {' → '.join([*chain, name])[:120]}")
        chain.append(name)
        name = aliases[name]


def _point(row: Mapping[str, str], datum: Datum, rules: Rules) -> Wgs84Point | None:
    east, north = row.get("lon", ""), row.get("lat", "")
    if not east and not north:
        return None
    try:
        pair = (float(east.replace("_", "?")), float(north.replace("_", "?")))
    except ValueError as error:
        raise InvalidCoordinate(f"经纬度“{east[:20]}, {north[:20]}”不是数字") from error
    point = to_wgs84(point_of(*pair, datum))
    reason = rules.zones.quarantined(point)
    if reason is not None:
        raise InvalidCoordinate(reason)
    return point


def _radius(cell: str) -> float | None:
    if not cell:
        return None
    try:
        radius = float(cell.replace("_", "?"))
    except ValueError as error:
        raise InvalidInput(f"半径“{cell[:20]}”不是数字") from error
    if not 0 < radius <= _MAX_RADIUS_M:
        raise InvalidInput(f"半径应在 0–{_MAX_RADIUS_M:.0f} 米之间")
    return radius


def _zone(cell: str, grids: Collection[str]) -> str | None:
    if cell and cell not in grids:
        raise InvalidInput(f"没有网格“{cell[:40]}”")
    return cell or None
