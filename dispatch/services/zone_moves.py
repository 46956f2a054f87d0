"""Open tickets go over to a new grid map once it is valid: each exactly once, however often the work is broken off.

The order keeps the last ticket that was looked at, in the transaction that reassigns; what was not committed is done
again by whoever comes next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dispatch.domain.errors import DispatchError
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import SYSTEM
from dispatch.domain.states import Verb
from dispatch.domain.ticket import Ticket
from dispatch.services.actions import Action, Scene, carry_out
from dispatch.services.desk import Desk
from dispatch.services.routing import place
from dispatch.storage import tickets, zone_moves
from dispatch.storage.db import Tx

BATCH = 50


@dataclass(slots=True)
class Moved:
    """What was done: tickets that went to another team, and those whose state did not allow it."""

    moved: int = 0
    refused: int = 0


def carry_on(desk: Desk, clock: Callable[[], datetime], is_stopped: Callable[[], bool] = lambda: False) -> Moved:
    """Do all that is due, in transactions of at most BATCH tickets.

    Args:
        desk: The process's desk.
        clock: Reads the time, anew in each transaction.
        is_stopped: Asked before each transaction; once it says yes, the rest is left to the next one.
    """
    done = Moved()
    while not is_stopped():
        with desk.store.read() as tx:
            if not zone_moves.is_due(tx, clock()):
                break
        if not _batch(desk, clock, done):
            break
    return done


def _batch(desk: Desk, clock: Callable[[], datetime], done: Moved) -> bool:
    """Work off one batch; False where another process holds the order."""
    with desk.store.write() as tx:
        now = clock()
        order = zone_moves.lock_due(tx, now)
        if order is None:
            return False
        rows = zone_moves.open_by_map(tx, order["after"], BATCH)
        here = Moved()
        ids = [row.id for row in rows]
        locked = tickets.lock_all(tx, lambda: tickets.with_carried(tx, ids))
        for row in rows:
            _go_over(tx, desk, order, row, locked, now, here)
        values = {"moved": order["moved"] + here.moved, "refused": order["refused"] + here.refused}
        if len(rows) < BATCH:
            values["done_at"] = now
            told = {"moved": values["moved"], "refused": values["refused"]}
            tx.audit(now, SYSTEM, "move-tickets", f"zones v{order['set_id']}", **told)
        zone_moves.mark(tx, order["set_id"], {**values, "after": rows[-1].id if rows else order["after"]})
    done.moved += here.moved
    done.refused += here.refused
    return True


def _go_over(
    tx: Tx, desk: Desk, order: dict[str, Any], row: Any, locked: Mapping[int, Ticket], now: datetime, done: Moved
) -> None:
    """Reassign one ticket where the map that is valid now knows another team for its place."""
    rules = desk.rules(tx, now)
    placing = place(rules, Wgs84Point(row.lon, row.lat))
    to = placing.assignment
    if to is None or to.team_id == row.team_id:
        return
    to = replace(to, changes={**placing.columns(rules), **to.changes}, area=placing.area)
    note = f"网格新版本 v{order['set_id']} 生效, {order['ordered_by']} 发布时选择随之改派"
    action = Action(verb=Verb.REASSIGN, note=note)
    ticket = locked[row.id]
    scene = Scene(tx, desk, SYSTEM, ticket, action, tickets.carried_by(ticket, locked.values()))
    try:
        carry_out(scene, now, lambda _scene, command: replace(command, assignment=to))
    except DispatchError:  # another one was faster: a ticket that has moved on stays where it is
        done.refused += 1
    else:
        done.moved += 1
