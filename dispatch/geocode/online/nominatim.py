"""Nominatim at an own host, by geopy's own class; WGS-84.

Source: https://nominatim.org/release-docs/latest/api/Search/ and its place ranks in .../customize/Ranking/.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from geopy.geocoders import Nominatim as GeopyNominatim
from geopy.location import Location

from dispatch.domain.address import Candidate, Level
from dispatch.domain.place import Datum
from dispatch.geocode.online.asked import AT_MOST, Bounded, Online, in_city, text_of

_AGENT = "dispatch96533"
# From this rank on; what has no rank is a place of unknown size.
_RANKS = (
    (30, Level.NUMBER, 0.8),
    (28, Level.ESTATE, 0.7),
    (26, Level.ROAD, 0.6),
    (20, Level.COMMUNITY, 0.5),
    (16, Level.STREET, 0.4),
    (12, Level.DISTRICT, 0.2),
    (0, Level.CITY, 0.1),
)
_DISTRICTS = ("city_district", "district", "county", "borough")


class NominatimOnline(Online):
    """Nominatim behind the port.

    Args:
        url: Of the own host, such as `http://nominatim.example:8080`; a path is kept.
        city: Put in front of texts that do not name it.
        timeout_s: Seconds for a request.
    """

    name, datum = "nominatim", Datum.WGS84

    def __init__(self, url: str, *, city: str = "", timeout_s: float = 3.0) -> None:
        parts = urlsplit(url)
        self._geocoder = GeopyNominatim(
            domain=parts.netloc + parts.path.rstrip("/"),
            scheme=parts.scheme,
            user_agent=_AGENT,
            timeout=timeout_s,
            adapter_factory=Bounded,
        )
        self._city = city

    def _ask(self, text: str) -> list[Location] | None:
        found: list[Location] | None = self._geocoder.geocode(
            in_city(text, self._city), exactly_one=False, limit=AT_MOST, addressdetails=True, language="zh-CN"
        )
        return found

    def _candidate(self, place: Location) -> Candidate:
        raw = place.raw
        if raw["lat"] is None or raw["lon"] is None:  # geopy would make it 0, 0
            raise ValueError("no coordinates")
        rank = int(raw.get("place_rank", 0))
        level, confidence = next((level, share) for least, level, share in _RANKS if rank >= least)
        named: dict[str, Any] = raw.get("address", {})
        district = next((text_of(named[kind]) for kind in _DISTRICTS if kind in named), "")
        return self._made(place, text_of(place.address), level, confidence, district=district)
