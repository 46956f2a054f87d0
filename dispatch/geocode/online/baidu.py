"""百度 (Baidu) geocoding v3, by geopy's own BaiduV3; BD-09.

Source: https://lbsyun.baidu.com/faq/api?title=webapi/guide/webservice-geocoding-base and geopy's documentation.
"""

from __future__ import annotations

from typing import Any

from geopy.exc import GeocoderRateLimited
from geopy.geocoders import BaiduV3
from geopy.geocoders.base import DEFAULT_SENTINEL
from geopy.location import Location

from dispatch.domain.address import Candidate
from dispatch.domain.place import Datum
from dispatch.geocode.online.asked import Bounded, Online, level_of, text_of

URL = "https://api.map.baidu.com/geocoding/v3/"
# "Nothing found" comes with the status of an internal error.
_UNKNOWN = "无相关结果"
# 并发超限: too many at once, and not the end of the day's quota.
_TOO_FAST = (401, 402)


class Baidu(BaiduV3):  # type: ignore[misc]  # geopy publishes no types
    """geopy's Baidu at an address that can be set; it knows the city, and what "nothing found" looks like."""

    def __init__(self, key: str, *, secret: str | None = None, url: str = URL, timeout: Any = DEFAULT_SENTINEL) -> None:
        super().__init__(key, security_key=secret, timeout=timeout, adapter_factory=Bounded)
        self.api = url

    def geocode(self, query: str, *, city: str = "") -> list[Location] | None:
        """Return at most one place.

        Raises:
            GeopyError: of the kind that the service's status stands for.
        """
        told = {"ak": self.api_key, "output": "json", "address": query} | ({"city": city} if city else {})
        url = self._construct_url(self.api, self.api_path, told)
        found: list[Location] | None = self._call_geocoder(url, self._places)
        return found

    def _places(self, page: Any) -> list[Location]:
        status = page["status"]
        if status == 1 and _UNKNOWN in text_of(page.get("msg")):
            return []
        if status in _TOO_FAST:
            raise GeocoderRateLimited(f"status {status}", retry_after=None)
        place = self._parse_json(page, exactly_one=True)
        return [place] if place else []


class BaiduOnline(Online):
    """Baidu behind the port."""

    name, datum = "baidu", Datum.BD09

    def __init__(
        self, key: str, *, secret: str | None = None, city: str = "", timeout_s: float = 3.0, url: str = URL
    ) -> None:
        self._geocoder = Baidu(key, secret=secret, url=url, timeout=timeout_s)
        self._city = city

    def _ask(self, text: str) -> list[Location] | None:
        # It tells a point and no address: what was asked for is the label.
        found = self._geocoder.geocode(text, city=self._city) or []
        return [Location(text, place.point, place.raw) for place in found]

    def _candidate(self, place: Location) -> Candidate:
        raw = place.raw
        return self._made(place, place.address, level_of(text_of(raw.get("level"))), float(raw["confidence"]) / 100)
