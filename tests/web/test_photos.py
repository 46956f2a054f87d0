"""Photos over HTTP: bytes in, bounded before they are read; pictures out, kept by no proxy."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import RawIOBase
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from dispatch.domain.photo import MAX_BYTES
from dispatch.domain.states import Status
from tests.support import pictures
from tests.support.cast import ticket_at
from tests.web.conftest import As, desk_of

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture
def number(app: APIFlask, now: datetime) -> str:
    return ticket_at(desk_of(app), Status.ON_SITE, now)


def send(as_: As, number: str, data: bytes, login: str = "crew.a", **query: Any) -> TestResponse:
    told = {"uuid": "p-1", "stage": "before"} | query
    path = f"/tickets/{number}/photos?" + "&".join(f"{name}={value}" for name, value in told.items())
    return as_(login).post(path, data=data, content_type="image/jpeg")


def test_a_photo_goes_in_and_comes_out(as_: As, number: str, now: datetime) -> None:
    taken_at = (now - timedelta(seconds=0)).strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = send(as_, number, pictures.telling_jpeg(3000, 2000), taken_at=taken_at)
    assert answer.status_code == 201
    photo = json.loads(answer.data)
    assert (photo["width"], photo["height"], photo["stage"]) == (1365, 2048, "before")
    assert json.loads(as_("agent").get(f"/tickets/{number}/photos").data) == {"items": [photo]}
    for url in (photo["url"], photo["thumbnail_url"]):
        picture = as_("dispatcher").get(url.removeprefix("/api/v1"))
        assert (picture.status_code, picture.content_type) == (200, "image/jpeg")
        assert picture.headers["Cache-Control"] == "private, max-age=86400, immutable"
        assert picture.data.startswith(b"\xff\xd8")
    assert as_("crew.b").get(photo["url"].removeprefix("/api/v1")).status_code == 404
    assert as_("crew.b").get(f"/tickets/{number}/photos").status_code == 404


@pytest.mark.parametrize(
    ("data", "query", "field"),
    [
        (b"", {}, "photo"),
        (b"{}", {}, "photo"),
        (pictures.huge_png(), {}, "photo"),
        (pictures.jpeg(), {"stage": "during"}, "stage"),
        (pictures.jpeg(), {"uuid": ""}, "uuid"),
        (pictures.jpeg(), {"taken_at": "yesterday"}, "taken_at"),
        (pictures.jpeg(), {"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_said_in_words(as_: As, number: str, data: bytes, query: dict[str, str], field: str) -> None:
    answer = send(as_, number, data, **query)
    assert answer.status_code == 422
    assert json.loads(answer.data)["field"] == field


class Endless(RawIOBase):
    """A body of 100 MB that is never held."""

    left = 100_000_000

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0  # the client looks how long it is

    def tell(self) -> int:
        return 0

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), self.left)
        self.left -= size
        return size


@pytest.mark.parametrize("length", [None, "100000000"])
def test_a_body_beyond_20_mb_is_not_read_to_its_end(as_: As, number: str, length: str | None) -> None:
    body = Endless()
    headers = {"CONTENT_LENGTH": length} if length else {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    answer = as_("crew.a").post(
        f"/tickets/{number}/photos?uuid=p-1&stage=before", input_stream=body, environ_overrides=headers
    )
    assert answer.status_code == 413
    assert "20000000" in json.loads(answer.data)["detail"]
    assert body.left >= 100_000_000 - MAX_BYTES - 100_000


def test_more_than_other_routes_take_is_taken(as_: As, number: str) -> None:
    large = pictures.jpeg() + b"\0" * 1_500_000
    assert send(as_, number, large).status_code == 201
    assert as_("agent").post("/calls", data=b" " * 1_500_000).status_code == 413
