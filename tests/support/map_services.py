"""Stand-ins on this machine for AMap, Baidu, Tianditu and Nominatim: they check what they are asked as the real ones
do, speak their forms of answer and error, and misbehave on demand.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlsplit

from dispatch.domain.place import Wgs84Point, to_bd09, to_gcj02

KEY, SECRET = "k3y", "s3cret"
HTML = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
AMAP, BAIDU, TIANDITU, NOMINATIM = "/v3/geocode/geo", "/geocoding/v3/", "/geocoder", "/search"
# What a service may be told to do instead of answering, whatever it speaks.
FAULTY = ("html", "torn", "list", "deep", "huge", "hang", "drip", "busy", "shut", "empty", "nowhere")


@dataclass(frozen=True)
class Spot:
    """A place that the stand-ins know; its kind by the words of AMap, Baidu and Tianditu, and Nominatim's rank."""

    point: Wgs84Point
    district: str = "天心区"
    kinds: tuple[str, str, str] = ("门牌号", "门址", "门址")
    rank: int = 30
    city: str = "长沙市"


@dataclass(frozen=True)
class Page:
    """What goes back."""

    body: Any
    status: int = 200


Query = dict[str, str]


class MapServices(ThreadingHTTPServer):
    """All of them behind one port.

    Attributes:
        spots: What is known, by text.
        moods: What a path does instead of answering, the next request first; the last one stays.
        got: Path and query of each request.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spots: dict[str, list[Spot]] = {}
        self.moods: dict[str, list[str]] = {}
        self.got: list[tuple[str, Query]] = []
        self.let_go = threading.Event()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def mood(self, path: str) -> str:
        waiting = self.moods.get(path, [])
        return waiting.pop(0) if len(waiting) > 1 else (waiting or [""])[0]


def _amap(server: MapServices, query: Query, mood: str, _raw: str) -> Page:
    errors = {
        "bad-key": ("INVALID_USER_KEY", "10001"),
        "quota": ("USER_DAILY_QUERY_OVER_LIMIT", "10044"),
        "throttle": ("CUQPS_HAS_EXCEEDED_THE_LIMIT", "10021"),
        "no-right": ("SERVICE_NOT_AVAILABLE", "10002"),
        "odd": ("UNKNOWN_ERROR", "20003"),
        "no-address": ("ENGINE_RESPONSE_DATA_ERROR", "30001"),
    }
    signed = "&".join(f"{name}={value}" for name, value in sorted(query.items()) if name != "sig")
    if query.get("key") != KEY:
        mood = "bad-key"
    elif "sig" in query and query["sig"] != hashlib.md5(f"{signed}{SECRET}".encode()).hexdigest():
        errors["bad-sign"], mood = ("INVALID_USER_SIGNATURE", "10007"), "bad-sign"
    elif not query.get("address"):
        errors["missing"], mood = ("INVALID_PARAMS", "20000"), "missing"
    if mood in errors:
        info, code = errors[mood]
        return Page({"status": "0", "info": info, "infocode": code})
    found = []
    for spot in server.spots.get(query["address"], []):
        at = to_gcj02(spot.point)
        found.append({
            "formatted_address": f"湖南省{spot.city}{spot.district}{query['address'].removeprefix(spot.district)}",
            "country": "中国", "province": "湖南省", "citycode": "0731", "city": spot.city, "district": spot.district,
            "township": [], "neighborhood": {"name": [], "type": []}, "building": {"name": [], "type": []},
            "adcode": "430103", "street": [], "number": [], "location": f"{at.lon:.6f},{at.lat:.6f}",
            "level": spot.kinds[0],
        })  # fmt: skip
    return Page({"status": "1", "info": "OK", "infocode": "10000", "count": str(len(found)), "geocodes": found})


def _baidu(server: MapServices, query: Query, mood: str, raw: str) -> Page:
    errors = {
        "bad-key": (200, "APP不存在，AK有误请检查再重试"),
        "quota": (302, "天配额超限，限制访问"),
        "throttle": (401, "当前并发量已经超过约定并发配额，限制访问"),
        "no-right": (240, "APP 服务被禁用"),
        "odd": (1, "Internal Service Error"),
        "no-address": (1, "Internal Service Error:无相关结果"),
    }
    if query.get("ak") != KEY:
        mood = "bad-key"
    elif "sn" in query:
        told = raw[: raw.rindex("&sn=")]
        if query["sn"] != hashlib.md5(quote_plus(f"{BAIDU}?{told}{SECRET}").encode()).hexdigest():
            errors["bad-sign"], mood = (211, "APP SN校验失败"), "bad-sign"
    spots = server.spots.get(query.get("address", ""), [])
    if not mood and not spots:
        mood = "no-address"
    if mood in errors:
        status, words = errors[mood]
        return Page({"status": status, "msg": words} | ({"results": []} if status == 1 else {}))
    at = to_bd09(spots[0].point)
    location = {"lng": at.lon, "lat": at.lat}
    told_of = {"precise": 1, "confidence": 80, "comprehension": 100, "level": spots[0].kinds[1]}
    return Page({"status": 0, "result": {"location": location, **told_of}})


def _tianditu(server: MapServices, query: Query, mood: str, _raw: str) -> Page:
    if query.get("tk") != KEY or mood == "bad-key":
        return Page({"code": 301012, "msg": "非法Key", "resolve": "请到API控制台重新申请Key"})
    if mood == "no-right":
        return Page({"code": 301013, "msg": "权限类型错误", "resolve": "请在API控制台使用服务器端Key"}, 418)
    if mood == "quota":
        return Page({"code": 301021, "msg": "配额超限", "resolve": "请升级"})
    if mood == "throttle":
        return Page({"msg": "Too Many Requests"}, 429)
    if mood == "odd":
        return Page({"msg": "服务出错", "status": "404"})
    spots = server.spots.get(json.loads(query["ds"])["keyWord"].removeprefix("长沙市"), [])
    if mood == "no-address" or not spots:
        return Page({"msg": "结果为空", "status": "101", "searchVersion": "6.4.9V"})
    at = {"lon": f"{spots[0].point.lon:.6f}", "lat": f"{spots[0].point.lat:.6f}"}
    location = {"score": 90, "level": spots[0].kinds[2], "keyWord": json.loads(query["ds"])["keyWord"], **at}
    return Page({"msg": "ok", "location": location, "searchVersion": "6.4.9V", "status": "0"})


def _nominatim(server: MapServices, query: Query, mood: str, _raw: str) -> Page:
    if mood == "throttle":
        return Page(HTML, 429)
    if mood in ("no-right", "bad-key", "quota"):
        return Page(HTML, {"no-right": 403, "bad-key": 401, "quota": 402}[mood])
    if mood == "odd":
        return Page({"error": {"code": 400, "message": "Unknown parameter"}}, 400)
    if query.get("format") != "json" or "q" not in query:
        return Page({"error": {"code": 400, "message": "Nothing to search for."}}, 400)
    spots = server.spots.get(query["q"].removeprefix("长沙市"), [])
    return Page([
        {
            "place_id": 100 + n, "licence": "Data © OpenStreetMap contributors, ODbL 1.0", "osm_type": "way",
            "osm_id": 7, "lat": str(spot.point.lat), "lon": str(spot.point.lon), "class": "place", "type": "house",
            "place_rank": spot.rank, "importance": 0.1, "display_name": f"{query['q']}, {spot.district}, {spot.city}",
            "address": {"city_district": spot.district, "city": spot.city, "country_code": "cn"},
            "boundingbox": ["28.1", "28.2", "112.9", "113.0"],
        }
        for n, spot in enumerate(spots[: int(query["limit"])])
    ])  # fmt: skip


_SPEAKERS: dict[str, Callable[[MapServices, Query, str, str], Page]] = {
    AMAP: _amap,
    BAIDU: _baidu,
    TIANDITU: _tianditu,
    NOMINATIM: _nominatim,
}
# The right envelope around nonsense.
_NOWHERE: dict[str, Any] = {
    AMAP: {"status": "1", "infocode": "10000", "count": "1", "geocodes": [{"location": [], "level": []}]},
    BAIDU: {"status": 0, "result": {"location": {"lng": 999.0, "lat": "north"}, "confidence": 80}},
    TIANDITU: {"status": "0", "msg": "ok", "location": {"lon": "", "lat": "NaN", "score": 1, "level": "门址"}},
    NOMINATIM: [{"display_name": "x", "place_rank": 30}],
}


class _Handler(BaseHTTPRequestHandler):
    server: MapServices

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        self.server.got.append((parts.path, query))
        mood = self.server.mood(parts.path)
        if mood in FAULTY:
            self._misbehave(mood, parts.path)
            return
        page = _SPEAKERS[parts.path](self.server, query, mood, parts.query)
        self._send(page.body if isinstance(page.body, bytes) else json.dumps(page.body).encode(), page.status)

    def _misbehave(self, mood: str, path: str) -> None:
        if mood == "hang":
            self.server.let_go.wait(20)
        elif mood == "drip":
            self._drip()
        elif mood == "shut":
            self.close_connection = True
        else:
            bodies: dict[str, bytes] = {
                "html": HTML,
                "torn": b'{"status":"1","geoco',
                "list": b"[1, 2]" if path != NOMINATIM else b'{"a": 1}',
                "deep": b"[" * 100_000,
                "huge": b" " * 1_100_000 + b"[]",
                "busy": HTML,
                "empty": b"",
                "nowhere": json.dumps(_NOWHERE[path]).encode(),
            }
            self._send(bodies[mood], 502 if mood == "busy" else 200)

    def _drip(self) -> None:
        """Send a byte now and then, each well within any time-out of a single read."""
        try:
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"." * 400:
                self.wfile.write(bytes([byte]))
                if self.server.let_go.wait(0.05):
                    return
        except OSError:
            return  # the other side has had enough

    def _send(self, body: bytes, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def map_services() -> Iterator[MapServices]:
    """Run them."""
    with MapServices() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.let_go.set()
        server.shutdown()
        thread.join()
