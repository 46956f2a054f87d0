"""Where is it? Asked of the geocoders on the network in their order, until one gives an answer that can be believed.

Nothing here is called inside a transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shapely.geometry.base import BaseGeometry

from dispatch.domain.address import Candidate
from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.suggestion import judge
from dispatch.domain.tracking import HIDDEN, hide_room
from dispatch.geocode.breaker import Condition
from dispatch.geocode.port import Geocoder, GeocoderDown
from dispatch.services.desk import Desk
from dispatch.storage import suggestions

LABELS = {"amap": "高德", "baidu": "百度", "tianditu": "天地图", "nominatim": "Nominatim"}


class Watched(Geocoder, Protocol):
    """A geocoder whose breaker can be looked at."""

    @property
    def condition(self) -> Condition: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Lookup:
    """The geocoders of a process in the order they are asked, and the outlines by which their answers are checked.

    Attributes:
        geocoders: None at all where they are off.
        districts: Outlines by name, WGS-84.
    """

    geocoders: Sequence[Watched] = ()
    districts: Mapping[str, BaseGeometry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question.

    Attributes:
        best: What can be believed, or None.
        said: What each that was asked had to say, in Chinese words, by name.
        is_down: No one gave an answer and one did not answer at all: to ask again later makes sense.
    """

    best: Candidate | None
    said: Mapping[str, str]
    is_down: bool

    @property
    def words(self) -> str:
        """What all of them said, for people."""
        return "; ".join(f"{label(name)}: {words}" for name, words in self.said.items())


def label(name: str) -> str:
    """Return what people call a geocoder."""
    return LABELS.get(name, name)


def shown_outside(address: str) -> str:
    """Return an address as strangers may see it: up to the house, without the room."""
    return hide_room(address).removesuffix(HIDDEN).strip()


def ask(desk: Desk, lookup: Lookup, text: str, now: datetime, go_on: Callable[[], bool] = lambda: True) -> Answer:
    """Ask one geocoder after the other until one gives an answer that can be believed.

    Args:
        desk: The process's desk.
        lookup: Whom to ask.
        text: Where, in words that may leave the house.
        now: For which grid map.
        go_on: Asked before each geocoder but the first.
    """
    with desk.store.read() as tx:
        zones = desk.rules(tx, now).zones
    said: dict[str, str] = {}
    is_down = False
    for geocoder in lookup.geocoders:
        if said and not go_on():
            break
        try:
            verdict = judge(text, geocoder.find(text), zones.route, lookup.districts)
        except GeocoderDown as error:
            said[geocoder.name], is_down = error.detail, True
            continue
        said[geocoder.name] = verdict.words
        if verdict.candidate:
            return Answer(verdict.candidate, said, False)
    return Answer(None, said, is_down)


def find(desk: Desk, lookup: Lookup, actor: Actor, text: str, clock: Callable[[], datetime]) -> dict[str, Any]:
    """Ask because an agent wishes it; `{is_on, items, said}`. The next is asked only while there is time left.

    Raises:
        NotPermitted: if the role takes no calls.
        InvalidInput: if nothing is left of the text without the room.
    """
    check_permitted(actor, Permission.CALL)
    wanted = shown_outside(text)
    if not wanted:
        raise InvalidInput("请输入地址", field="q")
    begun = clock()
    limit_s = desk.settings.geocoder_timeout_s
    answer = ask(desk, lookup, wanted, begun, lambda: (clock() - begun).total_seconds() < limit_s)
    if lookup.geocoders:
        record(desk, lookup)
    said = [{"source": name, "label": label(name), "words": words} for name, words in answer.said.items()]
    items = [_form(answer.best)] if answer.best else []
    return {"is_on": bool(lookup.geocoders), "items": items, "said": said}


def _form(found: Candidate) -> dict[str, Any]:
    plain = ("label", "radius_m", "zone_id", "district", "street", "community", "confidence", "reason", "source")
    point = found.point
    return {
        **{name: getattr(found, name) for name in plain},
        "level": found.level.value,
        "lon": round(point.lon, 7) if point else None,
        "lat": round(point.lat, 7) if point else None,
    }


def record(desk: Desk, lookup: Lookup) -> None:
    """Store how the breakers of this process stand, where that has changed: the lamp and `doctor` are elsewhere."""
    rows: list[dict[str, Any]] = [
        {"name": one.name, "state": one.condition.state.value, "fault": one.condition.fault, "since": since}
        for one in lookup.geocoders
        if (since := one.condition.since) is not None
    ]
    with desk.store.read() as tx:
        known = suggestions.geocoders(tx)
    changed = [row for row in rows if known.get(row["name"]) != row]
    if changed:
        with desk.store.write() as tx:
            suggestions.tell_geocoders(tx, changed)
