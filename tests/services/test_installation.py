"""An installation as a folder: out of one database, into another, and every mistake by file and place."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.roles import SYSTEM
from dispatch.domain.settings import Settings
from dispatch.services import accounts, contacts, installation, rosters
from dispatch.services.desk import Desk
from dispatch.services.installation import POLICY, ROSTER, TEAMS, USERS, ZONES, InvalidFolder
from dispatch.services.rosters import RosterHoles
from dispatch.storage import directory, schema
from dispatch.storage.db import Store
from tests.support.cast import TEAM_A, Cast
from tests.support.rosters import publish

DAY = timedelta(days=1)
Files = dict[str, bytes]


@pytest.fixture
def empty_desk(bare_store: Store, empty_url: str) -> Desk:
    """A desk over a database with a schema and nothing else."""
    schema.upgrade(bare_store)
    return Desk(bare_store, Settings(database_url=empty_url))


@pytest.fixture
def files(desk: Desk, cast: Cast, now: datetime) -> Files:
    """What an installation with a roster and contacts is written as."""
    publish(desk, now - DAY)
    contacts.put(desk, SYSTEM, "crew.a", phone="138 0013 8000", email="a@example.com", wecom_id="jia", now=now)
    contacts.choose(desk, cast.crew_a, "crew.a", [], now, ("22:00", "07:00"))
    return installation.export(desk, SYSTEM, now)


def faults(desk: Desk, files: Files, now: datetime) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidFolder) as caught:
        installation.bring_in(desk, SYSTEM, files, now)
    return [(one["file"], one["place"], one["text"]) for one in caught.value.extra["faults"]]


def told(desk: Desk, files: Files, now: datetime) -> list[str]:
    return [line.split(": ", 1)[1] for line in installation.check(desk, SYSTEM, files, now).told]


def changed(data: bytes, change: Callable[[Any], object]) -> bytes:
    raw = json.loads(data)
    change(raw)
    return json.dumps(raw, ensure_ascii=False).encode()


def test_what_is_written_is_readable_and_holds_no_secret(files: Files) -> None:
    assert set(files) == set(installation.FILES)
    assert tomllib.loads(files[POLICY].decode())["levels"]["P1"]["label"]
    header, *rows = files[USERS].decode("utf-8-sig").splitlines()
    assert header == "login,name,role,team_id,phone,email,wecom_id,quiet_from,quiet_to"
    assert f"crew.a,水管家甲,crew,{TEAM_A},13800138000,a@example.com,jia,22:00,07:00" in rows
    assert json.loads(files[ROSTER])["name"] == "测试排班"
    assert b"argon2" not in b"".join(files.values())


def test_the_same_folder_changes_nothing(desk: Desk, files: Files, now: datetime) -> None:
    users = len(files[USERS].splitlines()) - 1
    assert told(desk, files, now) == [
        f"政策 {json.dumps(tomllib.loads(files[POLICY].decode())['version'])[1:-1]} 已有, 不变",
        "班组 96 个, 新增或更改 0 个",
        "网格 112 个, 不变",
        "排班表 测试排班 已有, 不变",
        f"用户 {users} 个, 新增 0 个, 更改 0 个",
    ]
    before = _state(desk)
    brought = installation.bring_in(desk, SYSTEM, files, now)
    assert (brought.links, _state(desk)) == ({}, before)


def test_an_empty_database_becomes_the_same_installation(
    desk: Desk, empty_desk: Desk, files: Files, now: datetime
) -> None:
    with pytest.raises(RosterHoles):
        installation.bring_in(empty_desk, SYSTEM, files, now)
    assert _state(empty_desk) == (0, 0, 0, 0)
    preview = installation.check(empty_desk, SYSTEM, files, now)
    brought = installation.bring_in(empty_desk, SYSTEM, files, now, accepts_holes=True)
    assert (brought.told, preview.links) == (preview.told, {})
    assert installation.export(empty_desk, SYSTEM, now) == files
    assert "cti" not in brought.links  # an integration has tokens, and no password
    assert accounts.welcome(empty_desk, brought.links["crew.a"], now).login == "crew.a"
    assert installation.check(empty_desk, SYSTEM, files, now).told == installation.check(desk, SYSTEM, files, now).told


def test_what_differs_is_changed_and_the_rest_stays(desk: Desk, cast: Cast, files: Files, now: datetime) -> None:
    def rename(raw: Any) -> None:
        raw["teams"][0]["name"] = "改名班组"

    def leave_out(raw: Any) -> None:
        raw["features"].pop()

    line = f"crew.a,水管家甲,crew,{TEAM_A}"
    some = {
        TEAMS: changed(files[TEAMS], rename),
        ZONES: changed(files[ZONES], leave_out),
        USERS: files[USERS].replace(line.encode(), f"crew.a,水管家甲甲,lead,{TEAM_A}".encode()),
    }
    assert [line.split(", ", 1)[1] for line in told(desk, some, now)] == [
        "新增或更改 1 个", "新版本自现在起生效", "新增 0 个, 更改 1 个",
    ]  # fmt: skip
    installation.bring_in(desk, SYSTEM, some, now)
    after = installation.export(desk, SYSTEM, now)
    assert "改名班组" in after[TEAMS].decode()
    assert f"crew.a,水管家甲甲,lead,{TEAM_A},13800138000" in after[USERS].decode()
    assert len(json.loads(after[ZONES])["features"]) == 111
    assert (after[POLICY], after[ROSTER]) == (files[POLICY], files[ROSTER])


def test_a_new_policy_and_an_odd_roster_are_told(desk: Desk, files: Files, now: datetime) -> None:
    def rename(raw: Any) -> None:
        raw["name"], raw["is_sample"] = "新排班", True

    some = {
        POLICY: files[POLICY].replace(b'version = "', b'version = "x', 1),
        ROSTER: changed(files[ROSTER], rename),
    }
    rows = installation.check(desk, SYSTEM, some, now).told
    assert "政策 x" in rows[0]
    # The body is the one that holds: its name alone is no other roster.
    assert rows[1].endswith("已有, 不变")

    def cover_less(raw: Any) -> None:
        rename(raw)
        raw["members"].pop(0)

    some[ROSTER] = changed(files[ROSTER], cover_less)
    rows = installation.check(desk, SYSTEM, some, now).told
    assert "无人当班" in rows[1]
    assert any("注意" in row for row in rows[2:])
    installation.bring_in(desk, SYSTEM, some, now, accepts_holes=True)
    (live,) = [one for one in rosters.listed(desk, SYSTEM, now) if one["is_live"]]
    assert (live["name"], live["is_sample"], live["note"]) == ("新排班", True, "由文件夹导入")


def test_without_a_roster_there_is_no_such_file(desk: Desk, cast: Cast, now: datetime) -> None:
    assert set(installation.export(desk, SYSTEM, now)) == set(installation.FILES) - {ROSTER}


BAD_USERS = [
    ("nobody,无名,chief,,,,,,", "role", "没有角色“chief”"),
    ("Upper,大写,agent,,,,,,", "login", "登录名只能含小写字母"),
    ("noname,,agent,,,,,,", "name", "请填写姓名"),
    ("crew.x,无班组,crew,,,,,,", "team_id", "须指定班组"),
    ("crew.x,别处,crew,mars-01,,,,,", "team_id", "没有班组“mars-01”"),
    ("agent.x,电话,agent,,123abc,,,,", "phone", "只能由数字组成"),
    ("agent.x,邮箱,agent,,,nowhere,,,", "email", "nowhere"),
    ("agent.x,微信,agent,,,,企业 微信,,", "wecom_id", "企业微信账号"),
    ("agent.x,时段,agent,,,,,22:00,", "quiet", "免打扰"),
    ("agent,重复,agent,,,,,,", "login", "登录名“agent”已在第"),
    ("short", "role", "没有角色“”"),
]


@pytest.mark.parametrize(("row", "column", "said"), BAD_USERS)
def test_a_wrong_user_is_told_by_row_and_column(
    desk: Desk, files: Files, now: datetime, row: str, column: str, said: str
) -> None:
    before, number = _state(desk), len(files[USERS].splitlines()) + 1
    files[USERS] += f"{row}\n".encode()
    ((file, place, text),) = faults(desk, files, now)
    assert (file, place) == (USERS, f"第 {number} 行 {column}")
    assert said in text
    assert _state(desk) == before


BAD_FILES: list[tuple[str, bytes | Callable[[bytes], bytes], str, str]] = [
    (USERS, b"login,name\n", "第 1 行", "缺少列: role"),
    (USERS, "登录".encode("gbk"), "", "不是 UTF-8"),
    (USERS, lambda data: data + b'x,"y', "", "不是有效的 CSV"),
    (USERS, lambda data: data + b"".join(b"u%d,x,agent,,,,,,\n" % n for n in range(10_001)), "", "最多 10000 行"),
    (POLICY, b"levels = ", "", "不是有效的 UTF-8 TOML"),
    (POLICY, lambda data: data.replace(b"hotline_director", b"nobody"), "", "nobody"),
    (POLICY, lambda data: data.replace("特急".encode(), "急".encode()), "version", "已存在且内容不同"),
    (TEAMS, b"[]", "teams", "班组文件应为 JSON"),
    (ZONES, lambda data: data.replace(b'"Polygon"', b'"Point"', 1), "要素", ""),
    (ZONES, lambda data: data.replace(f'"{TEAM_A}"'.encode(), b'"mars-01"'), "天心", "班组“mars-01”不在"),
    (ROSTER, b"[1]", "", "应为 JSON 对象"),
    (ROSTER, b"{}", "name", "请写明排班表的名称"),
    (ROSTER, lambda data: data.replace(b'"08:00-20:00"', b'"20:00-08:00"'), "shifts[0].hours", ""),
    (ROSTER, lambda data: data.replace("测试排班".encode(), b" "), "name", "请给排班表起名"),
    ("user.csv", b"", "", "不认识的文件"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "place", "said"), BAD_FILES)
def test_a_wrong_file_is_told_by_place_and_nothing_of_the_others_is_kept(
    desk: Desk,
    files: Files,
    now: datetime,
    name: str,
    content: bytes | Callable[[bytes], bytes],
    place: str,
    said: str,
) -> None:
    before = _state(desk)
    wrong = content if isinstance(content, bytes) else content(files[name])
    assert wrong != files.get(name)
    found = faults(desk, {**files, name: wrong}, now)
    assert {one[0] for one in found} == {name}
    assert place in found[0][1]
    assert any(said in text for _, _, text in found)
    assert _state(desk) == before


def test_all_mistakes_of_all_files_are_told_at_once(desk: Desk, files: Files, now: datetime) -> None:
    files |= {TEAMS: b"{}", USERS: files[USERS] + b"x\ny\n"}
    assert [one[0] for one in faults(desk, files, now)] == [TEAMS, USERS, USERS]


def test_nothing_to_import_is_said(desk: Desk, now: datetime) -> None:
    ((_, _, text),) = faults(desk, {}, now)
    assert "没有可导入的文件" in text


def _state(desk: Desk) -> tuple[int, int, int, int]:
    """How much there is of all that a folder may bring."""
    with desk.store.read() as tx:
        book = directory.book(tx)
        return len(book.policies), len(book.zone_sets), len(book.rosters), len(directory.users(tx))
