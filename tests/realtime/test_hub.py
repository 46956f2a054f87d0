"""The hub: who is told, who has no place, who does not keep up, and when its thread rests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue

import pytest

from dispatch.realtime import hub as module
from dispatch.realtime.hub import Behind, Full, Hub, Stream
from dispatch.realtime.news import Item, News
from tests.support.processes import wait_for


@dataclass
class FakeFeed:
    """News that a test puts in; `told` says what to raise instead."""

    news: SimpleQueue[News[str] | Exception] = field(default_factory=SimpleQueue)
    begun: int = 0
    mark: str = "0.0"

    def begin(self) -> None:
        self.begun += 1

    def look(self) -> News[str] | None:
        try:
            found = self.news.get_nowait()
        except Empty:
            return None
        if isinstance(found, Exception):
            raise found
        return found

    def pulse(self) -> News[str]:
        return News(self.mark, [Item(b'"pulse"', lambda viewer: viewer == "pulsed")])


@dataclass
class FakeWatch:
    """Wakes when a test says so."""

    changed: threading.Event
    is_closed: bool = False

    def wait(self, most_s: float) -> bool:
        is_time = self.changed.wait(min(most_s, 0.05))
        self.changed.clear()
        return is_time

    def close(self) -> None:
        self.is_closed = True


@dataclass
class Room:
    """A hub of three places, with what a test needs to drive it."""

    feed: FakeFeed = field(default_factory=FakeFeed)
    changed: threading.Event = field(default_factory=threading.Event)
    watches: list[FakeWatch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hub: Hub[str] = Hub(self.feed, self._watch, 3)

    def _watch(self) -> FakeWatch:
        self.watches.append(FakeWatch(self.changed))
        return self.watches[-1]

    def tell(self, text: str, to: Callable[[str], bool] = lambda _viewer: True) -> News[str]:
        news = News("1.0", [Item(text.encode(), to)])
        self.feed.news.put(news)
        self.changed.set()
        return news


@pytest.fixture
def room() -> Iterator[Room]:
    made = Room()
    yield made
    made.hub.stop()
    wait_for(lambda: all(watch.is_closed for watch in made.watches), "the thread has ended")


def take(stream: Stream[str]) -> list[bytes]:
    news = stream.take(5)
    return news.messages(stream.viewer) if news else []


def test_all_are_told_the_same_piece(room: Room) -> None:
    streams = [room.hub.open("a"), room.hub.open("b")]
    news = room.tell("x")
    assert [stream.take(5) for stream in streams] == [news, news]


def test_who_may_not_have_it_is_not_woken(room: Room) -> None:
    one, other = room.hub.open("a"), room.hub.open("b")
    room.tell("secret", lambda viewer: viewer == "a")
    room.tell("all")
    assert [take(one), take(one)] == [[b"secret"], [b"all"]]
    assert take(other) == [b"all"]


def test_who_hears_nothing_waits_no_longer_than_told(room: Room) -> None:
    assert room.hub.open("a").take(0.01) is None


def test_a_pulse_comes_again_and_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PULSE_S", 0.02)
    stream = room.hub.open("pulsed")
    assert [take(stream) for _ in range(3)] == [[b'"pulse"']] * 3


def test_places_are_counted_and_given_back(room: Room) -> None:
    first, *_ = streams = [room.hub.open("a") for _ in range(3)]
    with pytest.raises(Full):
        room.hub.open("a")
    for _ in range(2):
        room.hub.close(first)
    assert room.hub.open_streams == 2
    room.hub.open("a")
    with pytest.raises(Full):
        room.hub.open("a")
    assert len(streams) == 3


def test_who_does_not_keep_up_is_told_so_and_goes_on(room: Room) -> None:
    slow = room.hub.open("a")
    for n in range(module._MOST_WAITING + 2):
        slow.put(News("1.0", [Item(str(n).encode(), lambda _viewer: True)]))
    with pytest.raises(Behind):
        slow.take(5)
    room.tell("next")
    assert take(slow) == [b"next"]


def test_more_than_one_wave_of_streams_is_reached(monkeypatch: pytest.MonkeyPatch, room: Room) -> None:
    monkeypatch.setattr(module, "_SLICE", 2)
    streams = [room.hub.open("a") for _ in range(3)]
    room.tell("x")
    assert [take(stream) for stream in streams] == [[b"x"]] * 3


def test_a_failed_look_is_repeated(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_S", 0.01)
    stream = room.hub.open("a")
    room.feed.news.put(RuntimeError("the database is away"))
    room.tell("x")
    assert take(stream) == [b"x"]


def test_a_stop_ends_streams_at_once_and_lets_nobody_in(room: Room) -> None:
    stream = room.hub.open("a")
    room.hub.stop()
    assert stream.take(5) is None
    assert stream.is_over
    with pytest.raises(Full):
        room.hub.open("a")
    room.hub.attend()
    assert room.feed.begun == 1


def test_the_thread_rests_when_nobody_looks_and_begins_again(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINGER_S", 0.0)
    room.hub.close(room.hub.open("a"))
    wait_for(lambda: room.watches[0].is_closed, "the thread rests")
    stream = room.hub.open("a")
    room.tell("x")
    assert take(stream) == [b"x"]
    assert room.feed.begun == len(room.watches) == 2


def test_polling_keeps_it_awake(room: Room) -> None:
    room.hub.attend()
    room.hub.attend()
    assert room.feed.begun == 1
    assert not room.watches[0].is_closed


def test_a_beginning_that_fails_is_told_to_who_asked_and_tried_again(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(room.feed, "begin", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            room.hub.open("a")
    room.watches.pop()
    assert room.hub.open_streams == 0
    room.hub.open("a")


def test_frames_are_an_event_stream() -> None:
    news: News[str] = News("7.2", [Item(b'{"a":1}', lambda _v: True), Item(b'{"b":2}', lambda v: v == "all")])
    assert news.frames("all") == b'data: {"a":1}\n\ndata: {"b":2}\nid: 7.2\n\n'
    assert news.frames("one") == b'data: {"a":1}\nid: 7.2\n\n'
    empty: News[str] = News("7.2", [])
    assert empty.frames("all") == b""
