"""The audit chain: appended at the end of each writing transaction, read back for `doctor` and the auditor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from dispatch.domain.audit import first_break, link
from dispatch.storage.tables import AuditHeadRow, AuditRow, table_of

AUDIT = table_of(AuditRow)
HEAD = table_of(AuditHeadRow)

_READ_HEAD = select(HEAD.c.seq, HEAD.c.hash).where(HEAD.c.id == 1).with_for_update()
_MOVE_HEAD = update(HEAD).where(HEAD.c.id == 1).values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
_INSERT = insert(AUDIT)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be chained."""

    at: datetime
    actor_id: int
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]

    def hashed(self) -> dict[str, Any]:
        """Return the members that the hash covers, in JSON form."""
        return {
            "at": self.at.astimezone(UTC).isoformat(),
            "actor_id": self.actor_id,
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "detail": self.detail,
        }


def append(conn: Connection, entries: Sequence[Entry]) -> None:
    """Chain `entries` behind the head, whose lock is held until the commit that follows."""
    if not entries:
        return
    seq, digest = conn.execute(_READ_HEAD).one()
    rows = []
    for entry in entries:
        seq, digest = seq + 1, link(digest, entry.hashed())
        rows.append(
            {
                "seq": seq,
                "at": entry.at,
                "actor_id": entry.actor_id,
                "actor": entry.actor,
                "action": entry.action,
                "subject": entry.subject,
                "detail": entry.detail,
                "hash": digest,
            }
        )
    conn.execute(_INSERT, rows)
    conn.execute(_MOVE_HEAD, {"new_seq": seq, "new_hash": digest})


def broken_at(conn: Connection) -> int | None:
    """Return where the chain breaks, or None."""
    head = conn.execute(select(HEAD.c.seq, HEAD.c.hash).where(HEAD.c.id == 1)).one()
    return first_break(_chain(conn), (head.seq, head.hash))


def _chain(conn: Connection) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
    with conn.execute(select(AUDIT).order_by(AUDIT.c.seq).execution_options(yield_per=1000)) as rows:
        for row in rows:
            entry = Entry(row.at, row.actor_id, row.actor, row.action, row.subject, row.detail)
            yield row.seq, row.hash, entry.hashed()


def page(conn: Connection, after: int, limit: int, subject: str | None) -> list[dict[str, Any]]:
    """Return entries with seq below `after` (0: from the newest), newest first."""
    query = select(AUDIT).order_by(AUDIT.c.seq.desc()).limit(limit)
    if after:
        query = query.where(AUDIT.c.seq < after)
    if subject:
        query = query.where(AUDIT.c.subject == subject)
    return [dict(row) for row in conn.execute(query).mappings()]
