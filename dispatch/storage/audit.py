"""The audit: written with each change, sealed into one hash chain within a second, read back for `doctor`.

A chain orders its writers, so it is not made inside their transactions: the scheduler seals what has been committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from dispatch.domain.audit import first_break, link
from dispatch.domain.progress import Track, untold
from dispatch.storage.columns import table_of
from dispatch.storage.tables import AuditHeadRow, AuditRow

AUDIT = table_of(AuditRow)
HEAD = table_of(AuditHeadRow)

_INSERT = insert(AUDIT).inline()
_READ_HEAD = select(HEAD.c.seq, HEAD.c.hash).where(HEAD.c.id == 1).with_for_update()
_MOVE_HEAD = update(HEAD).where(HEAD.c.id == 1).values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
_UNSEALED = select(AUDIT).where(AUDIT.c.seq.is_(None)).order_by(AUDIT.c.id).limit(bindparam("batch"))
_SEAL = (
    update(AUDIT)
    .where(AUDIT.c.id == bindparam("row_id"), AUDIT.c.seq.is_(None))
    .values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
)


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
        return {**self.row(), "at": self.at.astimezone(UTC).isoformat()}

    def row(self) -> dict[str, Any]:
        """Return the members as columns."""
        return {
            "at": self.at,
            "actor_id": self.actor_id,
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "detail": self.detail,
        }


def append(conn: Connection, entries: Sequence[Entry]) -> None:
    """Write entries, not sealed yet: no writer waits for another."""
    if entries:
        conn.execute(_INSERT, [entry.row() for entry in entries])


def seal(conn: Connection, batch: int) -> int:
    """Chain up to `batch` committed entries behind the head, in order of id, and return how many."""
    seq, digest = conn.execute(_READ_HEAD).one()
    seals = []
    for row in conn.execute(_UNSEALED, {"batch": batch}):
        seq, digest = seq + 1, link(digest, _entry(row).hashed())
        seals.append({"row_id": row.id, "new_seq": seq, "new_hash": digest})
    if seals:
        conn.execute(_SEAL, seals)
        conn.execute(_MOVE_HEAD, {"new_seq": seq, "new_hash": digest})
    return len(seals)


def unsealed_since(conn: Connection) -> datetime | None:
    """Return the time of the oldest entry that is not sealed yet, or None."""
    return conn.execute(select(func.min(AUDIT.c.at)).where(AUDIT.c.seq.is_(None))).scalar()


def broken_at(conn: Connection, track: Track = untold) -> int | None:
    """Return where the chain breaks, or None; `track` iterates over its entries."""
    head = conn.execute(select(HEAD.c.seq, HEAD.c.hash).where(HEAD.c.id == 1)).one()
    return first_break(track("核对审计链", _Chain(conn, head.seq)), (head.seq, head.hash))


@dataclass(frozen=True, slots=True)
class _Chain:
    """The sealed entries; as many as the head says, unless the chain is broken."""

    conn: Connection
    length: int

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[int, str, Mapping[str, Any]]]:
        sealed = select(AUDIT).where(AUDIT.c.seq.is_not(None)).order_by(AUDIT.c.seq)
        with self.conn.execute(sealed.execution_options(yield_per=1000)) as rows:
            for row in rows:
                yield row.seq, row.hash, _entry(row).hashed()


def _entry(row: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(row.at, row.actor_id, row.actor, row.action, row.subject, row.detail)


def page(conn: Connection, after: int, limit: int, subject: str | None) -> list[dict[str, Any]]:
    """Return entries with id below `after` (0: from the newest), newest first."""
    query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
    if after:
        query = query.where(AUDIT.c.id < after)
    if subject:
        query = query.where(AUDIT.c.subject == subject)
    return [dict(row) for row in conn.execute(query).mappings()]
