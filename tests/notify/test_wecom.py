"""WeCom: a robot that says no more than twenty lines a minute, an application whose token is renewed once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.notify import wecom
from dispatch.notify.port import DeliveryError, Parcel
from dispatch.notify.wecom import Application, Robot
from dispatch.services import delivery
from tests.support import wecom as stand_in
from tests.support.wecom import AGENT, CORP, LOST, SECRET, WeCom

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
PARCEL = Parcel(7, ("wecom:jia", "user:crew.a"), "GD20261124-000001 到场超时", "5:arrive:1:2:wecom:3", NOW)

pytestmark = pytest.mark.network


@dataclass
class Book:
    """Whom the robot mentions."""

    asked: list[tuple[str, ...]] = field(default_factory=list)

    def phones(self, recipients: tuple[str, ...]) -> list[str]:
        self.asked.append(recipients)
        return ["13000000002"]


@pytest.fixture
def server() -> Iterator[WeCom]:
    with stand_in.wecom() as running:
        yield running


def application(server: WeCom, secret: str = SECRET) -> Application:
    return Application(CORP, str(AGENT), secret, server.url)


# ---------------------------------------------------------------- robot


def test_a_group_reads_a_line_that_mentions_its_people(server: WeCom) -> None:
    book = Book()
    Robot(server.robot, book).send(replace(PARCEL, text="到场超时, 来电 13000000009"), NOW)
    assert server.shown == [
        {
            "msgtype": "text",
            "text": {"content": "到场超时, 来电 ***", "mentioned_mobile_list": ["13000000002"]},
        }
    ]
    assert book.asked == [PARCEL.recipients]


def test_more_than_2048_bytes_are_cut_between_two_characters(server: WeCom) -> None:
    Robot(server.robot, Book()).send(replace(PARCEL, text="字" * 1000), NOW)
    assert server.shown[0]["text"]["content"] == "字" * 682


def test_the_twenty_first_line_of_a_minute_is_not_even_asked(server: WeCom) -> None:
    robot = Robot(server.robot, Book())
    for n in range(20):
        robot.send(PARCEL, NOW + timedelta(seconds=n))
    with pytest.raises(DeliveryError) as caught:
        robot.send(PARCEL, NOW + timedelta(seconds=50))
    assert (caught.value.is_permanent, caught.value.after_s, len(server.shown)) == (False, 10.0, 20)
    robot.send(PARCEL, NOW + timedelta(seconds=60))
    assert len(server.shown) == 21


@pytest.mark.parametrize(("code", "after_s"), [(45009, 60.0), (-1, 0.0), (93000, 300.0)])
def test_a_robot_that_is_throttled_or_wrong_is_tried_later(server: WeCom, code: int, after_s: float) -> None:
    server.answers = [code]
    with pytest.raises(DeliveryError, match=f"errcode {code}") as caught:
        Robot(server.robot, Book()).send(PARCEL, NOW)
    assert (caught.value.is_permanent, caught.value.after_s) == (False, after_s)


def test_what_goes_wrong_tells_no_key(server: WeCom) -> None:
    with pytest.raises(DeliveryError) as caught:
        Robot("http://127.0.0.1:9/cgi-bin/webhook/send?key=secret-key", Book()).send(PARCEL, NOW)
    assert "secret-key" not in str(caught.value)
    assert caught.value.__cause__ is None or "secret-key" not in str(caught.value)


# ---------------------------------------------------------------- application


def test_one_person_reads_a_message_and_the_token_is_kept(server: WeCom) -> None:
    sender = application(server)
    for n in (7, 8):
        sender.send(replace(PARCEL, id=n), NOW)
    assert [one["text"]["content"] for one in server.shown] == [
        "GD20261124-000001 到场超时\n2026-11-24 10:00 #7",
        "GD20261124-000001 到场超时\n2026-11-24 10:00 #8",
    ]
    told = server.shown[0]
    assert (told["touser"], told["agentid"], told["msgtype"]) == ("jia", AGENT, "text")
    assert (told["enable_duplicate_check"], told["duplicate_check_interval"]) == (1, 14400)
    assert server.tokens == ["token-0"]
    sender.send(replace(PARCEL, id=9), NOW + timedelta(hours=2))
    assert server.tokens == ["token-0", "token-1"]


def test_a_lost_answer_is_tried_again_and_shown_once(server: WeCom) -> None:
    sender = application(server)
    server.answers = [LOST]
    with pytest.raises(DeliveryError) as caught:
        sender.send(PARCEL, NOW)
    assert not caught.value.is_permanent
    sender.send(PARCEL, NOW + timedelta(seconds=2))
    assert len(server.shown) == 1


@pytest.mark.parametrize("code", [42001, 40014])
def test_a_token_that_ended_is_renewed_once(server: WeCom, code: int) -> None:
    sender = application(server)
    sender.send(PARCEL, NOW)
    server.answers = [code]
    sender.send(replace(PARCEL, id=8), NOW)
    assert (len(server.tokens), len(server.shown)) == (2, 2)
    server.answers = [code, code]
    with pytest.raises(DeliveryError, match=f"errcode {code}") as caught:
        sender.send(replace(PARCEL, id=9), NOW)
    assert (caught.value.is_permanent, len(server.tokens)) == (False, 3)


def test_a_token_made_for_this_message_is_not_renewed(server: WeCom) -> None:
    server.answers = [42001]
    with pytest.raises(DeliveryError):
        application(server).send(PARCEL, NOW)
    assert server.tokens == ["token-0"]


def test_a_wrong_secret_can_be_mended(server: WeCom) -> None:
    with pytest.raises(DeliveryError, match="40001") as caught:
        application(server, "another").send(PARCEL, NOW)
    assert (caught.value.is_permanent, caught.value.after_s) == (False, 300.0)


def test_who_is_not_known_there_will_never_be_told(server: WeCom) -> None:
    server.answers = [81013]
    with pytest.raises(DeliveryError) as refused:
        application(server).send(PARCEL, NOW)
    server.unknown = "yi|jia"
    with pytest.raises(DeliveryError) as unseen:
        application(server).send(PARCEL, NOW)
    with pytest.raises(DeliveryError) as nobody:
        application(server).send(replace(PARCEL, recipients=("user:crew.a",)), NOW)
    assert all(one.value.is_permanent for one in (refused, unseen, nobody))


def test_three_requests_end_within_the_time_kept_for_a_send() -> None:
    limits = (wecom.TIMEOUT.connect_timeout, wecom.TIMEOUT.read_timeout)
    assert 3 * sum(limit for limit in limits if isinstance(limit, float)) < delivery._SLOWEST_SEND_S
