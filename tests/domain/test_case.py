"""By what a house is known, and what a number looks like; the rest of a case's rules are walked by its service."""

import pytest

from dispatch.domain.case import BY_HAND, CASE_STATUS_LABELS, ENTRY_LABELS, CaseStatus, EntryKind, number_of, spot_of
from dispatch.domain.place import Wgs84Point

HERE = Wgs84Point(112.97001, 28.19002)


def test_everything_has_a_label() -> None:
    assert set(ENTRY_LABELS) == set(EntryKind)
    assert set(CASE_STATUS_LABELS) == set(CaseStatus)
    assert set(BY_HAND) < set(EntryKind)
    assert number_of(7) == "G-000007"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("天心区坡子街 12 号", "长沙市天心区坡子街12号3楼302室"),
        ("金色花园三栋2单元", "金色花园3幢501"),
    ],
)
def test_one_house_in_other_words(one: str, other: str) -> None:
    assert spot_of(one, None) == spot_of(other, HERE) != None  # noqa: E711


@pytest.mark.parametrize(
    ("one", "other"),
    [("坡子街 12 号", "坡子街 14 号"), ("金色花园3栋", "金色花园5栋"), ("金色花园一期3栋", "金色花园二期3栋")],
)
def test_two_houses(one: str, other: str) -> None:
    assert spot_of(one, None) != spot_of(other, None)


@pytest.mark.parametrize("text", ["", "坡子街", "金色花园", "家里"])
def test_what_names_no_house_is_known_by_its_pin(text: str) -> None:
    assert spot_of(text, None) is None
    assert spot_of(text, HERE) == "@28.1900,112.9700"
