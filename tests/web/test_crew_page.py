"""What makes the crew's page an application: manifest, icons, and a service worker that keeps every file of it."""

from __future__ import annotations

import json
import re
from io import BytesIO

import pytest
from apiflask import APIFlask
from PIL import Image

from scripts.make_icons import icon

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
IMPORTED = re.compile(r'from "(?:/static/(\w+)|\.)/(\w+\.js)"')


def test_the_worker_keeps_every_file_of_the_page(app: APIFlask) -> None:
    client = app.test_client()
    worker = client.get("/crew/sw.js")
    assert worker.mimetype == "text/javascript"
    assert worker.headers["Service-Worker-Allowed"] == "/crew"
    kept = json.loads(re.findall(r"const SHELL = (\[.*?\]);", worker.get_data(as_text=True))[0])
    assert "/crew" in kept
    needed = {
        "/static/common/base.css",
        "/static/crew/crew.css",
        "/static/common/icon.svg",
        "/static/crew/icon-192.png",
    }
    needed |= {"/crew/manifest.webmanifest"}
    seen, todo = set(), {"/static/crew/app.js"}
    while todo:
        path = todo.pop()
        seen.add(path)
        with client.get(path) as answer:
            imports = IMPORTED.findall(answer.get_data(as_text=True))
        todo |= {f"/static/{room or path.split('/')[2]}/{name}" for room, name in imports} - seen
    assert needed | seen <= set(kept)
    for path in kept[1:]:
        with client.get(path) as answer:
            assert answer.status_code == 200, path


def test_it_can_be_installed(app: APIFlask) -> None:
    client = app.test_client()
    for language, name in (("zh", "96533 水管家"), ("en", "96533 Crew")):
        client.set_cookie("language", language)
        manifest = client.get("/crew/manifest.webmanifest")
        assert manifest.mimetype == "application/manifest+json"
        told = json.loads(manifest.data)
        assert (told["name"], told["start_url"], told["scope"], told["display"]) == (
            name,
            "/crew",
            "/crew",
            "standalone",
        )
        for one in told["icons"]:
            with client.get(one["src"]) as answer:
                kept = Image.open(BytesIO(answer.data))
            assert f"{kept.width}x{kept.height}" == one["sizes"]


def test_the_icons_are_as_drawn(app: APIFlask) -> None:
    with app.test_client().get("/static/crew/icon-192.png") as answer:
        assert Image.open(BytesIO(answer.data)).tobytes() == icon(192).tobytes()
