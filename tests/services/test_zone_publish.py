"""Preview and publishing of a draft, and open tickets that go over: on both databases, each exactly once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import shapely
from sqlalchemy import select

from dispatch.domain.errors import IllegalTransition, InvalidInput, NotFound, NotPermitted, StaleVersion
from dispatch.domain.place import Datum
from dispatch.domain.states import Status, Verb
from dispatch.domain.zone_edit import Names
from dispatch.domain.zone_export import Form
from dispatch.domain.zone_file import read_zones
from dispatch.services import board, zone_drafts, zone_moves, zone_publish
from dispatch.services.desk import Desk
from dispatch.services.districts import outlines
from dispatch.services.zone_ops import Edit, Op
from dispatch.services.zone_publish import NotSure, OpenTickets, Order, UnsolvedProblems
from dispatch.storage.audit import AUDIT
from dispatch.storage.directory import zones_of
from dispatch.storage.outbox import OUTBOX
from tests.services.test_zone_drafts import DISTRICTS, OVERLAPPING, file
from tests.support.cast import TEAM_A, TEAM_B, ZONE_A, ZONE_B, Cast, act, dispatched, received, spot, ticket_at
from tests.support.store import SINCE, in_parallel, open_desk

TEAM_C = "tianxin-05"


def given_away(desk: Desk, cast: Cast, now: datetime, team_id: str = TEAM_C) -> dict[str, Any]:
    """A draft of the live map in which the grid of crew A belongs to another team."""
    draft = zone_drafts.copy_live(desk, cast.supervisor, "换班组", now)
    wanted = Edit(op=Op.PROPERTIES, version=1, zone_id=ZONE_A, names=Names(team_id=team_id))
    return zone_drafts.edit(desk, cast.supervisor, draft["id"], wanted, now)


def publish(desk: Desk, cast: Cast, draft: dict[str, Any], at: datetime, now: datetime, **told: Any) -> dict[str, Any]:
    told = {"open_tickets": OpenTickets.MOVE, **told}
    order = Order(version=draft["version"], valid_from=at, **told)
    return zone_publish.publish(desk, cast.supervisor, draft["id"], order, outlines(DISTRICTS), now)


def team_of(desk: Desk, cast: Cast, number: str, now: datetime) -> tuple[str | None, int | None]:
    told = board.ticket(desk, cast.admin, number, now)
    return told["team_id"], told["zone_set_id"]


def test_a_preview_tells_which_tickets_would_change_team(desk: Desk, cast: Cast, now: datetime) -> None:
    moving = dispatched(desk, now, address="坡子街 12 号 3 栋 501 室")
    closed = ticket_at(desk, Status.CLOSED, now)
    by_hand = dispatched(desk, now)
    act(desk, cast.dispatcher, by_hand, Verb.REASSIGN, now, team_id=TEAM_B)
    dispatched(desk, now, ZONE_B)
    received(desk, now)
    told = zone_publish.preview(desk, cast.supervisor, given_away(desk, cast, now)["id"], now)
    assert told["open"]["count"] == 1
    (change,) = told["open"]["changes"]
    assert (change["number"], change["from_team"], change["to_team"]) == (moving, TEAM_A, TEAM_C)
    assert change["address"] == "坡子街 12 号…"
    assert closed not in str(told)
    (flow,) = told["last_90_days"]["changes_by_team"]
    assert (flow["from_team"], flow["to_team"], flow["count"]) == (TEAM_A, TEAM_C, 2)
    assert (told["compared"], told["open_compared"], told["last_90_days"]["count"]) == (3, 2, 2)
    late = zone_publish.preview(desk, cast.supervisor, 1, now + timedelta(days=91))
    assert (late["compared"], late["open"]["count"]) == (0, 1)


def test_a_grid_that_is_taken_away_leaves_its_tickets_to_the_nearest_or_nobody(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    number = dispatched(desk, now)
    draft = zone_drafts.copy_live(desk, cast.admin, "少一格", now)
    gone = Edit(op=Op.REMOVE, version=1, zone_id=ZONE_A)
    draft = zone_drafts.edit(desk, cast.admin, draft["id"], gone, now)
    (change,) = zone_publish.preview(desk, cast.admin, draft["id"], now)["open"]["changes"]
    assert (change["to_team"], change["to_team_name"]) == (None, None)
    with pytest.raises(UnsolvedProblems, match="还有 1 处问题要先解决; 第一处: 网格之间有空洞") as caught:
        publish(desk, cast, draft, now, now)
    assert caught.value.extra["problems"][0]["kind"] == "gap"
    assert team_of(desk, cast, number, now) == (TEAM_A, 1)


def test_open_tickets_stay_with_their_version_where_that_is_wanted(desk: Desk, cast: Cast, now: datetime) -> None:
    number = dispatched(desk, now)
    told = publish(desk, cast, given_away(desk, cast, now), now, now, open_tickets=OpenTickets.KEEP)
    assert told == {"zone_set_id": 2, "valid_from": now.isoformat(), "zones": 112, "moved": None}
    assert zone_moves.carry_on(desk, lambda: now) == zone_moves.Moved()
    assert team_of(desk, cast, number, now) == (TEAM_A, 1)
    assert team_of(desk, cast, dispatched(desk, now), now) == (TEAM_C, 2)
    assert zone_drafts.listed(desk, cast.admin) == []


def test_open_tickets_go_over_at_once(desk: Desk, cast: Cast, now: datetime) -> None:
    number, ruled, far = dispatched(desk, now), received(desk, now, point=spot(desk, ZONE_A, now)), received(desk, now)
    other = dispatched(desk, now, ZONE_B)
    act(desk, cast.dispatcher, ruled, Verb.REASSIGN, now, team_id=TEAM_B)
    act(desk, cast.dispatcher, ruled, Verb.REASSIGN, now, team_id=TEAM_A, is_ruled=True)
    told = publish(desk, cast, given_away(desk, cast, now), now, now)
    assert told["moved"] == 1
    assert team_of(desk, cast, number, now) == (TEAM_C, 2)
    assert team_of(desk, cast, ruled, now) == (TEAM_A, 1)  # a ruling holds
    assert team_of(desk, cast, far, now)[0] is None
    assert team_of(desk, cast, other, now) == (TEAM_B, 1)
    timeline = board.ticket(desk, cast.admin, number, now)["timeline"]
    assert "网格新版本 v2 生效, 值班长陈工 (值班长) 发布时选择随之改派" in timeline[-1]["text"]
    with desk.store.read() as tx:
        texts = [row.text for row in tx.conn.execute(select(OUTBOX))]
        (done,) = tx.conn.execute(select(AUDIT.c.detail).where(AUDIT.c.action == "move-tickets")).scalars()
    assert any("已改派" in text for text in texts)
    assert done == {"moved": 1, "refused": 0}
    (version, first) = zone_publish.versions(desk, cast.admin, now)
    assert version["move"] == {"moved": 1, "refused": 0, "done_at": now.isoformat()}
    assert (version["is_live"], first["is_live"], first["is_sample"], version["is_sample"]) == (True, False, True, True)


def test_what_is_valid_later_moves_later_and_each_once(
    desk: Desk, cast: Cast, now: datetime, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zone_moves, "BATCH", 2)
    numbers = [dispatched(desk, now) for _ in range(5)]
    later = now + timedelta(hours=3)
    assert publish(desk, cast, given_away(desk, cast, now), later, now)["moved"] is None
    assert zone_moves.carry_on(desk, lambda: now).moved == 0
    assert zone_publish.versions(desk, cast.admin, now)[0]["is_live"] is False
    # Broken off after the first batch …
    asked = iter([False, True])
    assert zone_moves.carry_on(desk, lambda: later, lambda: next(asked)).moved == 2
    # … and carried on by two at once.
    others = [open_desk(url), open_desk(url)]
    done = in_parallel([lambda other=other: zone_moves.carry_on(other, lambda: later) for other in others])  # type: ignore[misc]
    assert sum(each.moved for each in done if isinstance(each, zone_moves.Moved)) <= 3
    zone_moves.carry_on(desk, lambda: later)
    for number in numbers:
        assert team_of(desk, cast, number, later) == (TEAM_C, 2)
        kinds = [line["kind"] for line in board.ticket(desk, cast.admin, number, later)["timeline"]]
        assert kinds.count("reassign") == 1
    for other in others:
        other.store.close()


def test_a_ticket_that_moved_on_stays_where_it_is(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = dispatched(desk, now)

    def refuse(*_: Any) -> None:
        raise IllegalTransition("工单现在是“完工”")

    monkeypatch.setattr(zone_moves, "carry_out", refuse)
    assert publish(desk, cast, given_away(desk, cast, now), now, now)["moved"] == 0
    assert zone_publish.versions(desk, cast.admin, now)[0]["move"]["refused"] == 1
    assert team_of(desk, cast, number, now) == (TEAM_A, 1)


def test_an_order_that_another_process_holds_is_left_to_it(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatched(desk, now)
    later = now + timedelta(hours=1)
    publish(desk, cast, given_away(desk, cast, now), later, now)
    monkeypatch.setattr("dispatch.storage.zone_moves.lock_due", lambda *_: None)
    assert zone_moves.carry_on(desk, lambda: later).moved == 0


def test_doubts_must_be_taken_upon_oneself(desk: Desk, cast: Cast, now: datetime) -> None:
    first, second = given_away(desk, cast, now), given_away(desk, cast, now, TEAM_B)
    publish(desk, cast, first, now, now)
    with pytest.raises(NotSure, match="草稿从 v1 复制, 现在生效的是 v2") as caught:
        publish(desk, cast, second, now, now)
    assert len(caught.value.extra["doubts"]) == 1
    assert publish(desk, cast, second, now, now, is_sure=True)["zone_set_id"] == 3


def test_a_map_that_leaves_out_much_or_has_no_teams_is_a_doubt(desk: Desk, cast: Cast, now: datetime) -> None:
    district = outlines(DISTRICTS)["芙蓉区"]
    west, south, east, north = district.bounds
    most = shapely.intersection(district, shapely.box(west + 0.2 * (east - west), south, east, north))
    draft = zone_drafts.import_file(desk, cast.admin, "一区", file(most), {}, now)
    wanted = Edit(op=Op.PROPERTIES, version=1, zone_id="A", cleared=frozenset({"team_id"}))
    draft = zone_drafts.edit(desk, cast.admin, draft["id"], wanted, now)
    with pytest.raises(NotSure) as caught:
        publish(desk, cast, draft, now, now)
    doubts = caught.value.extra["doubts"]
    assert doubts[0] == "1 个网格没有班组, 其工单要等调度员派单"
    assert doubts[1].startswith("“芙蓉区”有 ")
    told = publish(desk, cast, draft, now, now, is_sure=True)
    assert (told["zones"], told["moved"]) == (1, 0)


def test_what_cannot_be_published(desk: Desk, cast: Cast, now: datetime) -> None:
    draft = given_away(desk, cast, now)
    with pytest.raises(NotPermitted):
        zone_publish.preview(desk, cast.dispatcher, draft["id"], now)
    with pytest.raises(NotFound):
        zone_publish.preview(desk, cast.admin, 77, now)
    with pytest.raises(InvalidInput, match="已过"):
        publish(desk, cast, draft, now - timedelta(hours=1), now)
    with pytest.raises(StaleVersion):
        publish(desk, cast, {**draft, "version": 1}, now, now)
    empty = zone_drafts.import_file(desk, cast.admin, "空", file(OVERLAPPING), {}, now)
    empty = zone_drafts.edit(desk, cast.admin, empty["id"], Edit(op=Op.REMOVE, version=1, zone_id="A"), now)
    assert zone_publish.preview(desk, cast.admin, empty["id"], now)["open"]["count"] == 0
    with pytest.raises(InvalidInput, match="没有网格"):
        publish(desk, cast, empty, now, now)


def test_an_edit_while_publishing_wins(desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    draft = given_away(desk, cast, now)
    real = zone_publish._doubts

    def meanwhile(*args: Any) -> Any:
        zone_drafts.edit(desk, cast.admin, draft["id"], Edit(op=Op.UNDO, version=draft["version"]), now)
        return real(*args)

    monkeypatch.setattr(zone_publish, "_doubts", meanwhile)
    with pytest.raises(StaleVersion):
        publish(desk, cast, draft, now, now)
    assert len(zone_publish.versions(desk, cast.admin, now)) == 1


def test_a_version_is_exported_in_three_forms(desk: Desk, cast: Cast, now: datetime) -> None:
    with desk.store.read() as tx:
        zones = zones_of(tx, 1)
    for form in Form:
        data = zone_publish.export(desk, cast.admin, 1, form, Datum.WGS84)
        read = read_zones(data, datum=Datum.WGS84).zones
        assert [(each.zone_id, each.name, each.team_id, each.is_in_circle) for each in read] == [
            (each.zone_id, each.name, each.team_id, each.is_in_circle) for each in zones
        ]
    with pytest.raises(NotFound):
        zone_publish.export(desk, cast.admin, 77, Form.CSV, Datum.WGS84)


def test_before_the_first_version_none_is_live(desk: Desk, cast: Cast) -> None:
    assert [each["is_live"] for each in zone_publish.versions(desk, cast.admin, SINCE - timedelta(days=1))] == [False]
