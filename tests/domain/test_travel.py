"""Speeds and detours are data: each with its basis, and refused where they make no sense."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from dispatch.domain import travel
from dispatch.domain.travel import InvalidTravel
from tests.support.roads import TRAVEL_FILE


def changed(section: str, **values: Any) -> dict[str, Any]:
    raw = tomllib.loads(TRAVEL_FILE.read_text(encoding="utf-8"))
    return {**raw, section: {**raw[section], **values}}


def test_what_is_shipped_can_be_used() -> None:
    found = travel.read(TRAVEL_FILE.read_bytes())
    assert found.speeds["residential"] < found.speeds["primary"] < found.speeds["motorway"]
    assert "footway" not in found.speeds
    assert found.roads.slow >= 1
    assert travel.parse(found.raw) == found


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({}, "speeds"),
        (changed("speeds") | {"roads": 3}, "roads"),
        (changed("roads", basis=" "), "roads.basis"),
        (changed("line", basis=7), "line.basis"),
        (changed("speeds", primary=0), "speeds.primary"),
        (changed("speeds", primary=True), "speeds.primary"),
        (changed("speeds", primary="fast"), "speeds.primary"),
        (changed("speeds", primary=float("nan")), "speeds.primary"),
        (changed("speeds") | {"speeds": {"basis": "无"}}, "speeds"),
        (changed("roads", slow=0.9), "roads.slow"),
        (changed("roads", snap_m=-1), "roads.snap_m"),
        (changed("roads", off_road_kmh=None), "roads.off_road_kmh"),
        (changed("line", detour_low=2.0), "line.detour_low"),
        (changed("line", slow_kmh=60), "line.slow_kmh"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(raw: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidTravel) as caught:
        travel.parse(raw)
    assert caught.value.field == field


@pytest.mark.parametrize("data", [b"\xff\xfe", b"[speeds", b"a = " + b"[" * 100_000])
def test_what_is_no_toml_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidTravel, match="TOML"):
        travel.read(data)
