"""What changes seldom: users and tokens, teams, policies, zone versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import shapely
from sqlalchemy import bindparam, insert, or_, select, update

from dispatch.domain.roles import Actor, Role
from dispatch.domain.surge import Gathering, Widening
from dispatch.domain.zones import Zone
from dispatch.storage import rosters, surges
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.tables import PolicyRow, RevisionRow, TeamRow, TokenRow, UserRow, ZoneRow, ZoneSet

POLICIES, TEAMS, TOKENS = table_of(PolicyRow), table_of(TeamRow), table_of(TokenRow)
REVISIONS, USERS = table_of(RevisionRow), table_of(UserRow)
ZONES, ZONE_SETS = table_of(ZoneRow), table_of(ZoneSet)

_REVISION = select(REVISIONS.c.revision).where(REVISIONS.c.id == 1)
_TEAM = select(TEAMS).where(TEAMS.c.id == bindparam("team_id"))
_ACTOR = (
    select(USERS.c.id, USERS.c.name, USERS.c.role, USERS.c.team_id)
    .join(TOKENS, TOKENS.c.user_id == USERS.c.id)
    .where(TOKENS.c.sha256 == bindparam("sha256"), USERS.c.is_active)
    .where(or_(TOKENS.c.expires_at.is_(None), TOKENS.c.expires_at > bindparam("now")))
)


@dataclass(frozen=True, slots=True)
class Book:
    """What a process may keep until the revision moves.

    Attributes:
        revision: The state that it was read at.
        policies: (valid_from, version), the one that wins last.
        zone_sets: (valid_from, id), the one that wins last.
        rosters: (valid_from, id) of those that are published, the one that wins last.
        teams: Teams with their stewards, by id.
        gathering: What the open surge does to notices, or None where none is open.
        widenings: Wider clocks that hold in it, the last one last.
    """

    revision: int
    policies: Sequence[tuple[datetime, str]]
    zone_sets: Sequence[tuple[datetime, int]]
    rosters: Sequence[tuple[datetime, int]]
    teams: Mapping[str, Mapping[str, Any]]
    gathering: Gathering | None
    widenings: Sequence[Widening]

    def policy_at(self, now: datetime) -> str | None:
        """Return the policy version valid at `now`, or None."""
        return next((version for valid_from, version in reversed(self.policies) if valid_from <= now), None)

    def zone_set_at(self, now: datetime) -> int | None:
        """Return the zone version valid at `now`, or None."""
        return next((set_id for valid_from, set_id in reversed(self.zone_sets) if valid_from <= now), None)

    def roster_at(self, now: datetime) -> int | None:
        """Return the roster valid at `now`, or None."""
        return next((roster_id for valid_from, roster_id in reversed(self.rosters) if valid_from <= now), None)


def revision(tx: Tx) -> int:
    """Return the number that moves with each change of policies, zone sets, teams, rosters and surges."""
    return int(tx.conn.execute(_REVISION).scalar_one())


def book(tx: Tx) -> Book:
    """Read the whole book."""
    policies = select(POLICIES.c.valid_from, POLICIES.c.version).order_by(POLICIES.c.valid_from, POLICIES.c.loaded_at)
    zone_sets = select(ZONE_SETS.c.valid_from, ZONE_SETS.c.id).order_by(ZONE_SETS.c.valid_from, ZONE_SETS.c.id)
    return Book(
        revision(tx),
        tx.conn.execute(policies).all(),
        tx.conn.execute(zone_sets).all(),
        rosters.published(tx),
        {team["id"]: team for team in teams(tx)},
        surges.gathering(tx),
        surges.holding(tx),
    )


def turn_page(tx: Tx) -> None:
    """Let every process read the book again."""
    tx.conn.execute(update(REVISIONS).where(REVISIONS.c.id == 1).values(revision=REVISIONS.c.revision + 1))


def policy_raw(tx: Tx, version: str) -> dict[str, Any] | None:
    """Return the raw form of a policy version."""
    return tx.conn.execute(select(POLICIES.c.raw).where(POLICIES.c.version == version)).scalar()


def add_policy(
    tx: Tx,
    version: str,
    valid_from: datetime,
    raw: Mapping[str, Any],
    now: datetime,
    *,
    author: str = "",
    reason: str = "",
) -> bool:
    """Store a policy version and return whether it is new; who comes second waits for the first and gets False."""
    values = {"version": version, "valid_from": valid_from, "raw": raw, "loaded_at": now}
    values |= {"author": author, "reason": reason}
    put = upsert(tx.dialect, POLICIES).values(**values).on_conflict_do_nothing(index_elements=["version"])
    is_new = tx.conn.execute(put.returning(POLICIES.c.version)).scalar() is not None
    if is_new:
        turn_page(tx)
    return is_new


def is_sample(tx: Tx, set_id: int) -> bool:
    """Tell whether a zone version calls itself a sample."""
    return bool(tx.conn.execute(select(ZONE_SETS.c.is_sample).where(ZONE_SETS.c.id == set_id)).scalar_one())


def zones_of(tx: Tx, set_id: int) -> list[Zone]:
    """Return the zones of a version in order of id."""
    rows = tx.conn.execute(select(ZONES).where(ZONES.c.set_id == set_id).order_by(ZONES.c.zone_id)).all()
    shapes = shapely.from_wkb([row.wkb for row in rows])
    return [
        Zone(row.zone_id, row.name, row.branch, row.team_id, row.is_in_circle, shape)
        for row, shape in zip(rows, shapes, strict=True)
    ]


def add_zone_set(tx: Tx, values: Mapping[str, Any], zones: Sequence[Zone]) -> int:
    """Store a new zone version and return its id; the old ones stay."""
    set_id = int(tx.conn.execute(insert(ZONE_SETS).returning(ZONE_SETS.c.id), values).scalar_one())
    rows = [
        {
            "set_id": set_id,
            "zone_id": zone.zone_id,
            "name": zone.name,
            "branch": zone.branch,
            "team_id": zone.team_id,
            "is_in_circle": zone.is_in_circle,
            "wkb": shapely.to_wkb(zone.geometry),
        }
        for zone in zones
    ]
    tx.conn.execute(insert(ZONES), rows)
    turn_page(tx)
    return set_id


def zone_sets(tx: Tx) -> list[dict[str, Any]]:
    """Return the zone versions, newest first."""
    return [dict(r) for r in tx.conn.execute(select(ZONE_SETS).order_by(ZONE_SETS.c.id.desc())).mappings()]


def team(tx: Tx, team_id: str) -> dict[str, Any] | None:
    """Return a team with its stewards."""
    row = tx.conn.execute(_TEAM, {"team_id": team_id}).mappings().first()
    return dict(row) if row else None


def teams(tx: Tx) -> list[dict[str, Any]]:
    """Return all teams in order of id."""
    return [dict(row) for row in tx.conn.execute(select(TEAMS).order_by(TEAMS.c.id)).mappings()]


def put_teams(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert teams, or replace those that are known."""
    put = upsert(tx.dialect, TEAMS)
    changed = {name: put.excluded[name] for name in ("name", "branch", "stewards")}
    tx.conn.execute(put.on_conflict_do_update(index_elements=["id"], set_=changed), list(rows))
    turn_page(tx)


