"""Corrections come from the narrowest group of which enough is known."""

from dispatch.domain.calibration import LEAST, Correction, Corrections, Observed


def seen(
    ratio: float, count: int = LEAST, zone: str | None = "天心-03", hour: int = 8, branch: str | None = "城南"
) -> list[Observed]:
    return [Observed(zone, branch, hour, "line", ratio)] * count


def test_of_too_few_nothing_is_concluded() -> None:
    assert Corrections(seen(2.0, LEAST - 1)).of("line", "天心-03", "城南", 8) == Correction(1.0, 0)
    assert Corrections([]).of("line", None, None, 8) == Correction()


def test_the_grid_and_its_hour_go_before_the_branch_and_the_branch_before_all() -> None:
    known = Corrections([
        *seen(1.5),
        *seen(0.8, 20, zone="天心-04", hour=9),
        *seen(3.0, 30, zone="岳麓-01", branch="城西"),
    ])  # fmt: skip
    assert known.of("line", "天心-03", "城南", 8) == Correction(1.5, 8)
    assert known.of("line", "天心-03", "城南", 9) == Correction(0.8, 28)  # the branch: 20 of 0.8, 8 of 1.5
    assert known.of("line", "芙蓉-01", "城东", 8) == Correction(3.0, 58)  # all
    assert known.of("line", None, None, 8) == Correction(3.0, 58)
    assert known.of("road", "天心-03", "城南", 8) == Correction()


def test_what_lies_in_no_grid_counts_for_all_alone() -> None:
    known = Corrections(seen(1.2, zone=None, branch=None))
    assert known.of("line", "天心-03", "城南", 8) == Correction(1.2, 8)


def test_one_forgotten_button_moves_no_median_and_no_ratio_runs_away() -> None:
    assert Corrections([*seen(1.1, 8), *seen(40.0, 1)]).of("line", "天心-03", "城南", 8).factor == 1.1
    assert Corrections(seen(40.0)).of("line", "天心-03", "城南", 8).factor == 4.0
    assert Corrections(seen(0.01)).of("line", "天心-03", "城南", 8).factor == 0.25
