"""Set an installation up: policy, roster and grid map from files, people and their tokens."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any

from dispatch.domain import policy_checks, policy_file
from dispatch.domain.call import check_text
from dispatch.domain.errors import DispatchError, InvalidInput, InvalidPolicy, InvalidZoneFile, NotFound
from dispatch.domain.policy import Policy
from dispatch.domain.roles import TEAM_BOUND, Actor, Role
from dispatch.domain.zones import Zone
from dispatch.services.desk import Desk
from dispatch.storage import directory
from dispatch.storage.db import Tx

LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_TEAM_ID = re.compile(r"[\w.-]{1,60}")
TOKEN_BYTES = 32


class Conflict(DispatchError):
    """A name that is taken."""

    code = "conflict"
    status = 409


def load_policy(desk: Desk, actor: Actor, data: bytes, now: datetime) -> Policy:
    """Store a policy file as a new version; the same version with the same content changes nothing.

    Raises:
        InvalidPolicy: if the file is wrong, or its version is known with another content.
    """
    raw = policy_file.read_toml(data)
    policy = policy_checks.check(raw)
    with desk.store.write() as tx:
        keep_policy(tx, actor, policy, raw, now)
    return policy


def keep_policy(tx: Tx, actor: Actor, policy: Policy, raw: Mapping[str, Any], now: datetime) -> bool:
    """Store a checked policy inside a transaction, and return whether it is new; errors as of `load_policy`."""
    is_new = directory.add_policy(tx, policy.version, policy.valid_from, raw, now)
    if is_new:
        tx.audit(now, actor, "load-policy", policy.version)
    elif directory.policy_raw(tx, policy.version) != raw:
        raise InvalidPolicy(f"版本 {policy.version} 已存在且内容不同, 请更换版本号", field="version")
    return is_new


def load_roster(desk: Desk, actor: Actor, data: bytes, now: datetime) -> int:
    """Store the teams of a roster file (JSON), replacing teams of the same id; return how many.

    Raises:
        InvalidInput: with the place in the file.
    """
    teams = read_teams(data)
    with desk.store.write() as tx:
        keep_teams(tx, actor, teams, now)
    return len(teams)


def read_teams(data: bytes) -> list[dict[str, Any]]:
    """Return the teams of a roster file (JSON) in order of id; errors as of `load_roster`."""
    try:
        raw = json.loads(data)
        # In order of id: two rosters loaded at once wait for each other instead of each holding what the other needs.
        return sorted((_team(item, n) for n, item in enumerate(raw["teams"])), key=itemgetter("id"))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(f"班组文件应为 JSON, 含 teams 列表: {error}", field="teams") from error


def written_teams(teams: Sequence[Mapping[str, Any]]) -> bytes:
    """Return teams as the file that `read_teams` reads, a team a line."""
    lines = ",\n".join(json.dumps(team, ensure_ascii=False) for team in teams)
    return f'{{"teams": [\n{lines}\n]}}\n'.encode()


def keep_teams(tx: Tx, actor: Actor, teams: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Store teams inside a transaction, replacing those of the same id."""
    directory.put_teams(tx, teams)
    tx.audit(now, actor, "load-roster", f"{len(teams)} teams")


def _team(item: Mapping[str, Any], n: int) -> dict[str, Any]:
    if not isinstance(item["id"], str) or not _TEAM_ID.fullmatch(item["id"]):
        raise InvalidInput(f"班组编号“{item['id']}”只能含字母、数字、点和连字符", field=f"teams[{n}].id")
    if not isinstance(item["name"], str) or not isinstance(item.get("branch"), str | None):
        raise InvalidInput("班组名称和分公司应为文字", field=f"teams[{n}].name")
    for name in ("name", "branch"):
        check_text(item.get(name), f"teams[{n}].{name}")
    stewards = item.get("stewards", [])
    if not isinstance(stewards, list):
        raise InvalidInput("水管家应为列表 [{id, name, rank}]", field=f"teams[{n}].stewards")
    for k, steward in enumerate(stewards):
        _check_steward(steward, f"teams[{n}].stewards[{k}]")
    return {
        "id": item["id"],
        "name": item["name"],
        "branch": item.get("branch"),
        "stewards": [
            {"id": steward["id"], "name": steward["name"], "rank": str(steward["rank"])}
            for steward in sorted(stewards, key=lambda steward: (isinstance(steward["rank"], str), steward["rank"]))
        ],
    }


def _check_steward(steward: Any, place: str) -> None:
    if not isinstance(steward, dict):
        raise InvalidInput('水管家应为 JSON 对象 {"id": "...", "name": "...", "rank": "A"}', field=place)
    for name in ("id", "name"):
        _check_filled(steward.get(name), "水管家的 id 和 name 应为文字, 不能为空", f"{place}.{name}")
    rank = steward.get("rank")
    if type(rank) is not int:  # a bool is no rank
        _check_filled(rank, "rank 应为文字 (A、B…) 或整数", f"{place}.rank")


def _check_filled(value: Any, detail: str, place: str) -> None:
    if not isinstance(value, str) or not value.strip():
        raise InvalidInput(detail, field=place)
    check_text(value, place)


