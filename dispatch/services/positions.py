"""Where a crew is: the last position alone, for whoever sends the nearest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dispatch.domain.place import Point, to_wgs84
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.services.desk import Desk
from dispatch.storage import live, positions


def put(desk: Desk, actor: Actor, point: Point, accuracy_m: float | None, at: datetime, now: datetime) -> bool:
    """Keep where `actor` is, in the place of where they were; False where something newer is known.

    It is no record of the work and is not audited: what counts is said by the arrival at a ticket.

    Args:
        desk: The process's desk.
        actor: Whose phone it is.
        point: Where, in any datum; kept in WGS-84.
        accuracy_m: Radius in metres, or None.
        at: The phone's time of it, aware; one in the future counts as `now`.
        now: The server's time.

    Raises:
        NotPermitted: for all but crews.
    """
    check_permitted(actor, Permission.CREW)
    place = to_wgs84(point)
    row = {
        "user_id": actor.user_id,
        "lon": place.lon,
        "lat": place.lat,
        "accuracy_m": accuracy_m,
        "at": min(at.astimezone(UTC), now),
    }
    with desk.store.write() as tx:
        is_newer = positions.put(tx, row)
        if is_newer:
            live.add_signals(tx, [{"at": now, "topic": "position", "key": actor.team_id or ""}])
    return is_newer


def forget(desk: Desk, now: datetime) -> int:
    """Remove the positions that are kept no longer, and return how many: where people were is nobody's business."""
    with desk.store.write() as tx:
        return positions.forget(tx, now - timedelta(hours=desk.settings.positions_keep_h))
