"""高德 (AMap) Web service v3, geocode/geo; GCJ-02.

Source: the forms of request, answer and error are those of https://lbs.amap.com/api/webservice/guide/api/georegeo and
https://lbs.amap.com/api/webservice/guide/tools/info.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any
from urllib.parse import urlencode

from geopy.exc import (
    GeocoderAuthenticationFailure,
    GeocoderInsufficientPrivileges,
    GeocoderParseError,
    GeocoderQueryError,
    GeocoderQuotaExceeded,
    GeocoderRateLimited,
    GeocoderServiceError,
)
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location

from dispatch.domain.address import Candidate, Level
from dispatch.domain.place import Datum
from dispatch.geocode.online.asked import Bounded, Online, level_of, text_of

URL = "https://restapi.amap.com/v3/geocode/geo"
# ENGINE_RESPONSE_DATA_ERROR: what a text that is no address gets.
_UNKNOWN = "30001"
_ERRORS: dict[str, type[Exception]] = (
    dict.fromkeys(("10001", "10006", "10007", "10008", "10009", "10013", "10026"), GeocoderAuthenticationFailure)
    | dict.fromkeys(("10002", "10005", "10010", "10012", "10041"), GeocoderInsufficientPrivileges)
    | dict.fromkeys(("10003", "10044", "10045", "40000", "40002"), GeocoderQuotaExceeded)
    | dict.fromkeys(
        ("10004", "10014", "10015", "10019", "10020", "10021", "10029"), partial(GeocoderRateLimited, retry_after=None)
    )
    | dict.fromkeys(("20000", "20001", "20002", "20011", "20012"), GeocoderQueryError)
)
_CONFIDENCE = {
    Level.NUMBER: 0.9,
    Level.ESTATE: 0.8,
    Level.ROAD: 0.6,
    Level.COMMUNITY: 0.6,
    Level.STREET: 0.4,
    Level.DISTRICT: 0.2,
    Level.CITY: 0.1,
}


class AMap(Geocoder):  # type: ignore[misc]  # geopy publishes no types
    """geopy's form of the service.

    Args:
        key: Of the kind "Web 服务".
        secret: Signs the requests where the key asks for it, or None.
        url: Where the service is.
        timeout: Seconds for a request.
    """

    def __init__(self, key: str, *, secret: str | None = None, url: str = URL, timeout: Any = DEFAULT_SENTINEL) -> None:
        super().__init__(timeout=timeout, adapter_factory=Bounded)
        self._key, self._secret, self._url = key, secret, url

    def geocode(self, query: str, *, city: str = "") -> list[Location] | None:
        """Return places; their `raw` is the service's own.

        Raises:
            GeopyError: of the kind that the service's infocode stands for.
        """
        told = {"address": query, "key": self._key, "output": "JSON"} | ({"city": city} if city else {})
        if self._secret:
            signed = "&".join(f"{name}={value}" for name, value in sorted(told.items()))
            # The service's own scheme; MD5 is what it asks for.
            told["sig"] = hashlib.md5(f"{signed}{self._secret}".encode(), usedforsecurity=False).hexdigest()
        found: list[Location] | None = self._call_geocoder(f"{self._url}?{urlencode(told)}", _places)
        return found


def _places(page: Any) -> list[Location]:
    if page.get("infocode") == _UNKNOWN:
        return []
    if page["status"] != "1":
        code = text_of(page.get("infocode"))
        raise _ERRORS.get(code, GeocoderServiceError)(f"infocode {code[:8]}")
    return [_place(found) for found in page["geocodes"]]


def _place(found: Any) -> Location:
    lon, comma, lat = found["location"].partition(",")
    if not comma:
        raise GeocoderParseError("no location")
    return Location(text_of(found.get("formatted_address")), (float(lat), float(lon)), found)


class AMapOnline(Online):
    """AMap behind the port."""

    name, datum = "amap", Datum.GCJ02

    def __init__(
        self, key: str, *, secret: str | None = None, city: str = "", timeout_s: float = 3.0, url: str = URL
    ) -> None:
        self._geocoder = AMap(key, secret=secret, url=url, timeout=timeout_s)
        self._city = city

    def _ask(self, text: str) -> list[Location] | None:
        return self._geocoder.geocode(text, city=self._city)

    def _candidate(self, place: Location) -> Candidate:
        raw = place.raw
        level = level_of(text_of(raw.get("level")))
        district = text_of(raw.get("district"))
        return self._made(place, place.address, level, _CONFIDENCE[level], district=district)
