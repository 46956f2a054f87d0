"""Who is recommended, who is left out with which words, and when nobody can make it."""

from dataclasses import replace

import pytest

from dispatch.domain.recommend import Crew, Part, Recommendation, Standing, Travel, recommend

MINUTE = 60.0


def way(low: float, high: float, kind: str = "line", samples: int = 0) -> Travel:
    return Travel(low * MINUTE, high * MINUTE, kind, samples)


A = Crew(Part.RESPONSIBLE, "tianxin-03", "天心三班", "A角", MINUTE, 0, 2, way(8, 12))
B = replace(A, part=Part.BACKUP, name="B角", travel=way(4, 6))
NEAR = replace(A, part=Part.NEAREST, team_id="tianxin-04", team_name="天心四班", name="小李", travel=way(3, 5))
FAR = replace(NEAR, team_id="yuelu-01", team_name="岳麓一班", name="小王", travel=way(20, 30))


def names(found: Recommendation) -> list[str | None]:
    return [choice.crew.name for choice in found.recommended]


def doubts(crew: Crew, left: float | None = 30) -> list[str]:
    (choice,) = recommend([crew], left and left * MINUTE).choices
    return [exclusion.text for exclusion in choice.exclusions]


def test_the_responsible_comes_first_then_the_backup_then_the_nearest() -> None:
    assert names(recommend([FAR, NEAR, B, A], 30 * MINUTE)) == ["A角", "B角", "小李", "小王"]


def test_of_the_others_the_free_come_before_the_busy() -> None:
    assert names(recommend([replace(NEAR, in_hand=1), FAR], 30 * MINUTE)) == ["小王", "小李"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"position_age_s": 34 * MINUTE, "travel": None}, ["定位过期 34 分钟"]),
        ({"position_age_s": 61 * MINUTE, "travel": None}, ["下班或未开定位"]),
        ({"position_age_s": None, "travel": None}, ["下班或未开定位"]),
        ({"standing": Standing(False, 0.0)}, ["此时不当班"]),
        ({"standing": Standing(True, 11.0), "position_age_s": None, "travel": None}, ["当班, 未开定位"]),
        ({"standing": Standing(True, 11.0)}, []),
        ({"in_hand": 3, "on_shift": 1}, ["手上 3 单"]),
        ({"in_hand": 3, "on_shift": 2}, []),
        ({"in_hand": 3, "on_shift": 0}, ["手上 3 单"]),
        ({"travel": way(33, 43)}, ["预计 38 分到, 只剩 30 分"]),
        ({"travel": way(20, 40)}, []),
        ({"travel": None}, ["没有可走的路"]),
    ],
)
def test_who_is_left_out_is_told_why(changes: dict[str, object], words: list[str]) -> None:
    assert doubts(replace(A, **changes)) == words  # type: ignore[arg-type]


def test_without_a_promise_nobody_is_late() -> None:
    assert doubts(replace(A, travel=way(90, 120)), None) == []
    assert recommend([replace(A, travel=way(90, 120))], None).warning is None


def test_nobody_in_time_is_a_warning_before_the_dispatch() -> None:
    late = [replace(A, travel=way(40, 50)), replace(NEAR, travel=way(33, 43, "road"))]
    assert recommend(late, 30 * MINUTE).warning == (
        "预计无人能在 30 分钟内到场, 最快 小李 (天心四班) 约 33–43 分, 按路网"
    )
    assert recommend([*late, B], 30 * MINUTE).warning is None


def test_those_in_time_may_have_their_hands_full() -> None:
    busy = replace(A, in_hand=9)
    assert recommend([busy], 30 * MINUTE).warning == (
        "30 分钟内能到的都有任务在手, 最快 A角 (天心三班) 约 8–12 分, 直线估算"
    )


def test_where_nobody_is_known_nothing_is_claimed() -> None:
    assert recommend([], 30 * MINUTE).warning is None
    assert recommend([replace(A, position_age_s=None, travel=None)], 30 * MINUTE).warning is None


def test_a_breach_leaves_no_minutes() -> None:
    assert doubts(A, -2) == ["预计 10 分到, 只剩 0 分"]


def test_an_estimate_in_words() -> None:
    assert way(15, 25).text == "约 15–25 分, 直线估算"
    assert way(0.2, 0.2, "road").text == "约 1 分, 按路网"
    assert way(15, 25, samples=12).text == "约 15–25 分, 直线估算, 按 12 次实际到场校正"


def test_a_team_without_names_is_called_by_its_own() -> None:
    nameless = replace(A, name=None, travel=way(40, 50))
    assert "最快 天心三班 约" in str(recommend([nameless], 30 * MINUTE).warning)
