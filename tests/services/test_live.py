"""What open screens are told, and who is told what."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from dispatch.domain.roles import Actor, Role
from dispatch.domain.states import Verb
from dispatch.realtime.news import News
from dispatch.services import health, live, present
from dispatch.services.desk import Desk
from dispatch.services.escalation import Sweep
from dispatch.services.live import Feed, Mark, Viewer, viewer_of
from dispatch.storage import live as rows
from tests.support.cast import TEAM_A, TEAM_B, Cast, act, dispatched, received

SECOND = timedelta(seconds=1)


class Watch:
    """A clock that is moved by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def watch(now: datetime) -> Watch:
    return Watch(now)


@pytest.fixture
def feed(desk: Desk, watch: Watch) -> Feed:
    made = Feed(desk, watch)
    made.begin()
    return made


def messages(news: News[Viewer] | None, actor: Actor) -> list[Any]:
    return [json.loads(text) for text in news.messages(viewer_of(actor))] if news else []


def look(feed: Feed, actor: Actor) -> list[Any]:
    return messages(feed.look(), actor)


def since(feed: Feed, actor: Actor, after: str) -> list[Any]:
    return messages(feed.since(viewer_of(actor), after), actor)


def kinds(told: list[Any]) -> list[tuple[str, str]]:
    """Each message by its kind and what it is about."""
    return [(one["kind"], one.get("number") or one.get("key") or "") for one in told]


def signal(desk: Desk, topic: str, key: str, now: datetime) -> None:
    with desk.store.write() as tx:
        live.tell(tx, topic, key, now)


# ---------------------------------------------------------------- tickets


def test_a_ticket_is_told_as_it_is_now_and_once(desk: Desk, cast: Cast, feed: Feed, now: datetime) -> None:
    assert feed.look() is None
    number = dispatched(desk, now)
    act(desk, cast.crew_a, number, Verb.ACCEPT, now)
    (told,) = look(feed, cast.dispatcher)
    with desk.store.read() as tx:
        assert told == {"kind": "ticket"} | json.loads(json.dumps(present.load(tx, desk, number, now)))
    assert told["status"] == "accepted"
    assert feed.look() is None


def test_crews_hear_of_their_own_work_alone(desk: Desk, cast: Cast, feed: Feed, now: datetime) -> None:
    mine = dispatched(desk, now)
    received(desk, now)
    news = feed.look()
    assert len(messages(news, cast.auditor)) == 2
    assert kinds(messages(news, cast.crew_a)) == [("ticket", mine)]
    assert messages(news, cast.crew_b) == []
    act(desk, cast.dispatcher, mine, Verb.ASSIST, now, team_id=TEAM_B)
    assert kinds(look(feed, cast.crew_b)) == [("ticket", mine)]


def test_who_loses_a_ticket_is_told_so(desk: Desk, cast: Cast, feed: Feed, now: datetime) -> None:
    number = dispatched(desk, now)
    feed.look()
    before = feed.mark
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now, team_id=TEAM_B)
    news = feed.look()
    assert kinds(messages(news, cast.crew_a)) == [("gone", number)]
    assert kinds(messages(news, cast.crew_b)) == [("ticket", number)]
    assert kinds(messages(news, cast.dispatcher)) == [("ticket", number)]
    assert kinds(since(feed, cast.crew_a, before)) == [("gone", number)]


def test_who_has_it_again_has_not_lost_it(desk: Desk, cast: Cast, feed: Feed, now: datetime) -> None:
    number = dispatched(desk, now)
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now, team_id=TEAM_B)
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now, team_id=TEAM_A)
    news = feed.look()
    assert kinds(messages(news, cast.crew_a)) == [("ticket", number)]
    assert kinds(messages(news, cast.crew_b)) == [("gone", number)]


def test_equal_viewers_share_their_bytes(desk: Desk, cast: Cast, feed: Feed, now: datetime) -> None:
    dispatched(desk, now)
    news = feed.look()
    assert news is not None
    frames = news.frames(viewer_of(cast.agent))
    assert news.frames(Viewer(Role.AGENT, None)) is frames
    assert viewer_of(Actor(99, "", Role.AGENT, TEAM_B)) == viewer_of(cast.agent)
    assert frames.startswith(b'data: {"kind":"ticket"')
    assert frames.endswith(f"\nid: {feed.mark}\n\n".encode())
    assert news.frames(viewer_of(cast.crew_b)) == b""


