"""The second way to a grid, beside its polygon: a table that says which 街道 or 社区 belongs to which grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import Actor
from dispatch.services.desk import Desk, Rules
from dispatch.storage import zone_codes
from dispatch.storage.db import Tx


@dataclass(frozen=True, slots=True)
class ZoneCode:
    """A 街道, or one of its 社区 (empty: all of it), and its grid; `code` is the statistics bureau's, or None."""

    district: str
    street: str
    community: str
    code: str | None
    zone_id: str


def import_codes(desk: Desk, actor: Actor, rows: Sequence[ZoneCode], now: datetime) -> int:
    """Store a table in the place of the one before; return how many rows it has.

    Raises:
        InvalidInput: with all problems, if a row is empty, comes twice or names a grid that there is not.
    """
    with desk.store.read() as tx:
        known = {zone.zone_id for zone in desk.rules(tx, now).zones.zones}
    problems, seen = [], dict[tuple[str, str, str], int]()
    # The header is row 1.
    for number, row in enumerate(rows, 2):
        first = seen.setdefault((row.district, row.street, row.community), number)
        reason = (
            "没有街道名"
            if not row.street
            else f"与第 {first} 行重复"
            if first != number
            else None
            if row.zone_id in known
            else f"没有编号为“{row.zone_id}”的网格"
        )
        if reason:
            problems.append({"feature": None, "id": None, "place": None, "reason": f"第 {number} 行: {reason}"})
    if problems:
        raise InvalidInput(f"表格有 {len(problems)} 处问题, 未导入", problems=problems)
    with desk.store.write() as tx:
        zone_codes.replace_all(tx, [asdict(row) for row in rows])
        tx.audit(now, actor, "import-zone-codes", f"{len(rows)} codes")
    return len(rows)


def zone_of(tx: Tx, rules: Rules, street: str, community: str | None, district: str | None = None) -> str | None:
    """Return the grid of a 街道 and 社区 by the table; None where it says nothing, or not just one thing.

    Args:
        tx: The transaction.
        rules: What holds now; a grid that is no longer valid is none.
        street: Name of the 街道 or 镇.
        community: Name of the 社区 or 村, where known.
        district: Name of the 区, where known.
    """
    return grid_of(zone_codes.find(tx, street, district), rules, community)


def grid_of(rows: Sequence[Mapping[str, Any]], rules: Rules, community: str | None) -> str | None:
    """Return the grid of one of the 社区 of these rows of a 街道, or of the 街道; see `zone_of`."""
    valid = {zone.zone_id for zone in rules.zones.zones}
    named = [row for row in rows if community and row["community"] == community]
    # Without the 社区 only a 街道 that is one grid has one; a row of a 社区 says nothing about the others.
    whole = [row for row in rows if not row["community"]]
    found = {row["zone_id"] for row in named or whole} & valid
    return found.pop() if len(found) == 1 else None
