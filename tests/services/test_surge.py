"""Surges on both databases: one at a time, by thresholds with hysteresis or by hand, told to everybody."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert

from dispatch.domain.errors import IdempotencyMismatch, InvalidInput, NotPermitted, StaleVersion
from dispatch.domain.roles import SYSTEM
from dispatch.domain.surge import Move, SurgeConflict
from dispatch.services import board, setup, surge
from dispatch.services.desk import Desk
from dispatch.storage import live, surges
from dispatch.storage.surges import CALLS
from tests.support.cast import Cast
from tests.support.store import DATA, in_parallel, open_desk

MINUTE = timedelta(minutes=1)


def flood(desk: Desk, at: datetime, count: int) -> None:
    """Calls that were logged at `at`, answered and over."""
    row = {
        "outcome": "answered", "called_at": at, "logged_at": at, "taken_by": 1, "category": "inquiry",
        "description": "", "address": "", "answers": {},
    }  # fmt: skip
    if count:
        with desk.store.write() as tx:
            tx.conn.execute(insert(CALLS), [row] * count)


def look(desk: Desk, at: datetime) -> Move | None:
    return surge.watch(desk, lambda: at).move


def enter(desk: Desk, cast: Cast, now: datetime, key: str | None = None, reason: str = "寒潮") -> dict[str, Any]:
    return surge.enter(desk, cast.supervisor, reason, {"reason": reason}, now, key)


def test_it_begins_and_ends_once_by_the_calls(desk: Desk, cast: Cast, now: datetime) -> None:
    """150 calls in ten minutes begin it; below 100 for twenty minutes ends it; what lies between does neither."""
    moves: list[tuple[int, Move]] = []
    for minute, calls in enumerate([5] * 10 + [20] * 30 + [12] * 10 + [8] * 15 + [12] * 10 + [5] * 60):
        at = now + minute * MINUTE
        flood(desk, at, calls)
        for _ in range(2):  # every scheduler looks
            move = look(desk, at)
            if move is not None:
                moves.append((minute, move))
    assert moves == [(16, Move.ENTER), (55, Move.CALM), (69, Move.BUSY), (77, Move.CALM), (97, Move.LEAVE)]
    (item,) = surge.history(desk, cast.agent, after=0, limit=5)["items"]
    assert (item["entered_how"], item["left_how"], item["is_open"]) == ("thresholds", "thresholds", False)
    assert item["figures"] == {"calls": 155, "window_s": 600, "calls_per_minute": 15.5}
    assert item["broadcast"].startswith("来电激增")


def test_one_surge_however_many_look(desk: Desk, url: str, now: datetime) -> None:
    flood(desk, now, 200)
    others = [open_desk(url) for _ in range(3)]
    found = in_parallel([partial(look, one, now) for one in (desk, *others) for _ in range(2)])
    assert not [one for one in found if isinstance(one, Exception)]
    with desk.store.read() as tx:
        assert len(surges.page(tx, 0, 9)) == 1
    later = now + 40 * MINUTE
    look(desk, later)
    ended = in_parallel([partial(look, one, later + 20 * MINUTE) for one in (desk, *others) for _ in range(2)])
    assert ended.count(Move.LEAVE) == 1
    for one in others:
        one.store.close()


def test_people_hear_of_it(desk: Desk, cast: Cast, now: datetime) -> None:
    assert surge.public_text(desk) is None
    begun = enter(desk, cast, now)
    assert begun["surge"]["entered_by"] == cast.supervisor.label
    assert (begun["is_held"], begun["is_automatic"]) == (True, False)
    told = surge.write(desk, cast.admin, "先问安全", "请稍候", 1, now)
    assert (told["surge"]["broadcast"], told["surge"]["version"]) == ("先问安全", 2)
    assert surge.public_text(desk) == "请稍候"
    with pytest.raises(StaleVersion):
        surge.write(desk, cast.admin, "旧", "旧", 1, now)
    ended = surge.leave(desk, cast.supervisor, "来电回落", 2, now + MINUTE)
    assert (ended["surge"], ended["is_held"]) == (None, True)
    assert surge.public_text(desk) is None
    with desk.store.read() as tx:
        topics = [(row.topic, row.key) for row in live.behind(tx, live.SIGNALS, 0, 9)]
    assert topics == [("surge", "1")] * 3
    audited = board.audited(desk, cast.auditor, subject="surge 1", after=0, limit=9)["items"]
    assert [entry["action"] for entry in audited] == ["leave-surge", "write-surge", "enter-surge"]


def test_what_a_person_says_holds_until_it_is_released(desk: Desk, cast: Cast, now: datetime) -> None:
    enter(desk, cast, now)
    assert look(desk, now + 60 * MINUTE) is None  # no call at all, and it stays
    flood(desk, now + 60 * MINUTE, 200)
    surge.leave(desk, cast.supervisor, "演练", 1, now + 61 * MINUTE)
    assert look(desk, now + 61 * MINUTE) is None  # many calls, and none begins
    state = surge.release(desk, cast.supervisor, now + 62 * MINUTE)
    assert (state["is_held"], state["is_automatic"], state["enter_calls"]) == (False, True, 150)
    assert surge.release(desk, cast.supervisor, now + 62 * MINUTE)["is_automatic"]
    assert look(desk, now + 62 * MINUTE) is Move.ENTER
    with pytest.raises(SurgeConflict):
        enter(desk, cast, now + 63 * MINUTE)


def test_a_surge_by_hand_can_be_released_while_it_lasts(desk: Desk, cast: Cast, now: datetime) -> None:
    enter(desk, cast, now)
    surge.release(desk, cast.supervisor, now)
    assert look(desk, now) is Move.CALM
    assert look(desk, now + 20 * MINUTE) is Move.LEAVE
    pages = surge.history(desk, cast.agent, after=0, limit=1)
    assert pages["next"] is None
    look(desk, now)
    enter(desk, cast, now + 30 * MINUTE)
    first = surge.history(desk, cast.agent, after=0, limit=1)
    assert surge.history(desk, cast.agent, after=first["next"], limit=1)["items"] == pages["items"]


def test_a_repeated_key_begins_one(desk: Desk, cast: Cast, now: datetime) -> None:
    first = enter(desk, cast, now, key="k")
    assert enter(desk, cast, now, key="k") == first
    with pytest.raises(IdempotencyMismatch):
        enter(desk, cast, now, key="k", reason="别的")


def test_who_may_not_and_what_is_not(desk: Desk, cast: Cast, now: datetime) -> None:
    deeds: list[Callable[..., Any]] = [
        lambda who: surge.enter(desk, who, "寒潮", {}, now),
        lambda who: surge.leave(desk, who, "回落", 1, now),
        lambda who: surge.release(desk, who, now),
        lambda who: surge.write(desk, who, "", "", 1, now),
    ]
    for deed in deeds:
        for who in (cast.dispatcher, cast.agent, cast.crew_a):
            with pytest.raises(NotPermitted):
                deed(who)
    with pytest.raises(SurgeConflict):
        surge.leave(desk, cast.supervisor, "回落", 1, now)
    with pytest.raises(SurgeConflict):
        surge.write(desk, cast.supervisor, "", "", 1, now)
    with pytest.raises(InvalidInput):
        enter(desk, cast, now, reason=" ")
    state = surge.state(desk, cast.crew_a, now)
    assert (state["surge"], state["calls"], state["is_automatic"]) == (None, 0, True)


def test_a_policy_without_surges_has_them_by_hand_alone(desk: Desk, cast: Cast, now: datetime) -> None:
    text = (DATA / "policy.toml").read_text("utf-8")
    start, end = text.index("[surge]"), text.index("[levels.P1]")
    old = (text[:start] + text[end:]).replace("2026-11-01", "2026-11-02", 1)
    setup.load_policy(desk, SYSTEM, old.encode(), now)
    flood(desk, now, 500)
    assert look(desk, now) is None
    state = enter(desk, cast, now)
    assert (state["enter_calls"], state["surge"]["digest_to"], state["surge"]["broadcast"]) == (None, [], "")
    assert state["widenable"] == {"levels": [], "clocks": [], "most": 1.0}
    assert surge.public_text(desk) == ""
    assert surge.leave(desk, cast.admin, "完", 1, now)["surge"] is None


def test_a_database_without_a_policy_is_left_alone(desk: Desk, now: datetime) -> None:
    assert look(desk, now - timedelta(days=3650)) is None
