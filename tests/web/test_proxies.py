"""Whose address counts: the visitor's behind a proxy of ours, and never what a visitor says of himself."""

from __future__ import annotations

import pytest
from flask import Response, request

from tests.web.conftest import desk_of, open_app

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
TOLD = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("proxies", "seen"), [(0, ("127.0.0.1", "http")), (1, ("198.51.100.7", "https"))], ids=["none", "one"]
)
def test_a_proxy_is_believed_where_the_installation_has_one(url: str, proxies: int, seen: tuple[str, str]) -> None:
    app = open_app(url, proxies=proxies)
    found = []

    @app.after_request
    def look(answer: Response) -> Response:
        found.append((request.remote_addr, request.scheme))
        return answer

    app.test_client().get("/healthz", headers=TOLD)
    assert found == [seen]
    desk_of(app).store.close()
