"""E-mail against a server that speaks SMTP: what is encrypted, what is tried again, what is one message."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispatch.notify import email
from dispatch.notify.email import Email, Server
from dispatch.notify.port import DeliveryError, Parcel
from dispatch.services import delivery
from tests.support.mail import LOGIN, PASSWORD, MailServer, mail_server, make_certificate

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
TO = "jia@example.cn"
PARCEL = Parcel(
    7, (f"email:{TO}", "user:crew.a"), "GD20261124-000001 到场超时, 来电 13000000009", "5:arrive:email:3", NOW
)

pytestmark = pytest.mark.network


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("mail"))


@pytest.fixture
def server(certificate: Path) -> Iterator[MailServer]:
    with mail_server("starttls", certificate) as running:
        yield running


def channel(server: MailServer, certificate: Path, password: str = PASSWORD) -> Email:
    login = (LOGIN, password) if server.tls != "none" else (None, None)
    told = Server("127.0.0.1", server.port, server.tls, *login)
    return Email(told, "96533@example.cn", "https://96533.example.cn", ssl.create_default_context(cafile=certificate))


@pytest.mark.parametrize("tls", ["starttls", "tls", "none"])
def test_a_message_arrives_by_each_kind_of_encryption(tls: str, certificate: Path) -> None:
    with mail_server(tls, certificate) as server:
        channel(server, certificate).send(PARCEL, NOW)
        ((sender, to, message),) = server.taken
        assert server.was_encrypted == [tls != "none"]
    assert (sender, to) == ("96533@example.cn", [TO])
    assert (message["From"], message["To"]) == ("96533@example.cn", TO)
    assert message["Subject"] == "[96533] GD20261124-000001 到场超时, 来电 ***"
    assert message["Date"] == "Tue, 24 Nov 2026 10:00:00 +0800"
    assert message.get_content() == "GD20261124-000001 到场超时, 来电 ***\r\n\r\nhttps://96533.example.cn\r\n"
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_letter_brings_its_document(server: MailServer, certificate: Path) -> None:
    html = "<!doctype html>\n<p>按时率 97%</p>\n"
    letter = replace(PARCEL, text="96533 供水调度日报 2026-11-23\n\n来电 690\n", html=html)
    channel(server, certificate).send(letter, NOW)
    ((_, _, message),) = server.taken
    assert message["Subject"] == "[96533] 96533 供水调度日报 2026-11-23"
    body = message.get_body(("plain",))
    assert body is not None
    assert "来电 690" in body.get_content()
    (document,) = message.iter_attachments()
    assert (document.get_content_type(), document.get_filename()) == ("text/html", "96533 供水调度日报 2026-11-23.html")
    assert document.get_content().replace("\r\n", "\n") == html


def test_all_tries_are_one_message_by_their_id(server: MailServer, certificate: Path) -> None:
    sender = channel(server, certificate)
    server.answers = {"END": ""}
    with pytest.raises(DeliveryError) as caught:  # taken, and the answer lost
        sender.send(PARCEL, NOW)
    assert not caught.value.is_permanent
    sender.send(PARCEL, NOW)
    sender.send(replace(PARCEL, idempotency_key="another"), NOW)
    first, second, third = (message["Message-ID"] for _, _, message in server.taken)
    assert first == second != third
    assert first.endswith("@example.cn>")


@pytest.mark.parametrize(
    ("verb", "answer", "is_permanent"),
    [
        ("RCPT", "550 no such user", True),
        ("RCPT", "450 mailbox busy", False),
        ("MAIL", "553 not you", True),
        ("MAIL", "451 later", False),
        ("END", "554 rejected", True),
        ("END", "452 full", False),
        ("DATA", "421 closing", False),
        ("CONNECT", "554 go away", False),
        ("STARTTLS", "454 not now", False),
        ("AUTH", "535 no", False),
        ("EHLO", "", False),
    ],
)
def test_4yz_is_tried_again_and_5yz_about_a_message_is_not(
    server: MailServer, certificate: Path, verb: str, answer: str, is_permanent: bool
) -> None:
    server.answers = {verb: answer}
    with pytest.raises(DeliveryError) as caught:
        channel(server, certificate).send(PARCEL, NOW)
    assert caught.value.is_permanent is is_permanent
    assert server.taken == []


def test_a_wrong_password_can_be_mended_and_is_not_told(server: MailServer, certificate: Path) -> None:
    with pytest.raises(DeliveryError, match="535") as caught:
        channel(server, certificate, password="wrong-word").send(PARCEL, NOW)
    assert (caught.value.is_permanent, caught.value.after_s) == (False, 300.0)
    assert "wrong-word" not in str(caught.value)


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_a_certificate_of_nobody_gets_no_password(tls: str, certificate: Path) -> None:
    with mail_server(tls, certificate) as server:
        told = Server("127.0.0.1", server.port, tls, LOGIN, PASSWORD)
        with pytest.raises(DeliveryError) as caught:
            Email(told, "96533@example.cn", "https://x").send(PARCEL, NOW)
        assert not caught.value.is_permanent
        assert server.taken == []


def test_a_server_without_starttls_gets_no_message(certificate: Path) -> None:
    with mail_server("none", certificate) as server:
        with pytest.raises(DeliveryError):
            Email(Server("127.0.0.1", server.port, "starttls"), "a@b.cn", "https://x").send(PARCEL, NOW)
        assert server.taken == []


def test_nobody_answers_and_nobody_is_named(certificate: Path, server: MailServer) -> None:
    with pytest.raises(DeliveryError) as caught:
        Email(Server("127.0.0.1", 9, "none"), "a@b.cn", "https://x").send(PARCEL, NOW)
    assert not caught.value.is_permanent
    with pytest.raises(DeliveryError) as nobody:
        channel(server, certificate).send(replace(PARCEL, recipients=("user:crew.a",)), NOW)
    assert nobody.value.is_permanent


def test_a_conversation_ends_within_the_time_kept_for_a_send(
    server: MailServer, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert email._BUDGET_S < delivery._SLOWEST_SEND_S
    monkeypatch.setattr(email, "_BUDGET_S", 0.5)
    server.answers = {"MAIL": "250-slow"}  # a reply that never ends
    with pytest.raises(DeliveryError) as caught:
        channel(server, certificate).send(PARCEL, NOW)
    assert not caught.value.is_permanent
