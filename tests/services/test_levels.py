"""Levels are data: a city may name them as it likes, and the first in its file is the most urgent, on any database."""

from datetime import datetime
from pathlib import Path

import pytest

from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import SYSTEM
from dispatch.services import board, setup
from dispatch.services.desk import Desk
from tests.support.cast import Cast, call

TOML = (Path(__file__).parents[2] / "data" / "policy.toml").read_bytes()
# jsonb sorts keys by their length, then by their letters: it would have P1 last and P5 first.
NAMES = ((b"P1", b"urgent"), (b"P2", b"soon"), (b"P3", b"visit"), (b"P5", b"a"), (b'"2026-11-01"', b'"own"'))


@pytest.fixture
def own_levels(desk: Desk, now: datetime) -> None:
    """A policy whose levels have other names."""
    toml = TOML
    for ours, theirs in NAMES:
        toml = toml.replace(ours, theirs)
    setup.load_policy(desk, SYSTEM, toml, now)


@pytest.mark.usefixtures("own_levels")
def test_the_most_urgent_answer_wins(desk: Desk, cast: Cast, now: datetime) -> None:
    answers = {"strength": "jet", "traffic_affected": False}
    ticket = call(desk, cast.agent, now, category="leak", answers=answers).body["ticket"]
    assert (ticket["level"], ticket["level_label"]) == ("urgent", "特急")
    assert call(desk, cast.agent, now, category="leak").body["ticket"]["level"] == "soon"


@pytest.mark.usefixtures("own_levels")
def test_a_level_that_promises_an_arrival_needs_a_place(desk: Desk, cast: Cast, now: datetime) -> None:
    with pytest.raises(InvalidInput) as caught:
        call(desk, cast.agent, now, category="repair", address="")
    assert caught.value.field == "location"
    assert call(desk, cast.agent, now, category="install", address="").body["ticket"]["level"] == "a"


@pytest.mark.usefixtures("own_levels")
def test_the_script_keeps_the_order_of_the_file(desk: Desk, now: datetime) -> None:
    ids = [item["id"] for item in board.categories(desk, now)["items"]]
    assert ids[:3] == ["burst", "hydrant", "cover"]
    assert ids[-1] == "inquiry"
