"""The link of a caller: sent where the pages have an address, unguessable, good for one answer."""

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select

from dispatch.domain.callback import Answer, CallbackSettled
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.states import Status, Verb
from dispatch.services import board, callback_links
from dispatch.services.desk import Desk
from dispatch.storage.callbacks import CALLBACKS
from dispatch.storage.outbox import OUTBOX
from tests.support.cast import Cast, act, call, ticket_at

ADDRESS = "https://water.example"


def with_gateway(desk: Desk) -> None:
    desk.settings = replace(desk.settings, public_url=ADDRESS)
    desk.channels = ("console", "webhook", "webpush")


def links(desk: Desk) -> dict[str, str]:
    """Token of each link that was sent, by its recipient."""
    with desk.store.read() as tx:
        of_links = OUTBOX.c.text.contains("/answer/")
        rows = tx.conn.execute(select(OUTBOX.c.recipients, OUTBOX.c.text, OUTBOX.c.channel).where(of_links)).all()
        assert {row.channel for row in rows} <= {"webhook"}
        return {row.recipients[0]: row.text.rpartition("/answer/")[2] for row in rows}


def test_each_caller_gets_a_link_and_it_names_nobody(desk: Desk, cast: Cast, now: datetime) -> None:
    with_gateway(desk)
    number = ticket_at(desk, Status.WORKING, now)
    call(desk, cast.agent, now, attach_to=number, caller_phone="13000000002")
    call(desk, cast.agent, now, attach_to=number, caller_phone=None)
    act(desk, cast.crew_a, number, Verb.DONE, now)
    sent = links(desk)
    with desk.store.read() as tx:
        kept = tx.conn.execute(select(CALLBACKS.c.phone, CALLBACKS.c.token_sha256)).all()
        texts = tx.conn.execute(select(OUTBOX.c.text)).scalars().all()
    assert set(sent) == {f"sms:{row.phone}" for row in kept if row.phone}
    assert len(set(sent.values())) == 2
    assert all(len(token) >= 32 for token in sent.values())
    assert not set(sent.values()) & {row.token_sha256 for row in kept}
    assert not any("1300000000" in text for text in texts)
    one, two = sent.values()
    assert callback_links.look(desk, one)["number"] == number
    told = callback_links.answer(desk, one, Answer(is_solved=True, is_satisfied=True), {}, now)
    assert (told["state"], told["can_answer"]) == ("answered_by_link", False)
    with pytest.raises(CallbackSettled, match="已自助答复"):
        callback_links.answer(desk, one, Answer(is_solved=True), {}, now)
    assert callback_links.look(desk, two)["can_answer"]


def test_a_no_by_link_brings_somebody_again_and_the_dispatcher_hears(desk: Desk, cast: Cast, now: datetime) -> None:
    with_gateway(desk)
    number = ticket_at(desk, Status.DONE, now)
    (token,) = links(desk).values()
    with pytest.raises(InvalidInput):
        callback_links.answer(desk, token, Answer(is_solved=False), {}, now)
    callback_links.answer(desk, token, Answer(is_solved=False, reason="not_fixed"), {}, now)
    after = board.ticket(desk, cast.agent, number, now)
    assert (after["status"], after["round"]) == ("dispatched", 2)
    assert [one["settled_by"] for one in after["callbacks"]] == ["公众网页 (接口)"]


def test_a_link_that_is_none(desk: Desk, now: datetime) -> None:
    for token in ("", "x", "\ud800"):
        with pytest.raises(NotFound):
            callback_links.look(desk, token)
        with pytest.raises(NotFound):
            callback_links.answer(desk, token, Answer(is_solved=True), {}, now)


def test_without_an_address_or_a_gateway_no_link_is_made(desk: Desk, now: datetime) -> None:
    """And none is printed on the console, where whoever reads the log could answer for the caller."""
    desk.channels = ("console", "webhook")
    ticket_at(desk, Status.DONE, now)
    with_gateway(desk)
    desk.channels = ("console", "webpush")
    ticket_at(desk, Status.DONE, now)
    with desk.store.read() as tx:
        assert set(tx.conn.execute(select(CALLBACKS.c.token_sha256)).scalars()) == {None}
    assert links(desk) == {}
