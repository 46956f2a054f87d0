"""A ladder that is answered: people on the roster, one after the other, each once, until somebody answers."""

import re
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from dispatch.domain.errors import InvalidInput, NotFound, NotPermitted
from dispatch.domain.states import Status, Verb
from dispatch.services import alerts, board, messages, recipients, supervision
from dispatch.services.desk import Desk
from dispatch.services.escalation import sweep
from dispatch.services.messages import Sms
from dispatch.storage import escalations, health
from dispatch.storage.escalations import ESCALATIONS
from dispatch.storage.messages import MESSAGES, USERS
from dispatch.storage.outbox import OUTBOX
from tests.support.cast import Cast, act, dispatched, ticket_at
from tests.support.night import PHONES, set_up
from tests.support.store import in_parallel, open_desk

MINUTE = timedelta(minutes=1)
# From 10:00 to 02:10 of the next day.
NIGHT = timedelta(hours=16, minutes=10)
LINK = re.compile(r"https://dispatch\.example/m/([\w-]+)")


@pytest.fixture
def night(desk: Desk, now: datetime) -> tuple[Desk, datetime]:
    """A desk that sends SMS with links, its roster, and the moment of the call."""
    settings = replace(desk.settings, sms_gateway="aliyun", public_url="https://dispatch.example")
    reachable = Desk(desk.store, settings)
    set_up(reachable, now)
    return reachable, now + NIGHT


def pass_time(desk: Desk, start: datetime, first: int, last: int) -> None:
    """Let a scheduler look once a minute, from one minute after the call to another."""
    for minute in range(first, last + 1):
        at = start + minute * MINUTE
        sweep(desk, at)
        alerts.chase(desk, lambda at=at: at)  # type: ignore[misc]


def told(desk: Desk, start: datetime) -> list[tuple[int, str]]:
    """(minute after the call, login) of each message, in their order."""
    with desk.store.read() as tx:
        query = select(MESSAGES.c.at, USERS.c.login).join(USERS, USERS.c.id == MESSAGES.c.user_id)
        rows = tx.conn.execute(query.order_by(MESSAGES.c.id)).all()
    return [(round((at - start) / MINUTE), login) for at, login in rows]


def sms(desk: Desk, now: datetime) -> list[tuple[str, str]]:
    """(address, text) of each SMS that is queued."""
    recipients.fan_out(desk, now)
    with desk.store.read() as tx:
        rows = tx.conn.execute(select(OUTBOX).where(OUTBOX.c.channel == "sms").order_by(OUTBOX.c.id)).mappings()
        return [(row["recipients"][0], row["text"]) for row in rows]


def token_of(desk: Desk, login: str, now: datetime) -> str:
    """The token of the last link that a person was sent."""
    texts = [text for address, text in sms(desk, now) if address == f"sms:{PHONES[login]}"]
    found = LINK.search(texts[-1])
    assert found
    return found[1]


def timeline(desk: Desk, cast: Cast, number: str, now: datetime, kind: str) -> list[str]:
    events = board.ticket(desk, cast.supervisor, number, now)["timeline"]
    return [event["text"] for event in events if event["kind"] == kind]


def test_a_burst_at_night_climbs_until_the_area_lead_answers_by_link(night: tuple[Desk, datetime], cast: Cast) -> None:
    desk, start = night
    number = dispatched(desk, start, category="burst")
    pass_time(desk, start, 1, 26)
    unaccepted = [(5, "crew.a"), (10, "a.night"), (15, "a.night"), (15, "lead.a")]
    assert told(desk, start) == [*unaccepted, (24, "a.night"), (24, "area")]
    at = start + 26 * MINUTE
    token = token_of(desk, "area", at)
    seen = messages.look(desk, token)
    assert (seen["number"], seen["name"], seen["acknowledged_at"]) == (number, "测试片区长", None)
    assert seen["why"] == "城南片区长: 全天 08:00-次日08:00, A角"
    answered = messages.answer(desk, token, at)
    assert answered["acknowledged_by"] == "测试片区长 (值班长) (短信链接)"
    assert messages.answer(desk, token, at + MINUTE) == answered
    # The step is answered: its next one is not told. What was promised goes on, and its own steps with it.
    pass_time(desk, start, 27, 29)
    assert len(told(desk, start)) == 6
    assert "确认升级“仍可挽回” (短信链接" in timeline(desk, cast, number, at, "acknowledge")[0]
    fired = timeline(desk, cast, number, at, "escalate")
    assert fired[0] == ("接单时限已用 100%: 接单超时, 通知B角和调度; 通知 水管家甲 (没有第二人当班, 由A角备岗)")
    assert fired[2].endswith("; 通知 测试夜班 (夜班 20:00-次日08:00, B角)、测试片区长 (全天 08:00-次日08:00, A角)")
    silent = "“接单时限已用 100%: 接单超时, 通知B角和调度”5 分钟内无人应答, "
    assert timeline(desk, cast, number, at, "alert") == [
        f"{silent}通知下一位: 测试夜班 (夜班 20:00-次日08:00, B角)",
        f"{silent}通知下一位: 班组长甲 (没有第二人当班, 由班组长备岗)",
        f"{silent}以后由下一级通知",
    ]
    act(desk, cast.dispatcher, number, Verb.CANCEL, at + 4 * MINUTE, reason="by_caller")
    pass_time(desk, start, 31, 90)
    assert len(told(desk, start)) == 6


