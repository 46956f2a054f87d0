"""One caller's call-back: what may be said, when somebody is rung again, and who has whom."""

from datetime import UTC, datetime, timedelta

import pytest

from dispatch.domain.callback import (
    PAUSE,
    TRIES,
    Answer,
    CallbackSettled,
    CallbackTaken,
    CallbackTooSoon,
    State,
    after_try,
    check_answer,
    check_free,
    check_pause,
    check_waiting,
    reason_label,
    together,
)
from dispatch.domain.errors import InvalidInput

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "is_rework"),
    [
        (Answer(is_solved=True), False),
        (Answer(is_solved=True, is_satisfied=False, reason="mess", wants_rework=True), True),
        (Answer(is_solved=False, reason="not_fixed"), True),
        (Answer(is_solved=False, reason="other", note="邻居家的", wants_rework=False), False),
    ],
)
def test_somebody_comes_again_where_it_is_not_solved_or_is_asked_for(answer: Answer, is_rework: bool) -> None:
    check_answer(answer)
    assert answer.is_rework is is_rework


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (Answer(is_solved=False), "reason"),
        (Answer(is_solved=True, is_satisfied=False), "reason"),
        (Answer(is_solved=False, reason="whatever"), "reason"),
        (Answer(is_solved=False, reason="no_number"), "reason"),
        (Answer(is_solved=False, reason="other", note=" "), "note"),
        (Answer(is_solved=True, note="\x00"), "note"),
    ],
)
def test_a_no_says_why(answer: Answer, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_answer(answer)
    assert caught.value.field == field


def test_reason_and_note_in_words() -> None:
    assert Answer(is_solved=False, reason="came_back", note="半夜又漏").words == "修后又出现; 半夜又漏"
    assert (Answer(is_solved=True).words, reason_label("no_number")) == ("", "来电未留号码, 无法回访")


@pytest.mark.parametrize(
    ("state", "by", "at", "words"),
    [
        (State.VOID, None, None, "已作废"),
        (State.REACHED, "坐席小周 (坐席)", NOW, "已接通 (坐席小周 (坐席), 2026-11-24 10:00)"),
        (State.UNREACHED, None, None, "未接通 (系统)"),
    ],
)
def test_only_what_waits_can_be_settled(state: State, by: str | None, at: datetime | None, words: str) -> None:
    check_waiting(State.WAITING, None, None)
    with pytest.raises(CallbackSettled) as caught:
        check_waiting(state, by, at)
    assert words in caught.value.detail
    assert caught.value.extra == {"state": state.value}


def test_two_agents_do_not_ring_the_same_person() -> None:
    check_free(None, None, 2, NOW)
    check_free(2, NOW + PAUSE, 2, NOW)
    check_free(1, NOW, 2, NOW)
    with pytest.raises(CallbackTaken):
        check_free(1, NOW + timedelta(seconds=1), 2, NOW)


def test_between_two_tries_is_a_pause() -> None:
    check_pause(None, NOW)
    check_pause(NOW, NOW)
    with pytest.raises(CallbackTooSoon, match="10:30"):
        check_pause(NOW + PAUSE, NOW)


def test_after_so_many_tries_it_is_enough() -> None:
    assert [after_try(tries, TRIES) for tries in range(1, TRIES + 1)] == [State.WAITING, State.WAITING, State.UNREACHED]


def test_what_several_say_in_all() -> None:
    assert together([None, True, True]) is True
    assert together([None, True, False]) is False
    assert together([None]) is None
