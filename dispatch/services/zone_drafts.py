"""Grid maps at work: copied from the live one or read from a file, edited step by step, taken back, thrown away.

What takes long, checking above all, happens outside of the transaction: a writer holds up the calls of the hotline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shapely.geometry.base import BaseGeometry

from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput, NotFound, StaleVersion
from dispatch.domain.place import Datum
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.zone_export import collection, geojson_of
from dispatch.domain.zone_file import read_zones
from dispatch.domain.zone_json import Problem
from dispatch.domain.zone_problems import KIND_LABELS, ZoneProblem, problems_of
from dispatch.domain.zones import Zone
from dispatch.services import present, zone_ops
from dispatch.services.desk import Desk
from dispatch.services.zone_ops import Edit, Op
from dispatch.storage import directory, drafts
from dispatch.storage.db import Tx
from dispatch.storage.drafts import Step

_MOST_NAME = 100


@dataclass(frozen=True, slots=True)
class File:
    """A file as it came in; the fields are those of `read_zones`."""

    name: str
    data: bytes
    datum: Datum
    id_field: str | None = None
    name_field: str | None = None
    team_field: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft with its grids and all that is wrong with them."""

    row: Mapping[str, Any]
    zones: tuple[Zone, ...]
    problems: Sequence[ZoneProblem]
    can_undo: bool


def copy_live(desk: Desk, actor: Actor, name: str, now: datetime) -> dict[str, Any]:
    """Make a draft of the version that is valid now and return it.

    Raises:
        NotPermitted: if the role manages no grids.
        InvalidInput: for an unusable name.
        NotReady: before the first import.
    """
    check_permitted(actor, Permission.ZONES)
    _check_name(name)
    with desk.store.read() as tx:
        rules = desk.rules(tx, now)
    zones = rules.zones.zones
    problems = problems_of(zones, rules.teams.keys())
    return _add(desk, actor, name, zones, problems, [], rules.zone_set_id, now)


def import_file(
    desk: Desk, actor: Actor, name: str, file: File, reference: Mapping[str, BaseGeometry], now: datetime
) -> dict[str, Any]:
    """Make a draft of a file and return it; overlaps and gaps are what the draft is for.

    Raises:
        NotPermitted: if the role manages no grids.
        InvalidInput: for an unusable name.
        InvalidZoneFile: with all problems, if the file cannot be read or a border in it is broken.
    """
    check_permitted(actor, Permission.ZONES)
    _check_name(name)
    found = read_zones(
        file.data,
        datum=file.datum,
        id_field=file.id_field,
        name_field=file.name_field,
        team_field=file.team_field,
        reference=reference,
        strict_topology=False,
    )
    zones = tuple(sorted(found.zones, key=lambda zone: zone.zone_id))
    with desk.store.read() as tx:
        teams = {team["id"] for team in directory.teams(tx)}
    # What is wrong between the grids is told anew after each edit; here only what the file alone can tell.
    warnings = [warning for warning in found.warnings if warning["feature"] is None]
    return _add(desk, actor, name, zones, problems_of(zones, teams), warnings, None, now, source=file.name)


def _check_name(name: str) -> None:
    if not name.strip():
        raise InvalidInput("请给草稿起个名字", field="name")
    if len(name) > _MOST_NAME:
        raise InvalidInput(f"名称最多 {_MOST_NAME} 个字", field="name")
    check_text(name, "name")


def _add(
    desk: Desk,
    actor: Actor,
    name: str,
    zones: tuple[Zone, ...],
    problems: Sequence[ZoneProblem],
    warnings: Sequence[Problem],
    base_set_id: int | None,
    now: datetime,
    **told: str,
) -> dict[str, Any]:
    values = {
        "name": name.strip(),
        "version": 1,
        "base_set_id": base_set_id,
        "zones": len(zones),
        "problems": len(problems),
        "warnings": list(warnings),
        "created_by": actor.user_id,
        "created_at": now,
        "changed_at": now,
    }
    with desk.store.write() as tx:
        draft_id = drafts.add(tx, values, zones)
        tx.audit(now, actor, "draft-zones", f"draft {draft_id}", name=values["name"], zones=len(zones), **told)
    return shown(Draft({**values, "id": draft_id}, zones, problems, can_undo=False))


def listed(desk: Desk, actor: Actor) -> list[dict[str, Any]]:
    """Return all drafts without their grids, the last one first."""
    check_permitted(actor, Permission.ZONES)
    with desk.store.read() as tx:
        return [{**_head(row), "creator": row["creator"]} for row in drafts.listed(tx)]


def get(desk: Desk, actor: Actor, draft_id: int) -> dict[str, Any]:
    """Return a draft with its grids and problems.

    Raises:
        NotFound: if there is none.
    """
    check_permitted(actor, Permission.ZONES)
    return shown(load(desk, draft_id))


def load(desk: Desk, draft_id: int) -> Draft:
    """Read a draft and check it.

    Raises:
        NotFound: if there is none.
    """
    with desk.store.snapshot() as tx:
        row = _found(drafts.read(tx, draft_id), draft_id)
        zones = drafts.zones_of(tx, draft_id)
        teams = {team["id"] for team in directory.teams(tx)}
        can_undo = drafts.last_step(tx, draft_id) is not None
    return Draft(row, zones, problems_of(zones, teams), can_undo)


