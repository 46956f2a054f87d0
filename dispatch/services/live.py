"""What open screens are told: tickets as they are now, signals, what a crew has lost, and a pulse.

A message is a state and no step, so one that comes twice does no harm; who comes back is told a little too much rather
than too little.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.roles import PERMISSIONS, TEAM_BOUND, Actor, Permission, Role, can_see
from dispatch.realtime.news import Item, News
from dispatch.services import health, present
from dispatch.services.desk import Desk
from dispatch.storage import live
from dispatch.storage.db import Tx


@dataclass(frozen=True, slots=True)
class Topic:
    """Who hears of a signal: whoever holds the permission and, if its key is a ticket's number, sees that ticket."""

    permission: Permission
    is_of_ticket: bool = False


# The way to a ticket is estimated anew: the ticket itself is sent, no signal.
TRAVEL = "travel"
# One that is not here is sent to nobody.
TOPICS = {
    "callback": Topic(Permission.CALLBACK),
    "case": Topic(Permission.CASE),
    "article": Topic(Permission.READ),
    "cti": Topic(Permission.CALL),
    "incident": Topic(Permission.READ),
    "customers": Topic(Permission.CUSTOMER),
    "outage": Topic(Permission.READ),
    "photo": Topic(Permission.READ, is_of_ticket=True),
    "position": Topic(Permission.REASSIGN),
    "request": Topic(Permission.READ, is_of_ticket=True),
    "similar": Topic(Permission.CALL, is_of_ticket=True),
    "surge": Topic(Permission.READ),
    TRAVEL: Topic(Permission.READ, is_of_ticket=True),
}
# Whoever is further behind loads its data again.
MOST_BEHIND = 10_000
# A ticket rendered so lately is given to the next who comes back as well.
_FRESH_FOR = timedelta(seconds=10)
_HEALTH_FOR = timedelta(seconds=1)
_MOST_RENDERED = 2_000
# The team of a ticket, and those that assist.
_Teams = tuple[str | None, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Viewer:
    """What decides who sees what: equal viewers share one rendering."""

    role: Role
    team_id: str | None

    def sees(self, team_id: str | None, assisting: Sequence[str]) -> bool:
        """Tell whether a ticket is for these eyes."""
        return can_see(Actor(0, "", self.role, self.team_id), team_id, tuple(assisting))


def viewer_of(actor: Actor) -> Viewer:
    """Return what an actor sees as; the team of one who sees all teams makes no difference."""
    return Viewer(actor.role, actor.team_id if actor.role in TEAM_BOUND else None)


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """How far somebody has been told: the last event, and the last signal."""

    event: int
    signal: int

    @classmethod
    def parse(cls, text: str) -> Mark:
        """Read what `str` writes."""
        event, _, signal = text.partition(".")
        return cls(int(event), int(signal))

    def __str__(self) -> str:
        return f"{self.event}.{self.signal}"


def tell(tx: Tx, topic: str, key: str, now: datetime) -> None:
    """Let open screens hear, once this is committed, that something about `key` is new.

    Args:
        tx: The transaction that changes it.
        topic: One of TOPICS.
        key: Which of its kind; all who may hear of the topic are told it, so it names no person.
        now: The moment.
    """
    if topic not in TOPICS:
        raise ValueError(f"nobody would hear of {topic!r}: add it to TOPICS")
    live.add_signals(tx, [{"at": now, "topic": topic, "key": key}])


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A ticket's message, and up to which event it holds."""

    event: int
    at: datetime
    item: Item[Viewer]


class Feed:
    """What one process reads and renders, once for all who look.

    Args:
        desk: The process's desk.
        clock: Reads the time.
    """

    def __init__(self, desk: Desk, clock: Callable[[], datetime]) -> None:
        self._desk = desk
        self._clock = clock
        self._events, self._signals = live.Tail(live.EVENTS), live.Tail(live.SIGNALS)
        self._rendered: dict[int, _Rendered] = {}
        self._health: tuple[datetime, dict[str, Any]] | None = None

    @property
    def mark(self) -> str:
        """How far all has been read."""
        return str(Mark(self._events.mark, self._signals.mark))

    def begin(self) -> None:
        """Read from now on."""
        with self._desk.store.read() as tx:
            self._events.begin(tx)
            self._signals.begin(tx)

    def look(self) -> News[Viewer] | None:
        """Return what is new, or None."""
        events, signals = replace(self._events), replace(self._signals)
        with self._desk.store.read() as tx:
            told, signalled = events.more(tx), signals.more(tx)
            items = self._items(tx, told, signalled) if told or signalled else []
        # Only what could be rendered counts as read.
        self._events, self._signals = events, signals
        return News(self.mark, items) if told or signalled else None

    def since(self, viewer: Viewer, after: str) -> News[Viewer]:
        """Return what a viewer who was told all up to `after` has not been told; the request to reload, if too much."""
        mark = self.mark  # before the look: what comes in between is told again
        if after == mark:
            return News(mark, [])
        known = Mark.parse(after)
        with self._desk.store.read() as tx:
            event, signal = live.newest(tx)
            is_unknown = known.event > event or known.signal > signal  # of another database, or an older state of it
            is_lost = live.oldest_signal(tx) > known.signal + 1
            if is_unknown or is_lost or event - known.event + signal - known.signal > MOST_BEHIND:
                return self._reload(mark)
            told = live.behind(tx, live.EVENTS, known.event, MOST_BEHIND)
            signalled = live.behind(tx, live.SIGNALS, known.signal, MOST_BEHIND)
            return News(mark, self._items(tx, told, signalled, viewer))

    def reload(self) -> News[Viewer]:
        """Return the request to load everything again."""
        return self._reload(self.mark)

    def _reload(self, mark: str) -> News[Viewer]:
        return News(mark, [_for_all({"kind": "reload"})])

    def pulse(self) -> News[Viewer]:
        """Return a sign of life: the server's time, and how the clocks are watched."""
        now = self._clock()
        if self._health is None or abs(now - self._health[0]) > _HEALTH_FOR:
            self._health = (now, health.status(self._desk, now))
        told = {"kind": "pulse", "server_time": present.time(now), "scheduler": self._health[1]}
        return News(self.mark, [_for_all(told)])

    # ---------------------------------------------------------------- messages

    def _items(
        self, tx: Tx, events: Iterable[Any], signals: Sequence[Any], viewer: Viewer | None = None
    ) -> list[Item[Viewer]]:
        """Return messages; with a viewer at least those for that one."""
        last = {event.ticket_id: event.id for event in events}
        told = dict.fromkeys((signal.topic, signal.key) for signal in signals)
        numbers = {signal.key.rpartition(" ")[2] for signal in signals if _names_ticket(signal.topic)}
        rows = live.tickets(tx, last, numbers)
        for row in rows:
            if (TRAVEL, row["number"]) in told:  # no event says so, yet the ticket is another one to look at
                self._rendered.pop(row["id"], None)
                last.setdefault(row["id"], 0)
        changed = [row for row in rows if row["id"] in last and (viewer is None or viewer.sees(*_teams(row)))]
        teams = {row["number"]: _teams(row) for row in rows}
        return self._tickets(tx, changed, last) + [
            _gone(key, teams) if topic == live.GONE else _signal(topic, key, teams)
            for topic, key in told
            if topic == live.GONE or (topic in TOPICS and topic != TRAVEL)
        ]

    def _tickets(self, tx: Tx, rows: Sequence[Mapping[str, Any]], last: Mapping[int, int]) -> list[Item[Viewer]]:
        now = self._clock()
        known = {row["id"]: self._known(row["id"], last[row["id"]], now) for row in rows}
        fresh = [row for row in rows if known[row["id"]] is None]
        for row, shown in zip(fresh, present.from_rows(tx, self._desk, fresh, now), strict=True):
            item = Item(_json({"kind": "ticket", **shown}), _seen_by(*_teams(row)))
            known[row["id"]] = item
            self._keep(row["id"], _Rendered(last[row["id"]], now, item))
        return [item for item in known.values() if item is not None]

    def _known(self, ticket_id: int, event: int, now: datetime) -> Item[Viewer] | None:
        found = self._rendered.get(ticket_id)
        is_good = found is not None and found.event >= event and abs(now - found.at) < _FRESH_FOR
        return found.item if found is not None and is_good else None

    def _keep(self, ticket_id: int, rendered: _Rendered) -> None:
        if len(self._rendered) >= _MOST_RENDERED:
            self._rendered = {}
        self._rendered[ticket_id] = rendered


def changes(feed: Feed, actor: Actor, after: str | None) -> dict[str, Any]:
    """Return what a stream would have sent since `after`, each message as JSON, with a pulse at the end."""
    viewer = viewer_of(actor)
    news = News(feed.mark, []) if after is None else feed.since(viewer, after)
    return {"messages": news.messages(viewer) + feed.pulse().messages(viewer), "next": news.mark}


def _json(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _for_all(message: Mapping[str, Any]) -> Item[Viewer]:
    return Item(_json(message), lambda _viewer: True)


def _teams(row: Mapping[str, Any]) -> _Teams:
    return row["team_id"], row["assisting"]


def _seen_by(team_id: str | None, assisting: Sequence[str]) -> Callable[[Viewer], bool]:
    return lambda viewer: viewer.sees(team_id, assisting)


def _names_ticket(topic: str) -> bool:
    return topic == live.GONE or (topic in TOPICS and TOPICS[topic].is_of_ticket)


def _gone(key: str, teams: Mapping[str, _Teams]) -> Item[Viewer]:
    """Tell those of the team that lost a ticket, unless they have it again."""
    team_id, _, number = key.rpartition(" ")
    message = _json({"kind": "gone", "number": number})
    return Item(message, lambda viewer: viewer.team_id == team_id and not viewer.sees(*teams[number]))


def _signal(name: str, key: str, teams: Mapping[str, _Teams]) -> Item[Viewer]:
    topic = TOPICS[name]
    of_ticket = teams.get(key, (None, ())) if topic.is_of_ticket else None
    message = _json({"kind": "signal", "topic": name, "key": key})

    def hears(viewer: Viewer) -> bool:
        return topic.permission in PERMISSIONS[viewer.role] and (of_ticket is None or viewer.sees(*of_ticket))

    return Item(message, hears)
