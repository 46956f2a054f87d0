"""Numbers of incidents, what is gathered into a proposal, and areas on the map."""

import pytest

from dispatch.domain import shape
from dispatch.domain.errors import InvalidInput
from dispatch.domain.incident import Heard, id_of, number_of
from dispatch.domain.incident import gathered as gather
from dispatch.domain.place import Wgs84Point

HERE = Wgs84Point(112.97, 28.19)


def gathered(heard: list[Heard], least: int, radius_m: float) -> list[list[Heard]]:
    """Of one category alone."""
    return gather(heard, least, radius_m, lambda one, other: one == other)


def near(ticket_id: int, east_m: float = 0, kind: str = "burst", calls: int = 1) -> Heard:
    return Heard(ticket_id, kind, Wgs84Point(HERE.lon + east_m / 98_200, HERE.lat), calls)


def test_numbers() -> None:
    assert (number_of(12), id_of("E000012")) == ("E000012", 12)
    assert id_of(number_of(1_234_567)) == 1_234_567
    assert [id_of(text) for text in ("", "12", "E12", "GD20261124-000001", "E00001x")] == [None] * 5


def test_what_is_close_and_of_one_kind_is_gathered() -> None:
    burst = [near(1), near(2, 100), near(3, 250)]
    assert gathered(burst, 3, 300) == [burst]
    assert gathered(burst, 4, 300) == []
    assert gathered([*burst[:2], near(3, 2_000)], 3, 300) == []
    assert gathered([*burst[:2], near(3, 0, "no_water")], 3, 300) == []
    assert gathered([], 3, 300) == []
    # Calls count, not tickets alone.
    assert gathered([near(1, calls=3)], 3, 300) == [[near(1, calls=3)]]


def test_no_ticket_is_in_two_groups() -> None:
    row = [near(n, n * 200.0) for n in range(6)]
    groups = gathered(row, 2, 250)
    taken = [one.ticket_id for group in groups for one in group]
    assert len(taken) == len(set(taken))
    assert max(len(group) for group in groups) == 3


def square(side_m: float) -> list[list[float]]:
    east, north = side_m / 98_200, side_m / 110_800
    return [
        [HERE.lon, HERE.lat],
        [HERE.lon + east, HERE.lat],
        [HERE.lon + east, HERE.lat + north],
        [HERE.lon, HERE.lat + north],
    ]


def test_a_drawn_area_has_its_size() -> None:
    drawn = shape.drawn(square(1_000))
    assert shape.area_km2(drawn) == pytest.approx(1, rel=0.01)
    told = shape.geojson(drawn)
    assert (told["type"], len(told["coordinates"][0])) == ("Polygon", 5)


@pytest.mark.parametrize(
    "ring",
    [
        [[112.9, 28.1], [112.9, 28.1], [112.9, 28.1]],
        [[112.9, 28.1], [113.0, 28.1], [112.95, 28.1]],
        [[112.9, 28.1], [113.0, 28.2], [113.0, 28.1], [112.9, 28.2]],
        [[181.0, 28.1], [113.0, 28.2], [113.0, 28.1]],
        [[float("nan"), 28.1], [113.0, 28.2], [113.0, 28.1]],
    ],
)
def test_what_is_no_area(ring: list[list[float]]) -> None:
    with pytest.raises(InvalidInput) as caught:
        shape.drawn(ring)
    assert caught.value.field == "ring"


def test_round_about_places_and_of_grids() -> None:
    found = shape.around([HERE], 100)
    assert shape.area_km2(found) == pytest.approx(0.0314, rel=0.02)
    row = shape.around([HERE, Wgs84Point(HERE.lon + 1_000 / 98_200, HERE.lat)], 100)
    assert shape.area_km2(row) == pytest.approx(0.231, rel=0.02)
    with pytest.raises(InvalidInput):
        shape.around([], 100)
    both = shape.together([shape.drawn(square(1_000)), shape.drawn(square(500))])
    assert shape.area_km2(both) == pytest.approx(1, rel=0.01)