def import_zones(
    desk: Desk,
    actor: Actor,
    zones: Sequence[Zone],
    *,
    source: str,
    data: bytes,
    valid_from: datetime,
    now: datetime,
    is_sample: bool = False,
    make_teams: bool = False,
) -> int:
    """Publish zones as a new version, valid from a time; the old versions stay. Return the version's id.

    Args:
        desk: The process's desk.
        actor: Who publishes.
        zones: Checked zones, WGS-84.
        source: Name of the file.
        data: Its bytes, for the fingerprint.
        valid_from: From when on it routes.
        now: The server's time.
        is_sample: Whether the file calls itself a sample.
        make_teams: Make a team of the same id for each zone that names none.

    Raises:
        InvalidZoneFile: if a zone names a team that the roster does not have.
    """
    with desk.store.write() as tx:
        if make_teams:
            zones = [zone if zone.team_id else replace(zone, team_id=zone.zone_id) for zone in zones]
            _make_teams(tx, zones)
        values = {"source": source, "sha256": fingerprint(data), "is_sample": is_sample}
        return keep_zones(tx, actor, zones, {**values, "valid_from": valid_from, "imported_at": now})


def fingerprint(data: bytes) -> str:
    """Return what is kept of a file by which it is known again."""
    return hashlib.sha256(data).hexdigest()


def keep_zones(tx: Tx, actor: Actor, zones: Sequence[Zone], values: Mapping[str, Any]) -> int:
    """Store zones as a new version with these columns, inside a transaction; errors as of `import_zones`."""
    _check_teams(tx, zones)
    set_id = directory.add_zone_set(tx, values, zones)
    more = {"source": values["source"], "zones": len(zones)}
    tx.audit(values["imported_at"], actor, "import-zones", f"zones v{set_id}", **more)
    return set_id


def _make_teams(tx: Tx, zones: Sequence[Zone]) -> None:
    known = {team["id"] for team in directory.teams(tx)}
    made: dict[str | None, dict[str, Any]] = {
        zone.team_id: {"id": zone.team_id, "name": f"{zone.name} 班组", "branch": zone.branch, "stewards": []}
        for zone in zones
        if zone.team_id not in known
    }
    if made:
        directory.put_teams(tx, sorted(made.values(), key=itemgetter("id")))


def _check_teams(tx: Tx, zones: Sequence[Zone]) -> None:
    known = {team["id"] for team in directory.teams(tx)}
    problems = [
        {"feature": n, "id": zone.zone_id, "place": None, "reason": f"班组“{zone.team_id}”不在班组名册中"}
        for n, zone in enumerate(zones, 1)
        if zone.team_id is not None and zone.team_id not in known
    ]
    if problems:
        detail = "网格引用了不存在的班组: 请先导入班组名册 (init --roster), 或用 --make-teams 生成班组"
        raise InvalidZoneFile(detail, field="team_id", problems=problems)


def create_user(
    desk: Desk, actor: Actor, *, login: str, name: str, role: Role, team_id: str | None, now: datetime
) -> int:
    """Add a person or an integration and return the id.

    Raises:
        InvalidInput: for a bad login, or a role of the field without its team.
        Conflict: if the login is taken.
    """
    with desk.store.write() as tx:
        return add_user(tx, actor, login=login, name=name, role=role, team_id=team_id, now=now)


def add_user(tx: Tx, actor: Actor, *, login: str, name: str, role: Role, team_id: str | None, now: datetime) -> int:
    """Add a user inside a transaction; the rules and errors are those of `create_user`."""
    check_user(login, name, role, team_id)
    if team_id is not None and directory.team(tx, team_id) is None:
        raise InvalidInput(f"没有班组“{team_id}”", field="team_id")
    values = {"login": login, "name": name, "role": role, "team_id": team_id, "is_active": True}
    user_id = directory.add_user(tx, {**values, "created_at": now})
    if user_id is None:
        raise Conflict(f"登录名“{login}”已被使用, 请换一个", field="login")
    tx.audit(now, actor, "create-user", login, role=role)
    return user_id


def check_user(login: str, name: str, role: Role, team_id: str | None) -> None:
    """Raise InvalidInput where no user can be like this, whichever teams there are."""
    if not LOGIN.fullmatch(login):
        raise InvalidInput("登录名只能含小写字母、数字、点、下划线和连字符, 2–40 位", field="login")
    if not name.strip():
        raise InvalidInput("请填写姓名", field="name")
    check_text(name, "name")
    if role is Role.SYSTEM:
        raise InvalidInput("system 是系统内部角色, 不能分配给用户", field="role")
    if (role in TEAM_BOUND) != (team_id is not None):
        raise InvalidInput("班组角色 (crew, lead) 须指定班组, 其他角色不属于班组", field="team_id")


def create_token(
    desk: Desk, actor: Actor, *, login: str, label: str, expires_at: datetime | None, now: datetime
) -> str:
    """Return a new bearer token of a user; it is shown this once, only its hash is kept.

    Raises:
        NotFound: if there is no such login.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with desk.store.write() as tx:
        user = directory.user_by_login(tx, login)
        if user is None:
            raise NotFound(f"没有用户“{login}”", field="login")
        values = {"user_id": user.user_id, "sha256": token_hash(token), "label": label}
        directory.add_token(tx, {**values, "created_at": now, "expires_at": expires_at})
        tx.audit(now, actor, "create-token", login, label=label)
    return token


def token_hash(token: str) -> str:
    """Return what is kept of a token: SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def actor_of_token(desk: Desk, token: str, now: datetime) -> Actor | None:
    """Return who holds a token, or None."""
    with desk.store.read() as tx:
        return directory.actor_of_token(tx, token_hash(token), now)
