"""Setting up: policies, rosters and grid maps come in whole or not at all, people and tokens are what they say."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import shapely
from sqlalchemy import text

from dispatch.domain.errors import InvalidInput, InvalidPolicy, InvalidZoneFile, NotFound
from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import SYSTEM, Role
from dispatch.domain.settings import Settings
from dispatch.domain.zones import Zone
from dispatch.services import board, bootstrap, setup
from dispatch.services.desk import Desk, NotReady
from dispatch.services.routing import preview
from dispatch.storage import directory, schema
from dispatch.storage.db import Store
from tests.support.cast import TEAM_A, ZONE_A, Cast, call, spot
from tests.support.store import DATA, SINCE, in_parallel, open_desk

POLICY = (DATA / "policy.toml").read_bytes()


def newer(version: str, valid_from: str) -> bytes:
    return (
        POLICY.replace(b'version = "2026-11-01"', f'version = "{version}"'.encode())
        .replace(b"valid_from = 2026-11-01", f"valid_from = {valid_from}".encode())
        .replace(b'{ clock = "ack", within = "10 min"', b'{ clock = "ack", within = "8 min"')
    )


def audited(desk: Desk, cast: Cast, subject: str) -> list[str]:
    items = board.audited(desk, cast.auditor, subject=subject, after=0, limit=10)["items"]
    return [item["action"] for item in items]


def square(zone_id: str, team_id: str | None, west: float = 112.9) -> Zone:
    return Zone(zone_id, f"{zone_id}网格", "城南", team_id, True, shapely.box(west, 28.1, west + 0.1, 28.2))


def import_zones(desk: Desk, zones: list[Zone], now: datetime, **options: Any) -> int:
    told: dict[str, Any] = {"source": "new.geojson", "data": b"{}", "valid_from": now} | options
    return setup.import_zones(desk, SYSTEM, zones, now=now, **told)


# ---------------------------------------------------------------- policy


def test_the_same_policy_again_changes_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    assert setup.load_policy(desk, SYSTEM, POLICY, now).version == "2026-11-01"
    assert audited(desk, cast, "2026-11-01") == ["load-policy"]


def test_a_version_has_one_content(desk: Desk, now: datetime) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        setup.load_policy(desk, SYSTEM, POLICY.replace("等待材料".encode(), "等材料".encode(), 1), now)
    assert caught.value.field == "version"


def test_a_wrong_policy_is_refused_whole(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(InvalidPolicy):
        setup.load_policy(desk, SYSTEM, b"version = 'x'", now)
    assert audited(desk, cast, "x") == []


def test_a_ticket_keeps_the_policy_that_it_was_made_under(desk: Desk, cast: Cast, now: datetime) -> None:
    old = call(desk, cast.agent, now).body["ticket"]
    setup.load_policy(desk, SYSTEM, newer("2026-12-01", "2026-12-01"), now)
    before = call(desk, cast.agent, now).body["ticket"]
    december = datetime(2026, 11, 30, 16, tzinfo=UTC)
    after = call(desk, cast.agent, december).body["ticket"]
    due = [ticket["clocks"][0]["due_at"] for ticket in (old, before, after)]
    assert [ticket["policy_version"] for ticket in (old, before, after)] == ["2026-11-01"] * 2 + ["2026-12-01"]
    assert due[2] == (december + timedelta(minutes=8)).isoformat()
    assert due[0] == due[1] == (now + timedelta(minutes=10)).isoformat()


def test_another_process_learns_of_a_new_policy(desk: Desk, cast: Cast, now: datetime, url: str) -> None:
    other = open_desk(url)
    assert call(other, cast.agent, now).body["ticket"]["policy_version"] == "2026-11-01"
    setup.load_policy(desk, SYSTEM, newer("new", "2026-11-01"), now)
    assert call(other, cast.agent, now).body["ticket"]["policy_version"] == "new"
    other.store.close()


def test_a_policy_that_is_not_there(desk: Desk) -> None:
    with desk.store.read() as tx, pytest.raises(NotReady):
        desk.policy(tx, "1999")


def test_only_the_latest_versions_are_kept_in_memory(desk: Desk, now: datetime) -> None:
    versions = [f"v{n}" for n in range(10)]
    for version in versions:
        setup.load_policy(desk, SYSTEM, newer(version, "2026-11-01"), now)
    with desk.store.read() as tx:
        parsed = [desk.policy(tx, version) for version in versions]
        assert [policy.version for policy in parsed] == versions
        assert len(desk._policies) == 8
        assert desk.policy(tx, "v9") is parsed[-1]
        assert desk.policy(tx, "v0").version == "v0"


def test_threads_share_one_index(desk: Desk, now: datetime) -> None:
    def index() -> int:
        with desk.store.read() as tx:
            return id(desk.rules(tx, now).zones)

    assert len(set(in_parallel([index] * 8))) == 1


# ---------------------------------------------------------------- roster


def roster(*teams: Any) -> bytes:
    return json.dumps({"teams": teams}).encode()


def test_a_roster_replaces_teams_and_sorts_stewards(desk: Desk, cast: Cast, now: datetime) -> None:
    stewards = [{"id": "b", "name": "乙", "rank": "B"}, {"id": "a", "name": "甲", "rank": "A", "phone": "secret"}]
    team = {"id": TEAM_A, "name": "新名", "branch": "城南", "stewards": stewards}
    assert setup.load_roster(desk, SYSTEM, roster(team, {"id": "x", "name": "新班组"}), now) == 2
    teams = {found["id"]: found for found in board.teams(desk, cast.crew_b)}
    assert teams[TEAM_A] == team | {"stewards": [{"id": "a", "name": "甲", "rank": "A"}, stewards[0]]}
    assert teams["x"] == {"id": "x", "name": "新班组", "branch": None, "stewards": []}
    ticket = call(desk, cast.agent, now, point=spot(desk, ZONE_A, now)).body["ticket"]
    assert ticket["steward"] == "甲"


WRONG_ROSTERS = [
    b"\xff",
    b"[" * 100_000,
    b"[]",
    b"{}",
    roster("x"),
    roster({"name": "x"}),
    roster({"id": "a b", "name": "x"}),
    roster({"id": 5, "name": "x"}),
    roster({"id": "x", "name": 5}),
    roster({"id": "x", "name": None}),
    roster({"id": "x", "name": "x", "branch": 7}),
    roster({"id": "x", "name": "x", "stewards": [{"id": "a"}]}),
    roster({"id": "x", "name": "x", "stewards": None}),
]
A_STEWARD: dict[str, Any] = {"id": "a", "name": "甲", "rank": "A"}
WRONG_PLACES: list[tuple[dict[str, Any], str]] = [
    ({"name": "x\x00"}, "name"),
    ({"branch": "\ud800"}, "branch"),
    ({"stewards": {"id": "a"}}, "stewards"),
    ({"stewards": [A_STEWARD, "甲"]}, "stewards[1]"),
    ({"stewards": [{"id": [1], "name": {"x": 1}, "rank": None}]}, "stewards[0].id"),
    ({"stewards": [A_STEWARD | {"id": " "}]}, "stewards[0].id"),
    ({"stewards": [A_STEWARD, A_STEWARD | {"name": {"x": 1}}]}, "stewards[1].name"),
    ({"stewards": [A_STEWARD | {"name": ""}]}, "stewards[0].name"),
    ({"stewards": [A_STEWARD | {"name": "a\x00"}]}, "stewards[0].name"),
    ({"stewards": [A_STEWARD | {"rank": None}]}, "stewards[0].rank"),
    ({"stewards": [A_STEWARD | {"rank": True}]}, "stewards[0].rank"),
    ({"stewards": [A_STEWARD | {"rank": 1.5}]}, "stewards[0].rank"),
    ({"stewards": [A_STEWARD | {"rank": ["A"]}]}, "stewards[0].rank"),
    ({"stewards": [{"id": "a", "name": "甲"}]}, "stewards[0].rank"),
]


def test_what_is_wrong_with_a_team_names_its_place(
    desk: Desk, cast: Cast, now: datetime, subtests: pytest.Subtests
) -> None:
    before = board.teams(desk, cast.auditor)
    good = [{"id": f"t{n}", "name": "x"} for n in range(3)]
    for changes, place in WRONG_PLACES:
        with subtests.test(str(changes)):
            with pytest.raises(InvalidInput) as caught:
                setup.load_roster(desk, SYSTEM, roster(*good, {"id": "x", "name": "x", **changes}), now)
            assert caught.value.field == f"teams[3].{place}"
    assert board.teams(desk, cast.auditor) == before


def test_ranks_may_be_numbers(desk: Desk, cast: Cast, now: datetime) -> None:
    stewards = [A_STEWARD | {"id": str(rank), "rank": rank} for rank in ("A", 10, 2)]
    setup.load_roster(desk, SYSTEM, roster({"id": "x", "name": "x", "stewards": stewards}), now)
    (team,) = (team for team in board.teams(desk, cast.auditor) if team["id"] == "x")
    assert [steward["rank"] for steward in team["stewards"]] == ["2", "10", "A"]


def test_a_wrong_roster_is_refused_whole(desk: Desk, cast: Cast, now: datetime, subtests: pytest.Subtests) -> None:
    before = board.teams(desk, cast.auditor)
    for data in WRONG_ROSTERS:
        with subtests.test(data[:60].decode(errors="replace")), pytest.raises(InvalidInput):
            setup.load_roster(desk, SYSTEM, data, now)
    assert board.teams(desk, cast.auditor) == before


# ---------------------------------------------------------------- grids


def test_a_new_map_routes_from_its_day_on(desk: Desk, cast: Cast, now: datetime) -> None:
    old = call(desk, cast.agent, now, point=Wgs84Point(112.95, 28.15)).body["ticket"]
    tomorrow = now + timedelta(days=1)
    set_id = import_zones(desk, [square("新-01", TEAM_A)], now, valid_from=tomorrow)
    today = call(desk, cast.agent, now, point=Wgs84Point(112.95, 28.15)).body["ticket"]
    new = call(desk, cast.agent, tomorrow, point=Wgs84Point(112.95, 28.15)).body["ticket"]
    assert (new["zone_id"], new["zone_set_id"], new["team_id"]) == ("新-01", set_id, TEAM_A)
    assert (today["zone_id"], today["zone_set_id"]) == (old["zone_id"], old["zone_set_id"])
    assert board.ticket(desk, cast.agent, old["number"], tomorrow)["zone_set_id"] == old["zone_set_id"]
    assert audited(desk, cast, f"zones v{set_id}") == ["import-zones"]


def test_geometry_survives_the_database(desk: Desk, now: datetime) -> None:
    zones = [square("b", None, 112.9), square("a", TEAM_A, 113.0)]
    set_id = import_zones(desk, zones, now)
    with desk.store.read() as tx:
        assert directory.zones_of(tx, set_id) == sorted(zones, key=lambda zone: zone.zone_id)
        assert next(row["id"] for row in directory.zone_sets(tx)) == set_id


def test_a_map_with_unknown_teams_is_refused_whole(desk: Desk, cast: Cast, now: datetime) -> None:
    zones = [square("a", "nobody"), square("b", TEAM_A), square("c", None), square("d", "neither")]
    with pytest.raises(InvalidZoneFile) as caught:
        import_zones(desk, zones, now)
    problems = caught.value.extra["problems"]
    assert [(problem["feature"], problem["id"]) for problem in problems] == [(1, "a"), (4, "d")]
    assert preview(desk, spot(desk, ZONE_A, now), now)["zone_id"] == ZONE_A


def test_teams_are_made_where_that_is_asked_for(desk: Desk, cast: Cast, now: datetime) -> None:
    zones = [square("甲-01", None), square("b", "new-team", 113.0), square("c", TEAM_A, 113.1)]
    import_zones(desk, zones, now, make_teams=True)
    made = {team["id"]: team for team in board.teams(desk, cast.agent)}
    assert (made["甲-01"]["name"], made["new-team"]["branch"]) == ("甲-01网格 班组", "城南")
    assert made[TEAM_A]["name"] == "天心-03 水管家班组"
    assert preview(desk, Wgs84Point(112.95, 28.15), now)["team_id"] == "甲-01"
    import_zones(desk, zones, now, make_teams=True)
    assert {team["id"] for team in board.teams(desk, cast.agent)} == set(made)


# ---------------------------------------------------------------- people


def create(desk: Desk, now: datetime, **changes: Any) -> int:
    told: dict[str, Any] = {"login": "new.one", "name": "新人", "role": Role.AGENT, "team_id": None} | changes
    return setup.create_user(desk, SYSTEM, now=now, **told)


def test_a_user_is_who_was_created(desk: Desk, cast: Cast, now: datetime) -> None:
    user_id = create(desk, now, role=Role.CREW, team_id=TEAM_A)
    with desk.store.read() as tx:
        user = directory.user_by_login(tx, "new.one")
        assert directory.user_by_login(tx, "nobody") is None
    assert user is not None
    assert (user.user_id, user.name, user.role, user.team_id) == (user_id, "新人", Role.CREW, TEAM_A)
    assert audited(desk, cast, "new.one") == ["create-user"]


WRONG_USERS: list[tuple[dict[str, Any], str]] = [
    ({"login": "A"}, "login"),
    ({"login": "x"}, "login"),
    ({"login": "with space"}, "login"),
    ({"name": "\x00"}, "name"),
    ({"role": Role.SYSTEM}, "role"),
    ({"role": Role.CREW}, "team_id"),
    ({"role": Role.LEAD}, "team_id"),
    ({"team_id": TEAM_A}, "team_id"),
    ({"role": Role.CREW, "team_id": "nobody"}, "team_id"),
]


def test_wrong_users(desk: Desk, now: datetime, subtests: pytest.Subtests) -> None:
    for changes, field in WRONG_USERS:
        with subtests.test(str(changes)):
            with pytest.raises(InvalidInput) as caught:
                create(desk, now, **changes)
            assert caught.value.field == field


def test_a_login_is_taken_once(desk: Desk, now: datetime) -> None:
    create(desk, now)
    with pytest.raises(setup.Conflict) as caught:
        create(desk, now, name="另一人")
    assert (caught.value.field, caught.value.status) == ("login", 409)


def test_a_token_tells_who_holds_it_until_it_expires(desk: Desk, cast: Cast, now: datetime) -> None:
    expires_at = now + timedelta(hours=1)
    token = setup.create_token(desk, SYSTEM, login="crew.a", label="手机", expires_at=expires_at, now=now)
    forever = setup.create_token(desk, SYSTEM, login="cti", label="平台", expires_at=None, now=now)
    assert len(token) >= 43
    assert setup.actor_of_token(desk, token, now) == cast.crew_a
    assert setup.actor_of_token(desk, token, expires_at) is None
    assert setup.actor_of_token(desk, forever, expires_at + timedelta(days=999)) == cast.integration
    assert setup.actor_of_token(desk, token + "x", now) is None


def test_only_the_hash_of_a_token_is_kept(desk: Desk, now: datetime) -> None:
    token = setup.create_token(desk, SYSTEM, login="agent", label="x", expires_at=None, now=now)
    with desk.store.read() as tx:
        rows = [
            str(tuple(row)) for table in ("tokens", "audit") for row in tx.conn.execute(text(f"SELECT * FROM {table}"))
        ]
    assert not any(token in row for row in rows)
    assert any(setup.token_hash(token) in row for row in rows)


def test_who_left_holds_no_token(desk: Desk, now: datetime) -> None:
    token = setup.create_token(desk, SYSTEM, login="agent", label="x", expires_at=None, now=now)
    with desk.store.write() as tx:
        tx.conn.execute(directory.USERS.update().values(is_active=False))
    assert setup.actor_of_token(desk, token, now) is None


def test_nobody_gets_no_token(desk: Desk, now: datetime) -> None:
    with pytest.raises(NotFound) as caught:
        setup.create_token(desk, SYSTEM, login="nobody", label="x", expires_at=None, now=now)
    assert caught.value.field == "login"


# ---------------------------------------------------------------- a fresh installation


def test_bringing_up_an_empty_database_twice(bare_store: Store, now: datetime) -> None:
    desk = Desk(bare_store, Settings(database_url=str(bare_store.engine.url)))
    done = bootstrap.bring_up(desk, DATA, now)
    assert [line.partition(" ")[0] for line in done] == ["已载入政策", "已载入样例网格"]
    assert bootstrap.bring_up(desk, DATA, now) == []
    with bare_store.read() as tx:
        (one,) = directory.zone_sets(tx)
    assert one["is_sample"]
    assert preview(desk, spot(desk, ZONE_A, now), now)["team_id"] == TEAM_A


def test_bringing_up_leaves_what_is_there(desk: Desk, now: datetime) -> None:
    assert bootstrap.bring_up(desk, DATA, now) == []
    assert bootstrap.bring_up(desk, DATA, SINCE + timedelta(days=400)) == []


def test_a_database_of_another_version_is_not_ready(store: Store, bare_store: Store, url: str) -> None:
    bootstrap.check_ready(Desk(store, Settings(database_url=url)))
    with pytest.raises(NotReady, match="空"):
        bootstrap.check_ready(Desk(bare_store, Settings(database_url=url)))


def test_a_desk_without_anything_is_not_ready(bare_store: Store, now: datetime) -> None:
    schema.upgrade(bare_store)
    desk = Desk(bare_store, Settings(database_url=str(bare_store.engine.url)))
    with pytest.raises(NotReady, match="init"):
        preview(desk, Wgs84Point(113.0, 28.2), now)
