"""Two who set up the same thing at the same moment: one does it, the other is told so in the domain's words."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

import pytest

from dispatch.domain.errors import InvalidPolicy
from dispatch.domain.roles import SYSTEM, Role
from dispatch.services import board, setup
from dispatch.services.desk import Desk
from tests.services.test_setup import audited, newer, roster
from tests.support.cast import TEAM_A, TEAM_B, Cast
from tests.support.store import in_parallel

ROUNDS = 8


def pair(desk: Desk, make: Callable[[Desk, int], object]) -> list[object]:
    """Both do the same through one desk, numbered 0 and 1."""
    return in_parallel([partial(make, desk, n) for n in range(2)])


def test_one_login_is_given_to_one_of_two(desk: Desk, cast: Cast, now: datetime) -> None:
    for n in range(ROUNDS):
        login = f"new.{n}"

        def create(desk: Desk, who: int, login: str = login) -> int:
            return setup.create_user(desk, SYSTEM, login=login, name=f"{who}", role=Role.AGENT, team_id=None, now=now)

        winner, error = sorted(pair(desk, create), key=lambda answer: not isinstance(answer, int))
        assert isinstance(winner, int)
        assert isinstance(error, setup.Conflict), error
        assert (error.field, error.status, error.detail) == ("login", 409, f"登录名“{login}”已被使用, 请换一个")
        assert audited(desk, cast, login) == ["create-user"]


@pytest.mark.parametrize("is_same", [True, False])
def test_one_policy_version_is_stored_once(desk: Desk, cast: Cast, now: datetime, is_same: bool) -> None:
    for n in range(ROUNDS):
        version = f"v{n}"

        def load(desk: Desk, who: int, version: str = version) -> str:
            data = newer(version, "2026-12-01" if is_same or who else "2026-12-02")
            return setup.load_policy(desk, SYSTEM, data, now).version

        answers = pair(desk, load)
        assert answers.count(version) == (2 if is_same else 1)
        assert is_same or any(isinstance(answer, InvalidPolicy) for answer in answers)
        assert audited(desk, cast, version) == ["load-policy"]


def test_rosters_in_opposite_order_do_not_block_each_other(desk: Desk, cast: Cast, now: datetime) -> None:
    teams = [{"id": team_id, "name": "同时"} for team_id in (TEAM_A, TEAM_B, *(f"x{n}" for n in range(50)))]
    for _ in range(ROUNDS):
        answers = pair(desk, lambda desk, who: setup.load_roster(desk, SYSTEM, roster(*teams[:: 1 - 2 * who]), now))
        assert answers == [len(teams)] * 2
    assert {team["name"] for team in board.teams(desk, cast.agent) if team["id"] in (TEAM_A, TEAM_B)} == {"同时"}


def test_one_user_gets_two_tokens(desk: Desk, cast: Cast, now: datetime) -> None:
    def make(desk: Desk, who: int) -> str:
        return setup.create_token(desk, SYSTEM, login="agent", label=f"{who}", expires_at=None, now=now)

    tokens = pair(desk, make)
    assert [setup.actor_of_token(desk, str(token), now) for token in tokens] == [cast.agent] * 2
