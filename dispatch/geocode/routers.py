"""Travel times from a routing service of one's own: OSRM or Valhalla by HTTP, behind a circuit breaker.

Both work on OpenStreetMap, so coordinates are WGS-84. They are never asked inside a transaction.

Source: https://project-osrm.org/docs/v5.24.0/api/#table-service and
https://valhalla.github.io/valhalla/api/matrix/api-reference/.
"""

from __future__ import annotations

import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatch.domain.errors import DispatchError
from dispatch.domain.place import Wgs84Point
from dispatch.domain.travel import RoadRules
from dispatch.geocode import http
from dispatch.geocode.breaker import Breaker, Condition
from dispatch.geocode.eta import Eta, EtaProvider, range_text

# All origins together: somebody waits for them.
TIMEOUT_S = 2.0
# Both allow more places at once; so many fit into a URL.
AT_ONCE = 50
Seconds = list[float | None]


class RouterDown(DispatchError):
    """A routing service that did not answer, or not with times."""

    code = "router-down"
    status = 503


class Router(ABC):
    """A routing service behind the port of travel times.

    Args:
        url: Where it is, such as `http://osrm.example:5000`.
        rules: How its free drive becomes a range, and how far a place may be from its roads.
        clock: Reads the time.
        timeout_s: Seconds for all origins together.
    """

    name: str

    def __init__(
        self, url: str, rules: RoadRules, clock: Callable[[], datetime], *, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._url, self._rules, self._clock, self._timeout_s = url.rstrip("/"), rules, clock, timeout_s
        self._breaker = Breaker()

    @property
    def condition(self) -> Condition:
        """How the breaker stands."""
        return self._breaker.condition

    def etas(self, target: Wgs84Point, origins: Sequence[Wgs84Point]) -> Sequence[Eta | None]:
        """Return the time from each origin to the target; None where no road leads, or none is near.

        Raises:
            RouterDown: where the service does not answer, or is left alone because it did not.
        """
        if not self._breaker.lets_through(self._clock()):
            raise RouterDown(f"路径服务暂停使用 ({self.condition.fault})")
        until = time.monotonic() + self._timeout_s
        try:
            seconds = [
                found
                for start in range(0, len(origins), AT_ONCE)
                for found in self._times(target, origins[start : start + AT_ONCE], until)
            ]
        except RouterDown as error:
            self._breaker.failed(error.detail, self._clock(), permanent=False)
            raise
        self._breaker.succeeded(self._clock())
        return [None if found is None else self._eta(found) for found in seconds]

    def _times(self, target: Wgs84Point, origins: Sequence[Wgs84Point], until: float) -> Seconds:
        """Return the seconds of free drive of a part of the origins, asked for until a time of the monotonic clock.

        Raises:
            RouterDown: for anything that is not a time for each of them.
        """
        try:
            reply = self._ask(target, origins, max(until - time.monotonic(), 0.001))
            if reply.status == 400 and self._is_off_road(http.read_json(reply.body)):
                return [None] * len(origins)
            if reply.status != 200:
                raise RouterDown(f"路径服务答复 HTTP {reply.status}")
            found = self._read(http.read_json(reply.body))
        except http.NoReply as error:
            raise RouterDown("路径服务超时" if error.is_slow else "路径服务连接不上") from error
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise RouterDown("路径服务答复的不是数据") from error
        if len(found) != len(origins) or not all(one is None or 0 <= one < math.inf for one in found):
            raise RouterDown("路径服务答复的不是数据")
        return found

    @abstractmethod
    def _ask(self, target: Wgs84Point, origins: Sequence[Wgs84Point], timeout_s: float) -> http.Reply:
        """Ask for the times."""

    @abstractmethod
    def _is_off_road(self, page: Any) -> bool:
        """Tell whether a refusal means that a place is on no road."""

    @abstractmethod
    def _read(self, page: Any) -> Seconds:
        """Return the times of an answer, None where there is no way."""

    def _eta(self, seconds: float) -> Eta:
        low_s, high_s = seconds, seconds * self._rules.slow
        return Eta(low_s, high_s, "service", f"约 {range_text(low_s, high_s)}, 按路径服务")


class Osrm(Router):
    """OSRM's table service, profile `driving`."""

    name = "osrm"

    def _ask(self, target: Wgs84Point, origins: Sequence[Wgs84Point], timeout_s: float) -> http.Reply:
        places = ";".join(f"{place.lon:.6f},{place.lat:.6f}" for place in [*origins, target])
        sources = ";".join(map(str, range(len(origins))))
        query = f"sources={sources}&destinations={len(origins)}&annotations=duration"
        return http.ask(f"{self._url}/table/v1/driving/{places}?{query}", timeout_s=timeout_s)

    def _is_off_road(self, page: Any) -> bool:
        return bool(page["code"] == "NoSegment")

    def _read(self, page: Any) -> Seconds:
        if page["code"] != "Ok":
            raise ValueError("not Ok")
        # It takes a place to the nearest road, however far that is: a graph of another city would answer too.
        is_near = [float(place["distance"]) <= self._rules.snap_m for place in page["sources"]]
        if float(page["destinations"][0]["distance"]) > self._rules.snap_m:
            is_near = [False] * len(is_near)
        rows = zip(page["durations"], is_near, strict=True)
        return [float(row[0]) if near and row[0] is not None else None for row, near in rows]


class Valhalla(Router):
    """Valhalla's time-distance matrix, costing `auto`."""

    name = "valhalla"
    # No suitable edges near location; no path could be found.
    _OFF_ROAD = frozenset({171, 441, 442})

    def _ask(self, target: Wgs84Point, origins: Sequence[Wgs84Point], timeout_s: float) -> http.Reply:
        places = [
            # Else it looks for a road as far away as 35 km.
            {"lon": place.lon, "lat": place.lat, "search_cutoff": self._rules.snap_m}
            for place in [*origins, target]
        ]
        told = {"sources": places[:-1], "targets": places[-1:], "costing": "auto"}
        headers = {"Content-Type": "application/json"}
        url = f"{self._url}/sources_to_targets"
        return http.ask(url, timeout_s=timeout_s, headers=headers, body=json.dumps(told).encode())

    def _is_off_road(self, page: Any) -> bool:
        return page["error_code"] in self._OFF_ROAD

    def _read(self, page: Any) -> Seconds:
        times = [row[0]["time"] for row in page["sources_to_targets"]]
        return [None if time is None else float(time) for time in times]


class AskedFirst:
    """A routing service, and who answers where it does not.

    Args:
        router: The service.
        otherwise: Who answers for a place that the service knows no way from, or for all where it is down.
    """

    def __init__(self, router: Router, otherwise: EtaProvider) -> None:
        self.name = router.name
        self._router, self._otherwise = router, otherwise

    def etas(self, target: Wgs84Point, origins: Sequence[Wgs84Point]) -> Sequence[Eta | None]:
        """Return the time from each origin to the target; see `EtaProvider`."""
        why = "路径服务没有结果"
        found: list[Eta | None]
        try:
            found = list(self._router.etas(target, origins))
        except RouterDown as error:
            found, why = [None] * len(origins), error.detail
        missing = [n for n, eta in enumerate(found) if eta is None]
        others = self._otherwise.etas(target, [origins[n] for n in missing])
        for n, eta in zip(missing, others, strict=True):
            found[n] = eta and replace(eta, note=f"{eta.note} ({why})")
        return found


_KINDS: dict[str, type[Router]] = {"osrm": Osrm, "valhalla": Valhalla}


def router_of(address: str, rules: RoadRules, clock: Callable[[], datetime]) -> Router:
    """Return the service behind an address such as `osrm+http://osrm.example:5000`."""
    kind, _, url = address.partition("+")
    return _KINDS[kind](url, rules, clock)
