"""What a crew has to do: its tickets in working order, each with the next step, and how to get there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.domain.call import mask_phone
from dispatch.domain.photo import Stage
from dispatch.domain.place import Wgs84Point, to_gcj02
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.states import Status, next_step
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.storage import board, clocks, crew
from dispatch.storage.board import Filter
from dispatch.storage.db import Tx

# Where a crew can do something; 受理 and 退单 wait for a dispatcher, 完工 for the call-back.
_THEIRS = tuple(status for status in Status if next_step(status))
_A_PAGE = 200
# So much of the timeline goes along: why it came back, what the caller said last.
_LINES = 6


def jobs(desk: Desk, actor: Actor, now: datetime) -> dict[str, Any]:
    """Return the open work of the actor's team and what it assists with: `{items, server_time}`, most urgent first.

    Raises:
        NotPermitted: for all but crews.
    """
    check_permitted(actor, Permission.CREW)
    with desk.store.read() as tx:
        rows = _rows(tx, actor.team_id or "", now)
        ids = [row["id"] for row in rows]
        values = clocks.of_tickets(tx, ids)
        of_incidents = present.incidents_of(tx, rows)
        extras: list[Mapping[int, Any]] = [
            crew.phones(tx, ids), crew.photo_counts(tx, ids), crew.asked(tx, ids), crew.history(tx, ids, _LINES),
        ]  # fmt: skip
        due = {
            id_: min((c.due_at for c in of_ticket if c.is_running), default=now) for id_, of_ticket in values.items()
        }
        rows.sort(key=lambda row: (row["status"] == Status.ON_HOLD, due[row["id"]], row["id"]))
        items = [
            present.ticket(row, values[row["id"]], desk.policy(tx, row["policy_version"]), now)
            | of_incidents.get(row["id"], {})
            | _job(row, actor, *(extra.get(row["id"]) for extra in extras))
            for row in rows
        ]
    return {"items": items, "server_time": present.time(now)}


def _rows(tx: Tx, team_id: str, now: datetime) -> list[dict[str, Any]]:
    wanted = Filter(statuses=_THEIRS, visible_to_team=team_id, is_carried=False)
    rows: list[dict[str, Any]] = []
    while found := board.page(tx, wanted, rows[-1]["id"] if rows else 0, _A_PAGE, now):
        rows += found
    return rows


def _job(row: Mapping[str, Any], actor: Actor, phone: Any, photos: Any, asked: Any, history: Any) -> dict[str, Any]:
    """Return what only a crew is shown. The number stays masked: it is not to lie in a phone's storage."""
    place = None if row["lon"] is None else to_gcj02(Wgs84Point(row["lon"], row["lat"]))
    is_own = row["team_id"] == actor.team_id
    return {
        "is_own": is_own,
        "next": next_step(Status(row["status"])) if is_own else None,
        "caller_phone": mask_phone(phone),
        "gcj02": place and {"lon": round(place.lon, 6), "lat": round(place.lat, 6)},
        "photos": {stage.value: (photos or {}).get(stage, 0) for stage in Stage},
        "asked": asked or [],
        "history": [{"at": present.time(at), "text": text} for at, text in history],
    }
