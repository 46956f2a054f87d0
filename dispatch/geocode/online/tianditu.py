"""天地图 (Tianditu) geocoder; CGCS2000, which is WGS-84 within decimetres.

Source: http://lbs.tianditu.gov.cn/server/geocodinginterface.html.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from geopy.adapters import AdapterHTTPError
from geopy.exc import GeocoderAuthenticationFailure, GeocoderQuotaExceeded, GeocoderServiceError
from geopy.geocoders.base import DEFAULT_SENTINEL, Geocoder
from geopy.location import Location

from dispatch.domain.address import Candidate
from dispatch.domain.place import Datum
from dispatch.geocode.online.asked import Bounded, Online, in_city, level_of, text_of

URL = "https://api.tianditu.gov.cn/geocoder"
_UNKNOWN = "101"
# It refuses a key of another kind with 418.
_REFUSED = (403, 418)


class Tianditu(Geocoder):  # type: ignore[misc]  # geopy publishes no types
    """geopy's form of the service.

    Args:
        key: Of the kind "服务器端".
        url: Where the service is.
        timeout: Seconds for a request.
    """

    def __init__(self, key: str, *, url: str = URL, timeout: Any = DEFAULT_SENTINEL) -> None:
        super().__init__(timeout=timeout, adapter_factory=Bounded)
        self._key, self._url = key, url

    def geocode(self, query: str) -> list[Location] | None:
        """Return at most one place; its `raw` is the service's own.

        Raises:
            GeopyError: of the kind that the answer stands for.
        """
        told = {"ds": json.dumps({"keyWord": query}, ensure_ascii=False), "tk": self._key}
        found: list[Location] | None = self._call_geocoder(f"{self._url}?{urlencode(told)}", _places)
        return found

    def _geocoder_exception_handler(self, error: Exception) -> None:
        if isinstance(error, AdapterHTTPError) and error.status_code in _REFUSED:
            raise GeocoderAuthenticationFailure(f"HTTP {error.status_code}") from error


def _places(page: Any) -> list[Location]:
    if "code" in page:  # a refusal is a document of another form
        words = text_of(page.get("msg"))
        raise (GeocoderQuotaExceeded if "配额" in words or "超限" in words else GeocoderAuthenticationFailure)(
            "refused"
        )
    status = text_of(page["status"])
    if status == _UNKNOWN:
        return []
    if status != "0":
        raise GeocoderServiceError(f"status {status[:8]}")
    found = page["location"]
    return [Location(text_of(found.get("keyWord")), (float(found["lat"]), float(found["lon"])), found)]


class TiandituOnline(Online):
    """Tianditu behind the port."""

    name, datum = "tianditu", Datum.WGS84

    def __init__(self, key: str, *, city: str = "", timeout_s: float = 3.0, url: str = URL) -> None:
        self._geocoder = Tianditu(key, url=url, timeout=timeout_s)
        self._city = city

    def _ask(self, text: str) -> list[Location] | None:
        return self._geocoder.geocode(in_city(text, self._city))

    def _candidate(self, place: Location) -> Candidate:
        raw = place.raw
        return self._made(place, place.address, level_of(text_of(raw.get("level"))), float(raw["score"]) / 100)
