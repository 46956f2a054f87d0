"""Stretches of a road in words, and the houses on them."""

from __future__ import annotations

import pytest

from dispatch.domain.road_segment import House, Segment, house_of, segment_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("坡子街 1-99 号", Segment("坡子街", 1, 99)),
        ("天心区坡子街1号至99号单号", Segment("坡子街", 1, 99, 1, "天心区")),
        ("坡子街 2～98 号 (双号)", Segment("坡子街", 2, 98, 0)),
        ("湘江中路二段 36 到 120 号", Segment("湘江中路二段", 36, 120)),
        ("坡子街 12-3 号", None),  # one house
        ("坡子街", None),
        ("1-99 号", None),
        ("岳麓公馆 1-3 栋", None),
        ("", None),
    ],
)
def test_a_stretch_is_told_by_its_first_and_last_house(text: str, expected: Segment | None) -> None:
    assert segment_of(text) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("天心区坡子街 12 号 3 栋", House("坡子街", 12, "天心区")),
        ("坡子街 12-3 号", House("坡子街", 12)),
        ("湘江中路二段36号附1", House("湘江中路二段", 36)),
        ("坡子街", None),
        ("坡子街 12 号对面", None),
        ("坡子街 12 号旁边的小店", None),
        ("岳麓公馆 3 栋", None),
        ("", None),
    ],
)
def test_a_house_is_told_by_road_and_number(address: str, expected: House | None) -> None:
    assert house_of(address) == expected


def test_which_houses_lie_on_it() -> None:
    odd = Segment("坡子街", 1, 99, 1, "天心区")
    assert [odd.has(House("坡子街", number)) for number in (1, 2, 99, 100, 101)] == [True, False, True, False, False]
    assert not odd.has(House("坡子横街", 1))
    assert [odd.has(House("坡子街", 1, district)) for district in ("天心区", "雨花区")] == [True, False]


def test_two_stretches_meet_where_they_may_share_a_house() -> None:
    whole = Segment("坡子街", 1, 99)
    assert whole.meets(Segment("坡子街", 99, 120, 1))
    assert not whole.meets(Segment("坡子街", 100, 120))
    assert not whole.meets(Segment("黄兴路", 1, 99))
    assert not Segment("坡子街", 1, 99, 1).meets(Segment("坡子街", 2, 98, 0))
