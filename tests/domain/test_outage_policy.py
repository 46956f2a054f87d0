"""Which calls a known outage explains is policy data; a version of before explains none."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from dispatch.domain.errors import InvalidPolicy
from dispatch.domain.policy_file import parse, read_toml

RAW = read_toml((Path(__file__).parents[2] / "data" / "policy.toml").read_bytes())


def test_no_water_and_pressure_are_explained() -> None:
    assert parse(RAW).outage_categories == {"no_water", "pressure"}
    assert parse({key: value for key, value in RAW.items() if key != "outage"}).outage_categories == frozenset()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"categories": ["no_water", "月球"]}, "outage.categories"),
        ({"categories": ["inquiry"]}, "outage.categories"),  # opens no ticket anyway
        ({"categories": "no_water"}, "outage.categories"),
        ({"basis": 1}, "outage.basis"),
    ],
)
def test_a_wrong_section_is_refused_with_its_place(changes: dict[str, Any], field: str) -> None:
    raw = deepcopy(RAW)
    raw["outage"].update(changes)
    with pytest.raises(InvalidPolicy) as caught:
        parse(raw)
    assert caught.value.field == field
