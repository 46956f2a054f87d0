"""What all online geocoders share: geopy kept within bounds, its errors as ours, its places as candidates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from geopy.adapters import AdapterHTTPError, BaseSyncAdapter
from geopy.exc import (
    GeocoderAuthenticationFailure,
    GeocoderInsufficientPrivileges,
    GeocoderParseError,
    GeocoderQueryError,
    GeocoderQuotaExceeded,
    GeocoderRateLimited,
    GeocoderServiceError,
    GeocoderTimedOut,
    GeocoderUnavailable,
    GeopyError,
)
from geopy.location import Location

from dispatch.domain.address import Candidate, Level
from dispatch.domain.errors import InvalidCoordinate
from dispatch.domain.place import Datum, Wgs84Point, point_of, to_wgs84
from dispatch.geocode import http
from dispatch.geocode.port import GeocoderDown

AT_MOST = 5
# No address is longer; what is, is no address.
_LONGEST = 120
_RADIUS_M = {
    Level.ROOM: 50.0,
    Level.NUMBER: 50.0,
    Level.ESTATE: 300.0,
    Level.ROAD: 1_500.0,
    Level.COMMUNITY: 1_500.0,
    Level.STREET: 4_000.0,
    Level.DISTRICT: 15_000.0,
    Level.CITY: 40_000.0,
}
# What the services call the kinds of places. A kind that is not here is a shop, a school, an office: a place one goes
# to, as exact as an estate.
_LEVELS = {
    "国家": Level.CITY, "省": Level.CITY, "市": Level.CITY, "城市": Level.CITY, "地级市": Level.CITY,
    "区县": Level.DISTRICT, "县": Level.DISTRICT, "区": Level.DISTRICT, "开发区": Level.DISTRICT,
    "商圈": Level.DISTRICT, "热点商圈": Level.DISTRICT,
    "未知": Level.DISTRICT, "UNKNOWN": Level.DISTRICT, "": Level.DISTRICT,
    "乡镇": Level.STREET, "街道": Level.STREET,
    "村庄": Level.COMMUNITY, "村": Level.COMMUNITY, "社区": Level.COMMUNITY, "行政村": Level.COMMUNITY,
    "道路": Level.ROAD, "道路交叉路口": Level.ROAD, "交叉路口": Level.ROAD,
    "门牌号": Level.NUMBER, "门址": Level.NUMBER, "单元号": Level.NUMBER, "楼栋": Level.NUMBER,
}  # fmt: skip


def level_of(word: str) -> Level:
    """Return the level behind a service's own word for a kind of place."""
    return _LEVELS.get(word, Level.ESTATE)


def text_of(value: object) -> str:
    """Return a text as it is, and nothing for what is none: AMap says `[]` where it has no word."""
    return value if isinstance(value, str) else ""


class Bounded(BaseSyncAdapter):  # type: ignore[misc]  # geopy publishes no types
    """geopy's way to the network, with an end: see `geocode/http.py`."""

    def __init__(self, *, proxies: Any, ssl_context: Any) -> None:
        super().__init__(proxies=proxies, ssl_context=ssl_context)

    def get_json(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:
        """Ask, and read JSON."""
        try:
            return http.read_json(self._get(url, timeout, headers))
        except http.NotJson as error:
            raise GeocoderParseError(str(error)) from error

    def get_text(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> str:
        """Ask, and return the page."""
        return self._get(url, timeout, headers).decode("utf-8", "replace")

    def _get(self, url: str, timeout: float, headers: Mapping[str, str]) -> bytes:
        try:
            reply = http.ask(url, timeout_s=timeout, headers=headers)
        except http.NoReply as error:
            raise (GeocoderTimedOut if error.is_slow else GeocoderUnavailable)(str(error)) from error
        if not 200 <= reply.status < 300:
            page = reply.body.decode("utf-8", "replace")
            raise AdapterHTTPError(f"HTTP {reply.status}", status_code=reply.status, headers=reply.headers, text=page)
        return reply.body


# The first that fits; the words say nothing of the address, the key or the page that came.
_FAULTS: tuple[tuple[type[GeopyError], str, bool], ...] = (
    (GeocoderRateLimited, "限流, 请求过于频繁", False),
    (GeocoderQuotaExceeded, "配额用尽", True),
    (GeocoderAuthenticationFailure, "密钥或签名无效", True),
    (GeocoderInsufficientPrivileges, "密钥没有权限", True),
    (GeocoderQueryError, "拒绝了请求", False),
    (GeocoderTimedOut, "超时未答复", False),
    (GeocoderUnavailable, "连接不上", False),
    (GeocoderParseError, "返回的不是数据 (网页或残缺的答复)", False),
    (GeocoderServiceError, "服务故障", False),
    (GeopyError, "服务故障", False),
)


class Online(ABC):
    """A geocoder of geopy behind the port."""

    name: str
    datum: Datum

    def find(self, text: str) -> Sequence[Candidate]:
        """Ask the service; see the port.

        Raises:
            GeocoderDown: where there was no answer, or none that makes sense.
        """
        try:
            return [self._candidate(place) for place in (self._ask(text[:_LONGEST]) or [])[:AT_MOST]]
        except GeopyError as error:
            told, permanent = next((words, lasts) for kind, words, lasts in _FAULTS if isinstance(error, kind))
            raise GeocoderDown(told, permanent=permanent) from error
        except (AttributeError, LookupError, TypeError, ValueError, InvalidCoordinate) as error:
            raise GeocoderDown("答复的形式不对", permanent=False) from error

    @abstractmethod
    def _ask(self, text: str) -> list[Location] | None:
        """Return geopy's places."""

    @abstractmethod
    def _candidate(self, place: Location) -> Candidate:
        """Return what a place means."""

    def _made(
        self, place: Location, label: str, level: Level, confidence: float, *, district: str = "", street: str = ""
    ) -> Candidate:
        return Candidate(
            label=label,
            level=level,
            point=self._point(place),
            radius_m=_RADIUS_M[level],
            zone_id=None,
            district=district or None,
            street=street or None,
            community=None,
            confidence=round(min(max(confidence, 0.0), 1.0), 2),
            reason="",
            source=self.name,
        )

    def _point(self, place: Location) -> Wgs84Point:
        # The raw pair is of this datum: here, and nowhere else, it becomes WGS-84.
        return to_wgs84(point_of(place.longitude, place.latitude, self.datum))


def in_city(text: str, city: str) -> str:
    """Return the text with the city in front, for services that cannot be told where to look."""
    return text if not city or city.removesuffix("市") in text else city + text
