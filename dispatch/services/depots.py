"""Depots, from where crews set out: a whole new list takes the place of the old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Point, to_wgs84
from dispatch.domain.roles import Actor
from dispatch.domain.zones import ServiceArea, quarantine_reason
from dispatch.services.desk import Desk
from dispatch.storage import depots

# A depot may lie a little outside of the grids it serves.
_MARGIN_M = 20_000.0


@dataclass(frozen=True, slots=True)
class Depot:
    """One depot as a file tells it; `row` is where it stands there."""

    row: int
    id: str
    name: str
    point: Point


def replace(desk: Desk, actor: Actor, found: Sequence[Depot], now: datetime, *, is_sample: bool = False) -> int:
    """Put these depots in the place of all others, and return how many there are.

    Raises:
        InvalidInput: with the row: an id that is missing or comes twice, or a place far outside of the grids.
        NotReady: before the first grids.
    """
    with desk.store.write() as tx:
        area = ServiceArea.around(desk.rules(tx, now).zones.zones, _MARGIN_M)
        rows: dict[str, dict[str, Any]] = {}
        for depot in found:
            _check(depot, area, rows)
            here = to_wgs84(depot.point)
            place = {"lon": round(here.lon, 7), "lat": round(here.lat, 7), "is_sample": is_sample}
            rows[depot.id] = {"id": depot.id, "name": depot.name, **place}
        depots.replace(tx, list(rows.values()))
        tx.audit(now, actor, "import-depots", f"{len(rows)} depots", ids=sorted(rows))
    return len(rows)


def _check(depot: Depot, area: ServiceArea, known: dict[str, Any]) -> None:
    where = f"第 {depot.row} 行"
    if not depot.id or not depot.name:
        raise InvalidInput(f"{where}: 驻点应有编号和名称", field="id")
    for field in ("id", "name"):
        check_text(getattr(depot, field), field)
    if depot.id in known:
        raise InvalidInput(f"{where}: 编号“{depot.id[:40]}”出现不止一次", field="id")
    reason = quarantine_reason(to_wgs84(depot.point), area)
    if reason is not None:
        raise InvalidInput(f"{where}: {reason}", field="lon")
