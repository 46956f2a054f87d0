"""Writing what happens to a case: its columns, a line of its story, the notice to its owner, audit and live news."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain.case import Change, number_of
from dispatch.domain.roles import Actor
from dispatch.domain.ticket import Notice
from dispatch.services import live
from dispatch.services.desk import Desk
from dispatch.storage import cases, outbox
from dispatch.storage.db import Tx


@dataclass(frozen=True, slots=True)
class _Nowhere:
    """A case belongs to no team: its owner is told by name."""

    team_id: str | None = None
    branch: str | None = None


def write(tx: Tx, desk: Desk, row: Mapping[str, Any], change: Change, actor: Actor, now: datetime) -> None:
    """Write a decided change of a case whose row is locked.

    Raises:
        StaleVersion: if the row is no longer in the version that was decided upon.
    """
    case_id = row["id"]
    if change.values:
        cases.change(tx, cases.case_of(row), change.values)
    entry = {"case_id": case_id, "kind": change.kind, "at": now, "text": change.text, **change.entry}
    entry_id = cases.add_entry(tx, {**entry, "logged_at": now, "actor_id": actor.user_id, "actor": actor.label})
    owner_id = change.values.get("owner_id", row["owner_id"])
    if change.told and owner_id != actor.user_id:
        notice = Notice((f"user:{cases.login_of(tx, owner_id)}",), change.told)
        key = f"case:{case_id}:{entry_id}"
        outbox.put(tx, outbox.rows_of(None, _Nowhere(), notice, key, now, desk.channels))
    tx.audit(now, actor, f"case-{change.kind}", f"case {number_of(case_id)}", text=change.text)
    live.tell(tx, "case", str(case_id), now)