def test_what_nobody_answers_climbs_to_the_company_leader(night: tuple[Desk, datetime], cast: Cast) -> None:
    desk, start = night
    number = dispatched(desk, start, category="burst")
    pass_time(desk, start, 1, 75)
    assert told(desk, start) == [
        (5, "crew.a"),  # nobody took it: B, and then the others of the team
        (10, "a.night"),
        (15, "a.night"), (15, "lead.a"),  # half of the time to arrive is over
        (24, "a.night"), (24, "area"),
        (29, "crew.a"),  # five minutes without an answer: who else of the team
        (30, "duty"),
        (45, "director"),
        (60, "chief"),
    ]  # fmt: skip
    assert timeline(desk, cast, number, start + 75 * MINUTE, "alert")[-1] == (
        "“到场时限已用 200%: 报公司值班领导”5 分钟内无人应答, 以后由下一级通知"
    )
    texts = sms(desk, start + 75 * MINUTE)
    assert len(texts) == len(set(texts)) == 9  # the foreman has no telephone
    with desk.store.read() as tx:
        assert set(health.orphans(tx).values()) == {0}


def test_a_reply_answers_the_newest_or_the_one_it_names(night: tuple[Desk, datetime], cast: Cast) -> None:
    desk, start = night
    first = dispatched(desk, start, category="burst")
    second = dispatched(desk, start + MINUTE, category="burst")
    pass_time(desk, start, 1, 26)
    at, phone = start + 26 * MINUTE, PHONES["area"]
    answer = Sms(f"+86 {phone}", f"1 {first[-6:]}", at)
    told_ = messages.answer_by_sms(desk, cast.integration, answer, at)
    assert (told_["number"], told_["acknowledged_by"]) == (first, "测试片区长 (值班长) (短信回复)")
    newest = messages.answer_by_sms(desk, cast.integration, Sms(phone, " 收到 ", at), at)
    assert newest["number"] == second
    again = messages.answer_by_sms(desk, cast.integration, Sms(phone, "收到", at), at + MINUTE)
    assert again == newest
    with pytest.raises(InvalidInput, match="回复“1”应答最新一条") as wrong:
        messages.answer_by_sms(desk, cast.integration, Sms(phone, "TD 退订", at), at)
    assert wrong.value.field == "text"
    for sender, when in ((phone, start), ("13000000999", at)):
        with pytest.raises(NotFound):
            messages.answer_by_sms(desk, cast.integration, Sms(sender, "1", when), at)
    with pytest.raises(NotPermitted):
        messages.answer_by_sms(desk, cast.agent, Sms(phone, "1", at), at)


def test_my_messages_tell_why_and_what_became_of_them(night: tuple[Desk, datetime], cast: Cast) -> None:
    desk, start = night
    number = dispatched(desk, start, category="burst")
    pass_time(desk, start, 1, 29)
    recipients.fan_out(desk, start + 29 * MINUTE)
    page = messages.mine(desk, cast.crew_a, 0, 1)
    newest = page["items"][0]
    assert (newest["text"], newest["why"]) == (
        f"{number} 到场时限已用 80%: 仍可挽回", "天心-03 班组: 没有第二人当班, 由A角备岗"
    )  # fmt: skip
    assert newest["ways"] == [{"way": "sms", "state": "queued", "at": None, "receipt": None}]
    older = messages.mine(desk, cast.crew_a, page["next"], 1)
    assert older["items"][0]["text"].startswith(f"{number} 接单时限已用 100%")
    assert older["next"] is None
    supervision.acknowledge(desk, cast.crew_a, newest["escalation_id"], start + 30 * MINUTE)
    assert messages.mine(desk, cast.crew_a, 0, 1)["items"][0]["acknowledged_by"] == "水管家甲 (水管家)"
    assert messages.mine(desk, cast.agent, 0, 50) == {"items": [], "next": None}