def edit(desk: Desk, actor: Actor, draft_id: int, wanted: Edit, now: datetime) -> dict[str, Any]:
    """Change a draft and return it as it is then.

    Raises:
        NotFound: if there is none.
        StaleVersion: if somebody else was first, with the draft in `extra`.
        InvalidInput: if it cannot be done; nothing has changed then.
    """
    check_permitted(actor, Permission.ZONES)
    with desk.store.snapshot() as tx:
        row = _found(drafts.read(tx, draft_id), draft_id)
        before = drafts.zones_of(tx, draft_id)
        teams = {team["id"] for team in directory.teams(tx)}
        step = drafts.last_step(tx, draft_id) if wanted.op is Op.UNDO else None
    if row["version"] != wanted.version:
        raise stale(desk, draft_id)
    after = _undone(before, step) if wanted.op is Op.UNDO else zone_ops.apply(before, wanted, teams)
    after = tuple(sorted(after, key=lambda zone: zone.zone_id))
    problems = problems_of(after, teams)
    with desk.store.write() as tx:
        if not _is_at(tx, draft_id, wanted.version):
            row = {}
        else:
            ids = _write(tx, row, before, after, wanted.op, step)
            values = {"version": wanted.version + 1, "zones": len(after), "problems": len(problems)}
            drafts.mark(tx, draft_id, **values, now=now)
            row = {**row, **values, "changed_at": now}
            can_undo = drafts.last_step(tx, draft_id) is not None
            tx.audit(now, actor, "edit-draft", f"draft {draft_id}", op=wanted.op, zones=ids[:20])
    if not row:
        raise stale(desk, draft_id)
    return shown(Draft(row, after, problems, can_undo))


def _undone(zones: tuple[Zone, ...], step: Step | None) -> tuple[Zone, ...]:
    if step is None:
        raise InvalidInput("没有可以撤销的修改", field="op")
    return (*(zone for zone in zones if zone.zone_id not in step.made), *step.before)


def _is_at(tx: Tx, draft_id: int, version: int) -> bool:
    row = drafts.lock(tx, draft_id)
    return row is not None and row["version"] == version


def _write(
    tx: Tx, row: Mapping[str, Any], before: Sequence[Zone], after: Sequence[Zone], op: Op, step: Step | None
) -> list[str]:
    """Exchange the grids that differ and note how to take that back; return the ids of these grids."""
    known, left = {zone.zone_id: zone for zone in before}, {zone.zone_id for zone in after}
    made = [zone for zone in after if known.get(zone.zone_id) is not zone]
    changed = {zone.zone_id for zone in made}
    gone = [zone for zone in before if zone.zone_id not in left or zone.zone_id in changed]
    drafts.exchange(tx, row["id"], [zone.zone_id for zone in gone], made)
    if step is not None:
        drafts.drop_step(tx, row["id"], step.version)
    else:
        drafts.add_step(tx, row["id"], Step(row["version"] + 1, op, tuple(sorted(changed)), tuple(gone)))
    return sorted({zone.zone_id for zone in (*gone, *made)})


def drop(desk: Desk, actor: Actor, draft_id: int, now: datetime) -> dict[str, Any]:
    """Throw a draft away; return what it was.

    Raises:
        NotFound: if there is none.
    """
    check_permitted(actor, Permission.ZONES)
    with desk.store.write() as tx:
        row = _found(drafts.lock(tx, draft_id), draft_id)
        drafts.drop(tx, draft_id)
        tx.audit(now, actor, "drop-draft", f"draft {draft_id}", name=row["name"])
    return _head(row)


def _found(row: dict[str, Any] | None, draft_id: int) -> dict[str, Any]:
    if row is None:
        raise NotFound(f"没有网格草稿 {draft_id}")
    return row


def stale(desk: Desk, draft_id: int) -> StaleVersion:
    """Return the error that tells the draft as it is now."""
    current = shown(load(desk, draft_id))
    detail = f"草稿已更新到第 {current['version']} 版, 请在最新一版上修改"
    return StaleVersion(detail, field="version", current_version=current["version"], draft=current)


# ---------------------------------------------------------------- how it is shown


def _head(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("id", "name", "version", "base_set_id", "zones", "problems", "warnings", "created_by")
    times = {name: present.time(row[name]) for name in ("created_at", "changed_at")}
    return {**{name: row[name] for name in plain}, **times}


def shown(draft: Draft) -> dict[str, Any]:
    """Return the form of a draft that the API gives."""
    return {
        **{name: value for name, value in _head(draft.row).items() if name != "zones"},
        "can_undo": draft.can_undo,
        "features": collection(draft.zones),
        "problems": [problem(found) for found in draft.problems],
    }


def problem(found: ZoneProblem) -> dict[str, Any]:
    """Return one thing wrong as the API gives it."""
    return {
        "kind": found.kind.value,
        "label": KIND_LABELS[found.kind],
        "is_grave": found.is_grave,
        "reason": found.reason,
        "area_m2": found.area_m2,
        "zone_ids": list(found.zone_ids),
        "geometry": geojson_of(found.shape),
    }