def test_what_could_not_be_rendered_is_told_by_the_next_look(
    desk: Desk, cast: Cast, feed: Feed, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = dispatched(desk, now)
    with monkeypatch.context() as broken:
        broken.setattr(present, "from_rows", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            feed.look()
    assert kinds(look(feed, cast.agent)) == [("ticket", number)]


# ---------------------------------------------------------------- signals


@pytest.mark.parametrize(
    ("topic", "hear", "hear_not"),
    [
        ("cti", ["agent", "dispatcher", "integration"], ["crew_a", "lead_a", "auditor"]),
        ("outage", ["agent", "crew_a", "auditor"], []),
        ("position", ["dispatcher", "supervisor"], ["agent", "crew_a", "lead_a"]),
    ],
)
def test_a_signal_is_heard_by_who_holds_its_permission(
    desk: Desk, cast: Cast, feed: Feed, now: datetime, topic: str, hear: list[str], hear_not: list[str]
) -> None:
    signal(desk, topic, "7", now)
    signal(desk, topic, "7", now)
    news = feed.look()
    for name in hear:
        assert messages(news, getattr(cast, name)) == [{"kind": "signal", "topic": topic, "key": "7"}]
    for name in hear_not:
        assert messages(news, getattr(cast, name)) == []


@pytest.mark.parametrize("topic", ["photo", "request"])
def test_a_signal_of_a_ticket_is_for_who_sees_it(desk: Desk, cast: Cast, feed: Feed, now: datetime, topic: str) -> None:
    number = dispatched(desk, now)
    feed.look()
    signal(desk, topic, number, now)
    signal(desk, topic, "GD-unknown", now)
    news = feed.look()
    assert kinds(messages(news, cast.crew_a)) == [("signal", number)]
    assert messages(news, cast.crew_b) == []
    assert kinds(messages(news, cast.dispatcher)) == [("signal", number), ("signal", "GD-unknown")]


def test_a_topic_that_nobody_hears_of_cannot_be_told(desk: Desk, cast: Cast, feed: Feed, now: datetime) -> None:
    with pytest.raises(ValueError, match="TOPICS"):
        signal(desk, "gossip", "1", now)
    with desk.store.write() as tx:  # of a newer program
        rows.add_signals(tx, [{"at": now, "topic": "gossip", "key": "1"}])
    assert look(feed, cast.admin) == []


# ---------------------------------------------------------------- coming back


def test_who_comes_back_is_told_what_it_missed(desk: Desk, cast: Cast, feed: Feed, now: datetime) -> None:
    before = feed.mark
    assert since(feed, cast.agent, before) == []
    mine, other = dispatched(desk, now), received(desk, now)
    feed.look()
    seen = feed.mark
    signal(desk, "outage", "1", now)
    # What the process has not looked at yet is told as well, with a mark that does not claim it.
    news = feed.since(viewer_of(cast.crew_a), before)
    assert kinds(messages(news, cast.crew_a)) == [("ticket", mine), ("signal", "1")]
    assert news.mark == seen
    assert kinds(since(feed, cast.agent, before)) == [("ticket", mine), ("ticket", other), ("signal", "1")]
    feed.look()
    assert since(feed, cast.agent, feed.mark) == []


def test_a_ticket_is_rendered_once_for_all_who_come_back(
    desk: Desk, cast: Cast, feed: Feed, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[int] = []
    real = present.from_rows

    def count(tx: Any, desk: Desk, found: Any, at: datetime) -> Any:
        rendered.extend(row["id"] for row in found)
        return real(tx, desk, found, at)

    monkeypatch.setattr(present, "from_rows", count)
    before, number = feed.mark, dispatched(desk, watch.now)
    feed.look()
    for _ in range(3):
        assert kinds(since(feed, cast.agent, before)) == [("ticket", number)]
    assert len(rendered) == 1, "by the look"
    # A change, and an age at which a clock may have broken, make it new.
    act(desk, cast.crew_a, number, Verb.ACCEPT, watch.now)
    rendered.clear()
    assert since(feed, cast.agent, before)[0]["status"] == "accepted"
    watch.now += 11 * SECOND
    since(feed, cast.agent, before)
    assert len(rendered) == 2


def test_what_is_kept_rendered_has_an_end(
    desk: Desk, cast: Cast, feed: Feed, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_MOST_RENDERED", 2)
    for _ in range(3):
        dispatched(desk, now)
    assert len(look(feed, cast.agent)) == 3
    assert len(feed._rendered) == 1


def test_who_is_too_far_behind_loads_again(
    desk: Desk, cast: Cast, feed: Feed, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = feed.mark
    for _ in range(3):
        received(desk, now)
    feed.look()
    assert len(since(feed, cast.agent, before)) == 3
    monkeypatch.setattr(live, "MOST_BEHIND", 2)
    assert since(feed, cast.agent, before) == [{"kind": "reload"}]


@pytest.mark.parametrize("after", ["7.0", "0.7"])
def test_a_mark_of_another_database_loads_again(cast: Cast, feed: Feed, after: str) -> None:
    assert since(feed, cast.agent, after) == [{"kind": "reload"}]


def test_who_missed_signals_that_are_forgotten_loads_again(desk: Desk, cast: Cast, feed: Feed, now: datetime) -> None:
    before = feed.mark
    for key in "12":
        signal(desk, "outage", key, now - health.SIGNALS_KEPT - SECOND)
    feed.look()
    health.beat(desk, "scheduler", now, Sweep())
    assert since(feed, cast.agent, before) == [{"kind": "reload"}]
    assert messages(feed.reload(), cast.crew_a) == [{"kind": "reload"}]


def test_a_mark_is_read_as_it_is_written() -> None:
    assert Mark.parse(str(Mark(12, 3))) == Mark(12, 3)


# ---------------------------------------------------------------- pulse and polling


def test_a_pulse_tells_the_time_and_how_the_clocks_are_watched(cast: Cast, feed: Feed, watch: Watch) -> None:
    (first,) = messages(feed.pulse(), cast.crew_a)
    assert first["server_time"] == present.time(watch.now)
    assert first["scheduler"]["status"] == "down"
    watch.now += SECOND / 2
    (second,) = messages(feed.pulse(), cast.crew_a)
    assert second["server_time"] == present.time(watch.now)
    assert second["scheduler"] == first["scheduler"]
    watch.now += SECOND
    assert messages(feed.pulse(), cast.crew_a)[0]["scheduler"]["now"] == present.time(watch.now)


def test_polling_tells_the_same(desk: Desk, cast: Cast, feed: Feed, now: datetime) -> None:
    first = live.changes(feed, cast.crew_a, None)
    assert kinds([json.loads(text) for text in first["messages"]]) == [("pulse", "")]
    number = dispatched(desk, now)
    feed.look()
    told = live.changes(feed, cast.crew_a, first["next"])
    assert kinds([json.loads(text) for text in told["messages"]]) == [("ticket", number), ("pulse", "")]
