"""One installation as a folder of readable files: written from what holds now, and built again from it.

`policy.toml` (levels, limits, ladders, calendars, reasons), `teams.json`, `zones.geojson`, `roster.json`, `users.csv`.
What happened (calls, tickets) is no part of it, nor is what only the installation may know: passwords, tokens, keys.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import tomli_w

from dispatch.domain import policy_checks, policy_file
from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Datum
from dispatch.domain.policy import Policy
from dispatch.domain.roles import Actor, Role
from dispatch.domain.roster import Plan
from dispatch.domain.roster_checks import check_zones
from dispatch.domain.roster_file import raw_of
from dispatch.domain.times import shanghai_text
from dispatch.domain.zone_export import Form, written
from dispatch.domain.zone_file import ZoneFile, read_zones
from dispatch.domain.zones import Zone
from dispatch.services import accounts, rosters, setup, user_file
from dispatch.services.desk import Desk
from dispatch.services.user_file import User
from dispatch.storage import contacts, directory
from dispatch.storage import rosters as stored_rosters
from dispatch.storage.db import Tx

POLICY, TEAMS, ZONES, ROSTER, USERS = FILES = (
    "policy.toml", "teams.json", "zones.geojson", "roster.json", "users.csv",
)  # fmt: skip


class InvalidFolder(InvalidInput):
    """A folder that is refused whole; `faults` lists file, place in it and reason."""

    code = "invalid-folder"


@dataclass(frozen=True, slots=True)
class Brought:
    """What a folder changed, or would change: `told` in words, and by login the link to choose a first password."""

    told: tuple[str, ...]
    links: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Roster:
    name: str
    is_sample: bool
    plan: Plan


@dataclass(slots=True)
class _Folder:
    """What the files say; None where there is no such file."""

    policy: tuple[Policy, Mapping[str, Any]] | None = None
    teams: Sequence[Mapping[str, Any]] = ()
    zones: tuple[ZoneFile, bytes] | None = None
    roster: _Roster | None = None
    users: Mapping[int, User] = field(default_factory=dict)
    faults: list[dict[str, str]] = field(default_factory=list)

    def wrong(self, file: str, place: str, text: str) -> None:
        self.faults.append({"file": file, "place": place, "text": text})

    @contextmanager
    def reading(self, file: str) -> Iterator[None]:
        """Keep what is wrong with a file, and go on with the next one."""
        try:
            yield
        except InvalidInput as error:
            problems = error.extra.get("problems") or error.extra.get("findings") or ()
            for one in problems:
                self.wrong(file, _place(one), one.get("detail") or one.get("reason") or one["text"])
            if not problems:
                self.wrong(file, error.field or "", error.detail)


def _place(one: Mapping[str, Any]) -> str:
    """Return where something is wrong: a feature of the map, a row of the roster, a dotted place of the policy."""
    if one.get("feature"):
        return f"要素 {one['feature']}"
    if one.get("row") is not None:
        return f"{one['section']}[{one['row']}].{one['field']}"
    return str(one.get("section") or one.get("field") or "")


# ---------------------------------------------------------------- written


def export(desk: Desk, actor: Actor, now: datetime) -> dict[str, bytes]:
    """Return the files by name, of what holds now; there is no roster among them where none is published.

    Raises:
        NotReady: before `init` and the first grids.
    """
    with desk.store.write() as tx:
        rules, roster_id = desk.rules(tx, now), desk.roster_id(tx, now)
        row = stored_rosters.read(tx, roster_id) if roster_id is not None else None
        is_sample = directory.is_sample(tx, rules.zone_set_id)
        files = {
            POLICY: _toml(directory.policy_raw(tx, rules.policy.version) or {}),
            TEAMS: setup.written_teams(directory.teams(tx)),
            ZONES: written(rules.zones.zones, Form.GEOJSON, is_sample=is_sample),
            USERS: user_file.written(_users(tx)),
        }
        tx.audit(now, actor, "export", "installation")
    if row is not None:
        told = {"name": row["name"], "is_sample": row["is_sample"], **row["body"]}
        files[ROSTER] = f"{json.dumps(told, ensure_ascii=False, indent=1)}\n".encode()
    return files


def _toml(raw: Mapping[str, Any]) -> bytes:
    """Return a stored policy as the file that it could have come from."""
    order: Mapping[str, Sequence[str]] = raw.get("order", {})
    told = {key: value for key, value in raw.items() if key != "order"}
    told |= {key: {name: told[key][name] for name in names} for key, names in order.items()}
    # Plain values first: in TOML they would else belong to the section before them.
    return tomli_w.dumps(dict(sorted(told.items(), key=lambda item: isinstance(item[1], dict))), indent=2).encode()


def _users(tx: Tx) -> list[User]:
    rows = directory.users(tx)
    people = contacts.people(tx, [row["login"] for row in rows])
    return [
        User(row["login"], row["name"], Role(row["role"]), row["team_id"], person.contact, person.quiet)
        for row in rows
        for person in (people[row["login"]],)
    ]


# ---------------------------------------------------------------- read


def check(desk: Desk, actor: Actor, files: Mapping[str, bytes], now: datetime) -> Brought:
    """Return what `bring_in` would change; nothing is written. Arguments and errors are the same."""
    found = _read(files, now)
    with desk.store.read() as tx:
        return _Import(tx, desk, actor, now, _held_against(tx, found)).plan(accepts_holes=True)


def bring_in(
    desk: Desk, actor: Actor, files: Mapping[str, bytes], now: datetime, *, accepts_holes: bool = False
) -> Brought:
    """Let what the files say hold from now on, all of it or nothing; a file that is not there changes nothing.

    Teams and users that the files do not name stay as they are. Whoever is new gets a link to choose a password.

    Args:
        desk: The process's desk, its database at the newest schema.
        actor: Who does it.
        files: Content by name, each of FILES.
        now: The server's time.
        accepts_holes: The zone-hours of four weeks without anybody on the roster are known and accepted.

    Raises:
        InvalidFolder: with all that is wrong, by file and place in it.
        RosterHoles: where zones are left without anybody, and that is not accepted.
    """
    found = _read(files, now)
    with desk.store.write() as tx:
        coming = _Import(tx, desk, actor, now, _held_against(tx, found))
        brought = coming.plan(accepts_holes=accepts_holes)
        for write in coming.writes:
            write()
        return replace(brought, links=coming.links)


def _read(files: Mapping[str, bytes], now: datetime) -> _Folder:
    """Read all files; what is wrong with them is kept beside."""
    found = _Folder()
    for name in sorted(files.keys() - set(FILES)):
        found.wrong(name, "", f"不认识的文件; 可用: {', '.join(FILES)}")
    for name, read in _READERS.items():
        if name in files:
            with found.reading(name):
                read(found, files[name], now)
    if not files:
        found.wrong("", "", f"文件夹里没有可导入的文件; 可用: {', '.join(FILES)}")
    return found


def _read_policy(found: _Folder, data: bytes, _now: datetime) -> None:
    raw = policy_file.read_toml(data)
    found.policy = policy_checks.check(raw), raw


def _read_teams(found: _Folder, data: bytes, _now: datetime) -> None:
    found.teams = setup.read_teams(data)


def _read_zones(found: _Folder, data: bytes, _now: datetime) -> None:
    found.zones = read_zones(data, datum=Datum.WGS84), data


def _read_roster(found: _Folder, data: bytes, now: datetime) -> None:
    try:
        told = dict(json.loads(data))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(f"排班表应为 JSON 对象: {error}") from error
    name, is_sample = told.pop("name", None), told.pop("is_sample", False)
    if not isinstance(name, str) or not isinstance(is_sample, bool):
        raise InvalidInput("请写明排班表的名称 (文字) 和是否样例 (true / false)", field="name")
    found.roster = _Roster(name, is_sample, rosters.checked(name, told, now)[0])


def _read_users(found: _Folder, data: bytes, _now: datetime) -> None:
    found.users, faults = user_file.read(data)
    for fault in faults:
        found.wrong(USERS, f"第 {fault.row} 行 {fault.column}", fault.text)


_READERS: Mapping[str, Callable[[_Folder, bytes, datetime], None]] = {
    POLICY: _read_policy, TEAMS: _read_teams, ZONES: _read_zones, ROSTER: _read_roster, USERS: _read_users,
}  # fmt: skip


def _held_against(tx: Tx, found: _Folder) -> _Folder:
    """Hold the files against known policies and teams; raise InvalidFolder for all that is wrong with them."""
    if found.policy is not None:
        policy, raw = found.policy
        if directory.policy_raw(tx, policy.version) not in (None, raw):
            found.wrong(POLICY, "version", f"版本 {policy.version} 已存在且内容不同, 请更换版本号")
    known = {team["id"] for team in (*found.teams, *directory.teams(tx))}
    for zone in found.zones[0].zones if found.zones else ():
        if zone.team_id is not None and zone.team_id not in known:
            found.wrong(ZONES, zone.zone_id, f"班组“{zone.team_id}”不在 {TEAMS} 中")
    for row, user in found.users.items():
        if user.team_id is not None and user.team_id not in known:
            found.wrong(USERS, f"第 {row} 行 team_id", f"没有班组“{user.team_id}”")
    if found.faults:
        raise InvalidFolder(f"文件夹有 {len(found.faults)} 处错误, 未导入任何内容", faults=found.faults)
    return found


# ---------------------------------------------------------------- what changes


@dataclass(slots=True)
class _Import:
    """A folder against what holds: `plan` tells the differences, and collects in `writes` what makes them hold."""

    tx: Tx
    desk: Desk
    actor: Actor
    now: datetime
    folder: _Folder
    writes: list[Callable[[], object]] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)

    def plan(self, *, accepts_holes: bool) -> Brought:
        told = [*self._policy(), *self._teams(), *self._zones(), *self._roster(accepts_holes), *self._users()]
        return Brought(tuple(told), {})

    def _policy(self) -> Iterator[str]:
        if self.folder.policy is None:
            return
        policy, raw = self.folder.policy
        if directory.policy_raw(self.tx, policy.version) == raw:
            yield f"{POLICY}: 政策 {policy.version} 已有, 不变"
            return
        yield f"{POLICY}: 政策 {policy.version}, 自 {shanghai_text(policy.valid_from)} 起生效"
        self.writes.append(lambda: setup.keep_policy(self.tx, self.actor, policy, raw, self.now))

    def _teams(self) -> Iterator[str]:
        known = {team["id"]: team for team in directory.teams(self.tx)}
        changed = [team for team in self.folder.teams if known.get(team["id"]) != team]
        if self.folder.teams:
            yield f"{TEAMS}: 班组 {len(self.folder.teams)} 个, 新增或更改 {len(changed)} 个"
        if changed:
            self.writes.append(lambda: setup.keep_teams(self.tx, self.actor, changed, self.now))

    def _zones(self) -> Iterator[str]:
        if self.folder.zones is None:
            return
        file, data = self.folder.zones
        if _same(self._zones_now(), file.zones):
            yield f"{ZONES}: 网格 {len(file.zones)} 个, 不变"
            return
        yield f"{ZONES}: 网格 {len(file.zones)} 个, 新版本自现在起生效"
        values = {"source": ZONES, "sha256": setup.fingerprint(data), "is_sample": file.is_sample}
        times = {"valid_from": self.now, "imported_at": self.now}
        self.writes.append(lambda: setup.keep_zones(self.tx, self.actor, file.zones, {**values, **times}))

    def _zones_now(self) -> Sequence[Zone]:
        set_id = directory.book(self.tx).zone_set_at(self.now)
        return [] if set_id is None else directory.zones_of(self.tx, set_id)

    def _roster(self, accepts_holes: bool) -> Iterator[str]:
        found = self.folder.roster
        if found is None:
            return
        plan = found.plan
        roster_id = directory.book(self.tx).roster_at(self.now)
        row = stored_rosters.read(self.tx, roster_id) if roster_id is not None else None
        if row is not None and row["body"] == raw_of(plan):
            yield f"{ROSTER}: 排班表 {row['name']} 已有, 不变"
            return
        zones = self.folder.zones[0].zones if self.folder.zones else self._zones_now()
        ahead = self.desk.rosters.under(self.tx, plan, self.now, self.now + rosters.AHEAD)
        holes = rosters.holes_of(ahead, zones, self.now)
        yield f"{ROSTER}: 排班 {len(plan.people)} 人; 四周内无人当班 {holes['zone_hours']} 网格·小时"
        yield from (f"{ROSTER}: 注意: {one.text}" for one in check_zones(plan, zones))
        if holes["hole_count"] and not accepts_holes:
            raise rosters.left_open(holes)
        self.writes.append(lambda: self._publish(found, holes["zone_hours"]))

    def _publish(self, found: _Roster, uncovered_h: float) -> None:
        roster_id = rosters.keep(self.tx, self.actor, found.name, found.plan, self.now, is_sample=found.is_sample)
        rosters.let_hold(self.tx, self.actor, roster_id, self.now, "由文件夹导入", uncovered_h, self.now)

    def _users(self) -> Iterator[str]:
        if not self.folder.users:
            return
        known = {user.login: user for user in _users(self.tx)}
        new = [user for user in self.folder.users.values() if user.login not in known]
        changed = [user for user in self.folder.users.values() if known.get(user.login, user) != user]
        yield f"{USERS}: 用户 {len(self.folder.users)} 个, 新增 {len(new)} 个, 更改 {len(changed)} 个"
        self.writes += [lambda user=user: self._add(user) for user in new]  # type: ignore[misc]
        self.writes += [lambda user=user: self._change(user) for user in changed]  # type: ignore[misc]

    def _add(self, user: User) -> None:
        user_id = setup.add_user(
            self.tx,
            self.actor,
            login=user.login,
            name=user.name,
            role=user.role,
            team_id=user.team_id,
            now=self.now,
        )
        self._reach(user_id, user)
        if user.role is not Role.INTEGRATION:
            self.links[user.login] = accounts.new_link(self.tx, user_id, self.now)

    def _change(self, user: User) -> None:
        row = next(row for row in directory.users(self.tx) if row["login"] == user.login)
        values = {"name": user.name, "role": user.role, "team_id": user.team_id}
        directory.change_user(self.tx, row["id"], values)
        self.tx.audit(self.now, self.actor, "change-user", user.login, role=user.role)
        self._reach(row["id"], user)

    def _reach(self, user_id: int, user: User) -> None:
        contacts.put(self.tx, user_id, user.contact, self.now)
        contacts.keep_quiet(self.tx, user_id, user.quiet)


def _same(before: Sequence[Zone], after: Sequence[Zone]) -> bool:
    """Whether two maps are one, whatever the order in their files."""
    ordered = (sorted(zones, key=lambda zone: zone.zone_id) for zones in (before, after))
    one, other = (written(list(zones), Form.GEOJSON) for zones in ordered)
    return one == other
