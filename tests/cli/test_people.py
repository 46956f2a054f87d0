"""People from the command line: links instead of passwords, tokens for programs, and a demo that says how to enter."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dispatch.cli import demo
from dispatch.cli.main import cli
from dispatch.domain.roles import Role
from dispatch.domain.settings import Settings
from dispatch.domain.signin import WrongCredentials
from dispatch.services import accounts, sessions, setup
from dispatch.services.accounts import LinkSpent
from tests.support.cast import password_of
from tests.support.store import open_desk

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
GOOD = "岳麓山 爱晚亭 枫叶"
LINK = re.compile(r"https://96533\.example/welcome/([\w-]{43})$", re.MULTILINE)


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(
        cli, list(arguments), obj=lambda: Settings(database_url=url, public_url="https://96533.example")
    )


def linked(result: Result) -> str:
    assert result.exit_code == 0, result.output
    (token,) = LINK.findall(result.output)
    return str(token)


def sign_in(url: str, login: str, password: str) -> str:
    return sessions.sign_in(open_desk(url), login=login, password=password, address="192.0.2.1", now=datetime.now(UTC))


def choose(url: str, token: str, **told: str) -> str:
    return accounts.choose_password(
        open_desk(url), token, password=GOOD, address="192.0.2.1", now=datetime.now(UTC), **told
    )


def test_an_installation_without_an_administrator_invites_one(empty_url: str) -> None:
    first = linked(run(empty_url, "init"))
    second = linked(run(empty_url, "init"))
    with pytest.raises(LinkSpent):
        choose(empty_url, first, login="root", name="李主任")
    choose(empty_url, second, login="root", name="李主任")
    assert "welcome" not in run(empty_url, "init").output
    assert sign_in(empty_url, "root", GOOD)


def test_a_new_user_gets_a_link(url: str) -> None:
    token = linked(run(url, "create-user", "wang", "--name", "王班长", "--role", "supervisor"))
    assert choose(url, token)
    assert sign_in(url, "wang", GOOD)


@pytest.mark.parametrize("more", [["--role", "integration"], ["--role", "agent", "--no-link"]])
def test_who_is_to_have_tokens_gets_none(url: str, more: list[str]) -> None:
    result = run(url, "create-user", "bot", "--name", "机器人", *more)
    assert result.exit_code == 0
    assert "welcome" not in result.output


def test_a_reset_signs_out_and_gives_a_new_link(url: str) -> None:
    session = sign_in(url, "agent", password_of("agent"))
    token = linked(run(url, "reset-password", "agent", "--drop-factors"))
    assert sessions.look(open_desk(url), session, datetime.now(UTC)) is None
    with pytest.raises(WrongCredentials):
        sign_in(url, "agent", password_of("agent"))
    assert choose(url, token)


def test_nobody_is_not_reset(url: str) -> None:
    result = run(url, "reset-password", "nobody")
    assert result.exit_code == 2
    assert "没有用户" in result.output


def test_a_token_is_printed_once(url: str) -> None:
    assert len(run(url, "create-token", "cti", "--days", "3").output.strip()) == 43


def test_the_demo_goes_with_all_that_lies_beside_it(tmp_path: Path, url: str) -> None:
    for suffix in ("", "-wal", "-shm", ".lock", ".alone", ".key"):
        (tmp_path / f"demo.db{suffix}").touch()
    demo.remove(tmp_path / "demo.db")
    assert not list(tmp_path.glob("demo.db*"))


def test_the_demos_people_can_enter(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = open_desk(url)
    monkeypatch.setattr(demo, "_CAST", {f"demo.{login}": what for login, what in demo._CAST.items()})
    people = demo.cast(desk, datetime.now(UTC))
    assert len({person.password for person in people.values()}) == len(people) >= 5
    for login, person in people.items():
        if person.actor.role is Role.INTEGRATION:
            assert setup.actor_of_token(desk, person.token, datetime.now(UTC)) == person.actor
        else:
            assert sign_in(url, login, person.password)
