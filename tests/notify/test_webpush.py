"""Web Push as the RFCs have it: the vector of RFC 8291, a browser that reads, a service that checks the signature."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.notify import webpush
from dispatch.notify.port import DeliveryError, Parcel
from dispatch.notify.webpush import Letter, Subscription, WebPush, encrypt
from tests.support.push_service import Phone, PushService, claims_of, push_service

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
KEY = webpush.make_key()
PARCEL = Parcel(7, ("crew:tianxin-03",), "新工单", "5:dispatch:1:webpush", NOW)
# RFC 8291, section 5 and appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
AS_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
UA_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
UA_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
    "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def test_the_example_of_the_rfc_comes_out_to_the_byte() -> None:
    to = Subscription("https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV", UA_PUBLIC, AUTH)
    made = encrypt(PLAIN, to, salt=webpush._bytes(SALT), key=webpush.private_key(AS_PRIVATE))
    assert webpush._text(made) == BODY
    assert Phone(webpush.private_key(UA_PRIVATE)).read(made, webpush._bytes(AUTH)) == PLAIN


@dataclass
class Book:
    """Who is to be told; keeps who was forgotten."""

    letter: Letter
    forgotten: list[str] = field(default_factory=list)

    def open(self, parcel: Parcel) -> Letter:
        return self.letter

    def forget(self, endpoint: str) -> None:
        self.forgotten.append(endpoint)


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as server:
        yield server


def book(service: PushService, phone: Phone, *paths: str, is_urgent: bool = True) -> Book:
    return Book(Letter([phone.at(service.origin + path) for path in paths], b'{"title":"96533"}', is_urgent))


def channel(book: Book) -> WebPush:
    return WebPush(KEY, "mailto:it@example.cn", book)


@pytest.mark.network
@pytest.mark.parametrize(("is_urgent", "urgency"), [(True, "high"), (False, "normal")])
def test_a_browser_reads_what_its_service_could_not(service: PushService, is_urgent: bool, urgency: str) -> None:
    phone = Phone()
    channel(book(service, phone, "/a", is_urgent=is_urgent)).send(PARCEL, NOW)
    ((path, headers, body),) = service.got
    assert (path, phone.read(body)) == ("/a", b'{"title":"96533"}')
    assert b"96533" not in body
    assert (headers["ttl"], headers["urgency"], headers["content-encoding"]) == ("14400", urgency, "aes128gcm")
    assert len(headers["topic"]) == 32
    claims = claims_of(headers["authorization"], webpush.public_key(KEY))
    expires = NOW + timedelta(hours=12)
    assert claims == {"aud": service.origin, "exp": int(expires.timestamp()), "sub": "mailto:it@example.cn"}


@pytest.mark.network
def test_who_was_reached_is_not_told_again(service: PushService) -> None:
    service.answers = {"/b": [503, 429]}
    sender = channel(book(service, Phone(), "/a", "/b"))
    for status in (503, 429):
        with pytest.raises(DeliveryError, match=f"HTTP {status}") as caught:
            sender.send(PARCEL, NOW)
        assert not caught.value.is_permanent
    sender.send(PARCEL, NOW)
    assert [path for path, *_ in service.got] == ["/a", "/b", "/b", "/b"]
    assert len({headers["topic"] for _, headers, _ in service.got}) == 1
    assert sender._reached == {}


@pytest.mark.network
@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(service: PushService, status: int) -> None:
    service.answers = {"/a": [status]}
    told = book(service, Phone(), "/a", "/b")
    channel(told).send(PARCEL, NOW)
    assert told.forgotten == [f"{service.origin}/a"]


@pytest.mark.network
def test_what_no_other_try_will_mend_is_permanent_only_if_nobody_was_reached(service: PushService) -> None:
    service.answers = {"/a": [400, 403, 302]}
    for status in (400, 403, 302):
        with pytest.raises(DeliveryError, match=f"HTTP {status}") as caught:
            channel(book(service, Phone(), "/a")).send(PARCEL, NOW)
        assert caught.value.is_permanent
    service.answers = {"/a": [400]}
    channel(book(service, Phone(), "/a", "/b")).send(PARCEL, NOW)
    assert service.got[-1][0] == "/b"


@pytest.mark.network
def test_a_service_that_is_away_is_tried_again(service: PushService) -> None:
    gone = Book(Letter([Phone().at("http://127.0.0.1:9/x")], b"{}", False))
    with pytest.raises(DeliveryError) as caught:
        channel(gone).send(PARCEL, NOW)
    assert not caught.value.is_permanent


def test_keys_that_are_none_are_told_at_once_and_go_nowhere() -> None:
    broken = Book(Letter([Subscription("https://push.example.net/x", "AAAA", AUTH)], b"{}", False))
    with pytest.raises(DeliveryError) as caught:
        channel(broken).send(PARCEL, NOW)
    assert caught.value.is_permanent
    for key in ("", "short", "ä" * 43, "A" * 43):
        with pytest.raises(ValueError):  # noqa: PT011
            WebPush(key, "mailto:it@example.cn", broken)


def test_nobody_to_tell_is_told() -> None:
    channel(Book(Letter([], b"{}", False))).send(PARCEL, NOW)


@pytest.mark.network
def test_a_slow_service_does_not_outlive_the_lease(service: PushService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webpush, "_BUDGET_S", -1.0)
    monkeypatch.setattr(webpush, "_MOST_KNOWN", 0)
    sender = channel(book(service, Phone(), "/a"))
    with pytest.raises(DeliveryError, match="too slow"):
        sender.send(PARCEL, NOW)
    assert service.got == []
    assert sender._reached == {}