def test_a_hole_is_told_and_passed_over_at_once(desk: Desk, now: datetime, cast: Cast) -> None:
    """In the roster of the tests nobody of the posts above has an account, and the area lead works by day."""
    from tests.support.rosters import publish

    publish(desk, now)
    start = now + NIGHT
    number = dispatched(desk, start, category="burst")
    pass_time(desk, start, 1, 30)
    texts = timeline(desk, cast, number, start, "escalate")
    assert "测试夜班 (夜班 20:00-次日08:00, B角, 无账号)" in texts[1]
    assert "空缺 (城南片区长: 此时无人当班 (排班空缺))" in texts[2]
    assert told(desk, start) == [(5, "crew.a"), (10, "lead.a"), (24, "crew.a"), (29, "lead.a")]
    assert "没有人可通知, 通知下一位: 水管家甲" in timeline(desk, cast, number, start, "alert")[2]


def test_without_a_roster_audiences_are_told_and_nobody_is_asked(desk: Desk, now: datetime, cast: Cast) -> None:
    number = dispatched(desk, now, category="burst")
    pass_time(desk, now, 1, 40)
    assert told(desk, now) == []
    assert timeline(desk, cast, number, now, "escalate")[0] == "接单时限已用 100%: 接单超时, 通知B角和调度"
    with desk.store.read() as tx:
        assert set(tx.conn.execute(select(ESCALATIONS.c.ask_at)).scalars()) == {None}


def test_an_audience_that_is_not_on_the_roster_names_nobody(night: tuple[Desk, datetime], cast: Cast) -> None:
    desk, start = night
    number = ticket_at(desk, Status.DONE, start)
    sweep(desk, start + 24 * 60 * MINUTE)  # a call-back that nobody made: the dispatchers alone
    assert told(desk, start) == []
    assert timeline(desk, cast, number, start, "escalate") == ["回访时限已用 100%: 回访超时"]


def test_who_has_acted_is_not_asked_for(night: tuple[Desk, datetime], cast: Cast) -> None:
    desk, start = night
    number = dispatched(desk, start, category="burst")
    pass_time(desk, start, 1, 25)
    act(desk, cast.crew_a, number, Verb.ACCEPT, start + 25 * MINUTE)
    act(desk, cast.crew_a, number, Verb.DEPART, start + 25 * MINUTE)
    act(desk, cast.crew_a, number, Verb.ARRIVE, start + 26 * MINUTE)
    pass_time(desk, start, 27, 40)
    assert len(told(desk, start)) == 6


def test_many_schedulers_ask_each_once(night: tuple[Desk, datetime], url: str) -> None:
    desk, start = night
    for _ in range(5):
        dispatched(desk, start, category="burst")
    pass_time(desk, start, 1, 24)
    before = len(told(desk, start))
    others = [open_desk(url) for _ in range(4)]
    at = start + 29 * MINUTE
    done = in_parallel([lambda one=one: alerts.chase(one, lambda: at) for one in others])  # type: ignore[misc]
    assert sum(count for count in done if isinstance(count, int)) == 5, done
    assert told(desk, start)[before:] == [(29, "crew.a")] * 5
    for one in others:
        one.store.close()


def test_another_scheduler_may_be_faster(night: tuple[Desk, datetime], monkeypatch: pytest.MonkeyPatch) -> None:
    desk, start = night
    monkeypatch.setattr(escalations, "next_ask", lambda _tx: start)
    assert alerts.chase(desk, lambda: start) == 0


def test_a_step_that_waits_is_let_go_where_no_roster_holds_any_more(desk: Desk, now: datetime) -> None:
    number = dispatched(desk, now, category="burst")
    sweep(desk, now + 5 * MINUTE)
    with desk.store.write() as tx:
        tx.conn.execute(update(ESCALATIONS).values(ask_at=now, answer_s=300.0))
    assert alerts.chase(desk, lambda: now + 6 * MINUTE) == 1
    with desk.store.read() as tx:
        assert set(tx.conn.execute(select(ESCALATIONS.c.ask_at)).scalars()) == {None}, number
    assert told(desk, now) == []


def test_a_link_of_somebody_who_left_opens_nothing(night: tuple[Desk, datetime]) -> None:
    desk, start = night
    dispatched(desk, start, category="burst")
    pass_time(desk, start, 1, 24)
    token = token_of(desk, "area", start + 24 * MINUTE)
    with desk.store.write() as tx:
        tx.conn.execute(update(USERS).where(USERS.c.login == "area").values(is_active=False))
    for opened in (token, "x"):
        with pytest.raises(NotFound, match="链接不完整"):
            messages.look(desk, opened)
