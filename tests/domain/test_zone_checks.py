"""What zones do to each other and to trusted outlines: overlaps, exchanged axes, a doubtful datum."""

import pytest
import shapely
from shapely import box

from dispatch.domain import zone_checks
from dispatch.domain.place import Datum
from tests.domain.zone_files import DISTRICT, LEFT, REFERENCE, document, feature, read, refused, shift

# ---------------------------------------------------------------- overlaps


def test_overlaps_are_told_with_area_ids_and_place() -> None:
    overlapping = box(112.919, 28.0, 112.94, 28.1)
    (problem,) = refused(document(feature(LEFT, id="A"), feature(overlapping, id="B")))
    assert (problem["feature"], problem["id"]) == (1, "A")
    words, area = problem["reason"].split(" 重叠 ")
    assert words == "与 B (第 2 个要素)"
    assert float(area.removesuffix(" m²").replace(",", "")) == pytest.approx(98.26 * 11_083, rel=0.001)
    lon, lat = map(float, str(problem["place"]).split(","))
    assert 112.919 < lon < 112.92
    assert 28.0 < lat < 28.1


def test_a_loose_reader_is_only_warned() -> None:
    found = read(feature(LEFT, id="A"), feature(LEFT, id="B"), strict_topology=False)
    assert len(found.zones) == 2
    assert [(warning["feature"], warning["id"]) for warning in found.warnings] == [(1, "A")]


@pytest.mark.parametrize(("width", "is_told"), [(3e-8, True), (1e-14, False)])
def test_slivers_are_warnings_and_rounding_is_nothing(width: float, is_told: bool) -> None:
    (first, second) = (feature(LEFT, id="A"), feature(box(112.92 - width, 28.0, 112.94, 28.1), id="B"))
    assert len(read(first, second).warnings) == is_told


def test_a_thousand_overlaps_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_checks, "_MOST_OVERLAPS", 3)
    problems = refused(document(*(feature(LEFT, id=n) for n in range(9))))
    assert len(problems) == 3
    assert problems[-1]["reason"].endswith("重叠太多, 其余不再列出")


# ---------------------------------------------------------------- trusted outlines


@pytest.mark.parametrize("true", Datum)
@pytest.mark.parametrize("declared", Datum)
def test_a_wrong_datum_is_a_warning(true: Datum, declared: Datum) -> None:
    halves = [shapely.intersection(DISTRICT, box(x, 27.9, x + 0.1, 28.2)) for x in (112.9, 113.0)]
    shifted = [shapely.transform(half, lambda lonlats: shift(lonlats, true)) for half in halves]
    found = read(*(feature(half, id=n) for n, half in enumerate(shifted)), datum=declared, reference=REFERENCE)
    if true is declared:
        assert found.warnings == ()
    else:
        (warning,) = found.warnings
        assert warning["feature"] is None
        assert warning["reason"].startswith(f"坐标系可能不对: 按声明的 {declared} 外边界偏离行政区界约 ")
        assert f"按 {true} 只偏 " in warning["reason"]


def test_zones_with_borders_of_their_own_say_nothing_about_the_datum() -> None:
    assert read(feature(box(112.95, 28.04, 112.98, 28.06), id="A"), reference=REFERENCE).warnings == ()


def test_exchanged_axes_within_the_range_show_against_the_reference() -> None:
    new_york = {"Manhattan": box(-74.02, 40.70, -73.91, 40.88)}
    crossed, right = box(40.70, -74.0, 40.75, -73.95), box(-74.0, 40.70, -73.95, 40.75)
    (problem,) = refused(document(feature(right, id="A"), feature(crossed, id="B")), reference=new_york)
    assert (problem["feature"], problem["place"]) == (2, "40.725000,-73.975000")
    assert problem["reason"] == "疑似经纬度颠倒 (应为 经度, 纬度)"
