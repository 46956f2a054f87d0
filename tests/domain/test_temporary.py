"""Temporary fixes: what must be said, and by when the rest is due."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatch.domain.errors import InvalidInput, InvalidPolicy
from dispatch.domain.policy_file import parse, read_toml
from dispatch.domain.temporary import Temporary, due_at, kind_of

RAW = read_toml((Path(__file__).parents[2] / "data" / "policy.toml").read_bytes())
POLICY = parse(RAW)
NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
BYPASS = POLICY.temporary["frozen_meter_bypass"]
LATEST = NOW + timedelta(days=7)  # five working days over a weekend


def told(**changes: Any) -> Temporary:
    return Temporary(**{"kind": "clamp", "left": "换管段", **changes})


def test_the_shipped_kinds_lead_to_tickets_in_the_order_of_the_file() -> None:
    assert next(iter(POLICY.temporary)) == "frozen_meter_bypass"
    assert (BYPASS.category, BYPASS.level, str(BYPASS.within)) == ("repair", "P5", "5 wd")
    assert kind_of(told(), POLICY.temporary).label == "抱箍 (哈夫节) 临时止漏"


def test_a_policy_kept_before_has_none() -> None:
    old = {key: value for key, value in RAW.items() if key != "temporary"}
    assert parse(old).temporary == {}
    with pytest.raises(InvalidInput, match="没有临时处理"):
        kind_of(told(), {})


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"kind": "glue"}, "temporary_kind"), ({"left": "  "}, "left_to_do"), ({"left": "a\0"}, "left_to_do")],
)
def test_what_must_be_said(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        kind_of(told(**changes), POLICY.temporary)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("by", "due"),
    [
        (None, LATEST),
        (NOW + timedelta(days=2), NOW + timedelta(days=2)),
        (NOW + timedelta(days=30), LATEST),  # the policy has it sooner
        (NOW - timedelta(hours=1), LATEST),  # the phone was without signal for long
    ],
)
def test_by_when_the_rest_is_due(by: datetime | None, due: datetime) -> None:
    assert due_at(told(by=by), BYPASS, POLICY, NOW) == due


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"level": "P9"}, "temporary.x.level"),
        ({"category": "inquiry"}, "temporary.x.category"),
        ({"category": "moon"}, "temporary.x.category"),
        ({"within": "appointment"}, "temporary.x.within"),
        ({"within": "soon"}, "temporary.x.within"),
        ({"label": 1}, "temporary.x.label"),
    ],
)
def test_a_kind_that_cannot_be_is_refused_with_its_place(changes: dict[str, Any], field: str) -> None:
    kind = {"label": "x", "category": "repair", "level": "P5", "within": "5 wd", "basis": "x", **changes}
    with pytest.raises(InvalidPolicy) as refused:
        parse({**RAW, "temporary": {"x": kind}})
    assert refused.value.field == field
