"""Stand-ins on this machine for OSRM and Valhalla: they check what they are asked and speak their forms."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from dispatch.domain.place import Wgs84Point
from dispatch.geocode.geodesic import distance_m

# What they know: everything within so many metres of the middle of the sample city; 10 m/s along the line.
MIDDLE, REACH_M, SPEED = Wgs84Point(112.97, 28.19), 30_000.0, 10.0
BAD = {
    "html": (200, b"<html>502</html>"),
    "torn": (200, b'{"code":"Ok","durations":[[1'),
    "list": (200, b"[]"),
    "nonsense": (200, b'{"code":"Ok","durations":[["x"]],"sources":[],"sources_to_targets":[{}]}'),
    "negative": (200, None),
    "short": (200, None),
    "busy": (503, b'{"message": "Too Many Requests"}'),
    "page": (502, b"<html>502</html>"),
}


class RoutingServices(ThreadingHTTPServer):
    """Both of them behind one port; `mood` is what they do instead of answering."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mood = ""
        self.asked: list[int] = []
        self.let_go = threading.Event()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def _time(source: Wgs84Point, target: Wgs84Point) -> float | None:
    """Nothing leads to where latitude ends in .999."""
    return None if f"{source.lat:.3f}".endswith("999") else distance_m(source, target) / SPEED


class _Handler(BaseHTTPRequestHandler):
    server: RoutingServices

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        service, version, profile, coordinates = parts.path.strip("/").split("/")
        assert (service, version, profile) == ("table", "v1", "driving")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        places = [Wgs84Point(*map(float, pair.split(","))) for pair in coordinates.split(";")]
        sources = [places[int(n)] for n in query["sources"].split(";")]
        target = places[int(query["destinations"])]
        if self._is_away(len(sources)):
            return
        if len(places) > 100:
            self._send(400, {"code": "TooBig", "message": "Too many table coordinates"})
        elif self.server.mood == "off-road":
            self._send(400, {"code": "NoSegment", "message": "Could not find a matching segment for coordinate 0"})
        elif self.server.mood == "refuse":
            self._send(400, {"code": "InvalidQuery", "message": "Query string malformed close to position 12"})
        elif self.server.mood == "no-table":
            self._send(200, {"code": "NoTable", "message": "No table found"})
        else:
            times = [[_time(source, target)] for source in sources]
            near = [{"name": "", "location": [0, 0], "distance": self._snap(place)} for place in [*sources, target]]
            told = {"code": "Ok", "durations": times, "sources": near[:-1], "destinations": near[-1:]}
            self._send(200, self._spoilt(told, "durations", [-1.0]))

    def do_POST(self) -> None:
        assert self.path == "/sources_to_targets"
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert body["costing"] == "auto"
        (target,) = (Wgs84Point(one["lon"], one["lat"]) for one in body["targets"])
        sources = [Wgs84Point(one["lon"], one["lat"]) for one in body["sources"]]
        if self._is_away(len(sources)):
            return
        is_off = any(self._snap(place) > body["targets"][0]["search_cutoff"] for place in [*sources, target])
        if self.server.mood == "off-road" or is_off:
            error = {"error_code": 171, "error": "No suitable edges near location", "status_code": 400}
            self._send(400, {**error, "status": "Bad Request"})
        elif self.server.mood in ("refuse", "no-table"):
            error = {"error_code": 150, "error": "Exceeded max locations", "status_code": 400}
            self._send(400, {**error, "status": "Bad Request"})
        else:
            rows = [
                [{"from_index": n, "to_index": 0, "time": _time(source, target), "distance": 1.0}]
                for n, source in enumerate(sources)
            ]
            told = {"algorithm": "costmatrix", "units": "kilometers", "sources_to_targets": rows}
            self._send(200, self._spoilt(told, "sources_to_targets", [{"time": -1.0}]))

    def _snap(self, place: Wgs84Point) -> float:
        return max(0.0, distance_m(place, MIDDLE) - REACH_M)

    def _spoilt(self, told: dict[str, Any], rows: str, negative: list[Any]) -> dict[str, Any]:
        if self.server.mood == "short":
            told[rows] = told[rows][:-1]
        if self.server.mood == "negative":
            told[rows][0] = negative
        return told

    def _is_away(self, count: int) -> bool:
        self.server.asked.append(count)
        if self.server.mood == "hang":
            self.server.let_go.wait(20)
            return True
        status, body = BAD.get(self.server.mood, (0, None))
        if body is not None:
            self._send(status, body)
        return body is not None

    def _send(self, status: int, told: Any) -> None:
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def routing_services() -> Iterator[RoutingServices]:
    """Run them."""
    with RoutingServices() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.let_go.set()
        server.shutdown()
        thread.join()