def actor_of_token(tx: Tx, sha256: str, now: datetime) -> Actor | None:
    """Return who holds a token, or None where it is unknown, expired or of a user who left."""
    row = tx.conn.execute(_ACTOR, {"sha256": sha256, "now": now}).first()
    return Actor(row.id, row.name, Role(row.role), row.team_id) if row else None


def user_by_login(tx: Tx, login: str) -> Actor | None:
    """Return a user by login."""
    row = tx.conn.execute(select(USERS).where(USERS.c.login == login)).first()
    return Actor(row.id, row.name, Role(row.role), row.team_id) if row else None


def users(tx: Tx) -> list[dict[str, Any]]:
    """Return those who have not left, in order of login."""
    found = select(USERS).where(USERS.c.is_active).order_by(USERS.c.login)
    return [dict(row) for row in tx.conn.execute(found).mappings()]


def change_user(tx: Tx, user_id: int, values: Mapping[str, Any]) -> None:
    """Change columns of a user."""
    tx.conn.execute(update(USERS).where(USERS.c.id == user_id).values(**values))


def add_user(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Insert a user and return the id, or None where the login is taken, be it a moment ago."""
    put = upsert(tx.dialect, USERS).values(**values).on_conflict_do_nothing(index_elements=["login"])
    return cast("int | None", tx.conn.execute(put.returning(USERS.c.id)).scalar())


def add_token(tx: Tx, values: Mapping[str, Any]) -> None:
    """Insert a token."""
    tx.conn.execute(insert(TOKENS).values(**values))
