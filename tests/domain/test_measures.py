"""What each measure counts, on stories made by hand."""

import pytest

from dispatch.domain.measures import DEFINITIONS, Measure, Story, Value, change, measure

GOOD = Story(visits=1, assignments=1, ringable=1, heard=1, judged=1, satisfied=1)
PASSED_ON = Story(visits=2, assignments=3, ringable=2, heard=1, judged=1)
CARRIED = Story(visits=1, assignments=2, is_carried=True)


def test_every_measure_has_words() -> None:
    assert list(DEFINITIONS) == list(Measure)


def test_each_is_an_amount_of_a_number() -> None:
    told = measure([GOOD, PASSED_ON, CARRIED])
    assert told == {
        Measure.FIRST_FIX: Value(2, 3),
        Measure.VISITS: Value(3, 3),
        Measure.HANDOVERS: Value(2, 3),
        Measure.CALLED_BACK: Value(2, 3),
        Measure.SATISFIED: Value(1, 2),
    }
    assert all(value.ratio is None for value in measure([]).values())


@pytest.mark.parametrize(
    ("story", "is_first"),
    [
        (Story(), True),
        (Story(visits=2), False),
        (Story(visits=1, rounds=2), False),
        (Story(visits=1, own_reworks=1), False),
        (Story(visits=1, is_temporary=True), False),
    ],
)
def test_fixed_at_the_first_visit(story: Story, is_first: bool) -> None:
    assert story.is_first_fix is is_first


def test_halved_is_minus_a_half() -> None:
    assert change(Value(4, 2), Value(2, 2)) == -0.5
    assert change(Value(0, 2), Value(2, 2)) is None
    assert change(Value(1, 2), Value(0, 0)) is None
    assert change(Value(0, 0), Value(1, 1)) is None
