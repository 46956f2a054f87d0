"""Seal the audit: chain what has been committed, so that a change to it shows from then on."""

from __future__ import annotations

from dispatch.services.desk import Desk
from dispatch.storage import audit

BATCH = 1000


def seal(desk: Desk) -> int:
    """Seal all that is written and return how many entries; any number of processes may."""
    with desk.store.read() as tx:
        is_waiting = audit.unsealed_since(tx.conn) is not None
    sealed = 0
    while is_waiting:
        with desk.store.write() as tx:
            count = audit.seal(tx.conn, BATCH)
        sealed += count
        is_waiting = count == BATCH
    return sealed
