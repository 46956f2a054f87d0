"""Short messages against gateways that check signatures; a lost answer never makes a second message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatch.notify import sms_aliyun, sms_tencent
from dispatch.notify.port import DeliveryError, Parcel, Taken, Unanswered
from dispatch.notify.sms import GIVEN_UP_AFTER, SETTLED_AFTER, Sms, State, Wording
from dispatch.notify.sms_aliyun import Aliyun
from dispatch.notify.sms_tencent import Tencent
from tests.support import sms_gateways
from tests.support.sms_gateways import APP, GARBAGE, KEY_ID, LOST, LOST_UNTAKEN, SECRET, SIGN, Fault, Gateway

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
PHONE = "13000000001"
PARCEL = Parcel(
    7, (f"sms:{PHONE}", "user:crew.a"), "GD20261124-000001 到场超时, 来电 13000000009", "5:arrive:1:2:sms:3", NOW
)
WORDING = Wording(SIGN, "SMS_1", None, 35)
BOTH = ("aliyun", "tencent")


@pytest.fixture(params=BOTH)
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    with sms_gateways.gateway(request.param) as server:
        yield server


def channel(server: Gateway, secret: str = SECRET, url: str | None = None) -> Sms:
    url = url or server.url
    if server.name == "aliyun":
        return Sms(Aliyun(KEY_ID, secret, SIGN, url), WORDING)
    return Sms(Tencent(KEY_ID, secret, APP, SIGN, url), WORDING)


def in_doubt(since: datetime = NOW) -> Parcel:
    return replace(PARCEL, in_doubt_since=since)


# ---------------------------------------------------------------- signatures, by the examples of the vendors


def test_the_example_of_aliyun_comes_out() -> None:
    query = sms_aliyun.canonical_query(
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}
    )
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    expected = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    names = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
    assert sms_aliyun.authorization("YourAccessKeyId", "YourAccessKeySecret", query, headers) == (
        f"ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders={names},Signature={expected}"
    )
    assert sms_gateways.aliyun_signature("YourAccessKeySecret", f"/?{query}", headers, names, b"") == expected


def test_the_example_of_tencent_comes_out() -> None:
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    secret, host = "Gu5t9xGARNpq86cd98joQYCN3*******", "cvm.tencentcloudapi.com"
    expected = "2230eefd229f582d8b1b891af7107b91597240707d778ab3738f756258d7652c"
    made = sms_tencent.authorization("AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******", secret, host, body, 1551113065, "cvm")
    assert made == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3*******/2019-02-25/cvm/tc3_request, "
        f"SignedHeaders=content-type;host, Signature={expected}"
    )
    headers = {"content-type": "application/json; charset=utf-8", "host": host}
    assert sms_gateways.tencent_signature(secret, "cvm", "1551113065", "2019-02-25", headers, body) == expected


@pytest.mark.network
def test_a_wrong_secret_is_seen_and_can_be_mended(gateway: Gateway) -> None:
    with pytest.raises(DeliveryError, match="Signature") as caught:
        channel(gateway, secret="another").send(PARCEL, NOW)
    assert (caught.value.is_permanent, caught.value.after_s) == (False, 300.0)
    assert (gateway.refused, gateway.carried) == (["SendSms"], [])


# ---------------------------------------------------------------- sending


@pytest.mark.network
def test_a_message_is_taken_with_its_key_and_no_other_number(gateway: Gateway) -> None:
    taken = channel(gateway).send(PARCEL, NOW)
    (carried,) = gateway.carried
    assert carried.phone.removeprefix("+86") == PHONE
    assert carried.params == ["GD20261124-000001", "到场超时, 来电 ***"]
    assert carried.key == PARCEL.idempotency_key
    assert isinstance(taken, Taken)
    assert (taken.address, taken.parts) == (PHONE, 1)
    assert taken.reference in ("900001^0", "5000:1")


@pytest.mark.network
@pytest.mark.parametrize(
    ("fault", "is_permanent", "after_s"),
    [
        (Fault("isv.MOBILE_NUMBER_ILLEGAL"), True, 0),
        (Fault("isv.BLACK_KEY_CONTROL_LIMIT"), True, 0),
        (Fault("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1"), False, 60),
        (Fault("isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5"), False, 3600),
        (Fault("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:10"), False, 14400),
        (Fault("Throttling.User", "", 400), False, 0),
        (Fault("isv.DAY_LIMIT_CONTROL"), False, 3600),
        (Fault("isv.AMOUNT_NOT_ENOUGH"), False, 300),
        (Fault("InvalidAccessKeyId.NotFound", "", 404), False, 300),
    ],
)
def test_what_aliyun_refuses(fault: Fault, is_permanent: bool, after_s: float) -> None:
    check_refusal("aliyun", fault, is_permanent, after_s)


@pytest.mark.network
@pytest.mark.parametrize(
    ("fault", "is_permanent", "after_s"),
    [
        (Fault("InvalidParameterValue.IncorrectPhoneNumber"), True, 0),
        (Fault("FailedOperation.PhoneNumberInBlacklist"), True, 0),
        (Fault("LimitExceeded.PhoneNumberThirtySecondLimit"), False, 30),
        (Fault("LimitExceeded.PhoneNumberOneHourLimit"), False, 3600),
        (Fault("LimitExceeded.PhoneNumberDailyLimit"), False, 14400),
        (Fault("RequestLimitExceeded"), False, 0),
        (Fault("AuthFailure.SecretIdNotFound"), False, 300),
        (Fault("FailedOperation.InsufficientBalanceInSmsPackage"), False, 300),
    ],
)
def test_what_tencent_refuses(fault: Fault, is_permanent: bool, after_s: float) -> None:
    check_refusal("tencent", fault, is_permanent, after_s)


def check_refusal(name: str, fault: Fault, is_permanent: bool, after_s: float) -> None:
    with sms_gateways.gateway(name) as server:
        server.answers = [fault]
        with pytest.raises(DeliveryError, match=fault.code) as caught:
            channel(server).send(PARCEL, NOW)
        assert (caught.value.is_permanent, caught.value.after_s) == (is_permanent, after_s)
        assert server.carried == []


@pytest.mark.network
def test_a_gateway_that_is_away_has_surely_taken_nothing(gateway: Gateway) -> None:
    with pytest.raises(DeliveryError) as caught:
        channel(gateway, url="http://127.0.0.1:9").send(PARCEL, NOW)
    assert not caught.value.is_permanent


def test_without_a_number_or_a_template_nothing_is_asked() -> None:
    nowhere = Sms(Aliyun(KEY_ID, SECRET, SIGN, "http://127.0.0.1:9"), WORDING)
    for recipients in (("user:crew.a",), (f"sms:{PHONE}",)):
        with pytest.raises(DeliveryError) as caught:
            nowhere.send(replace(PARCEL, recipients=recipients), NOW)
        assert caught.value.is_permanent


@pytest.mark.network
def test_callers_have_a_template_of_their_own(gateway: Gateway) -> None:
    sender = channel(gateway)
    sender._wording = replace(WORDING, callers="SMS_2")
    sender.send(replace(PARCEL, recipients=(f"sms:{PHONE}",), text="坡子街已恢复供水\n谢谢" + "字" * 60), NOW)
    (text,) = gateway.carried[0].params
    assert (len(text), text[:10], text[-1]) == (35, "坡子街已恢复供水 谢", "…")


@pytest.mark.network
def test_the_link_of_an_escalation_is_in_its_template_and_its_code_in_a_variable(gateway: Gateway) -> None:
    text = "GD20261124-000001 到场时限已用 80%: 仍可挽回。应答: https://dispatch.example/m/a-Token_1"
    parcel = replace(PARCEL, text=text)
    sender = channel(gateway)
    sender.send(parcel, NOW)
    sender._wording = replace(WORDING, alerts="SMS_3")
    sender.send(replace(parcel, idempotency_key="other"), NOW)
    without, with_link = [one.params for one in gateway.carried]
    assert without == ["GD20261124-000001", "到场时限已用 80%: 仍可挽回"]
    assert with_link == [*without, "a-Token_1"]


# ---------------------------------------------------------------- lost answers


@pytest.mark.network
@pytest.mark.parametrize("answer", [LOST, GARBAGE, Fault("isp.SYSTEM_ERROR"), Fault("", "", 500)], ids=str)
def test_what_may_have_been_taken_by_aliyun_is_in_doubt(answer: str | Fault) -> None:
    check_doubt("aliyun", answer)


@pytest.mark.network
@pytest.mark.parametrize("answer", [LOST, GARBAGE, Fault("InternalError.Timeout"), Fault("InternalError")], ids=str)
def test_what_may_have_been_taken_by_tencent_is_in_doubt(answer: str | Fault) -> None:
    check_doubt("tencent", answer)


def check_doubt(name: str, answer: str | Fault) -> None:
    with sms_gateways.gateway(name) as server:
        server.answers = [answer]
        with pytest.raises(Unanswered):
            channel(server).send(PARCEL, NOW)


@pytest.mark.network
def test_a_lost_answer_is_asked_for_and_no_second_message_sent(gateway: Gateway) -> None:
    sender = channel(gateway)
    gateway.answers = [LOST]
    with pytest.raises(Unanswered):
        sender.send(PARCEL, NOW)
    (carried,) = gateway.carried
    carried.status = "arrived"
    taken = sender.send(in_doubt(), NOW + timedelta(seconds=20))
    assert taken.address == PHONE
    assert len(gateway.carried) == 1
    assert gateway.asked[0] == "SendSms"
    assert "SendSms" not in gateway.asked[1:]


@pytest.mark.network
def test_as_long_as_the_gateway_does_not_tell_nothing_is_sent(gateway: Gateway) -> None:
    sender = channel(gateway)
    gateway.answers = [LOST_UNTAKEN, Fault("Throttling.User" if gateway.name == "aliyun" else "RequestLimitExceeded")]
    with pytest.raises(Unanswered):
        sender.send(PARCEL, NOW)
    for seconds in (20, 40):  # the first time it tells nothing, the second time nothing yet
        with pytest.raises(Unanswered):
            sender.send(in_doubt(), NOW + timedelta(seconds=seconds))
    assert gateway.asked.count("SendSms") == 1


@pytest.mark.network
def test_aliyun_lists_all_so_what_is_not_there_may_be_sent_again() -> None:
    with sms_gateways.gateway("aliyun") as server:
        sender = Sms(Aliyun(KEY_ID, SECRET, SIGN, server.url), WORDING)
        with pytest.raises(DeliveryError) as caught:
            sender.send(in_doubt(), NOW + SETTLED_AFTER)
        assert not caught.value.is_permanent
        assert "SendSms" not in server.asked


@pytest.mark.network
def test_tencent_lists_receipts_alone_so_what_is_not_there_is_given_up() -> None:
    with sms_gateways.gateway("tencent") as server:
        sender = Sms(Tencent(KEY_ID, SECRET, APP, SIGN, server.url), WORDING)
        with pytest.raises(Unanswered):
            sender.send(in_doubt(), NOW + SETTLED_AFTER)
        with pytest.raises(DeliveryError, match="没有重发") as caught:
            sender.send(in_doubt(), NOW + GIVEN_UP_AFTER)
        assert caught.value.is_permanent
        assert "SendSms" not in server.asked


# ---------------------------------------------------------------- receipts


@pytest.mark.network
@pytest.mark.parametrize(
    ("status", "state"), [("arrived", State.DELIVERED), ("failed", State.UNDELIVERED), ("waits", State.ACCEPTED)]
)
def test_receipts_tell_what_became_of_it(gateway: Gateway, status: str, state: State) -> None:
    sender = channel(gateway)
    sender.send(PARCEL, NOW)
    gateway.carried[0].status, gateway.carried[0].detail = status, "MK:0001"
    reports = sender.receipts(PHONE, NOW, NOW + timedelta(minutes=1))
    if status == "waits" and gateway.name == "tencent":
        assert reports == []
    else:
        assert [(one.key, one.state, one.detail) for one in reports] == [(PARCEL.idempotency_key, state, "MK:0001")]


@pytest.mark.network
def test_all_pages_of_both_days_are_read() -> None:
    with sms_gateways.gateway("aliyun") as server:
        sender = Sms(Aliyun(KEY_ID, SECRET, SIGN, server.url), WORDING)
        before = NOW - timedelta(days=1)
        server.carried = [sms_gateways.Carried(PHONE, [], f"k{n}", "20261124") for n in range(60)]
        server.carried.append(sms_gateways.Carried(PHONE, [], "yesterday", "20261123"))
        assert len(sender.receipts(PHONE, before, NOW)) == 61
        server.carried = [sms_gateways.Carried(PHONE, [], "k", "20261124") for _ in range(400)]
        with pytest.raises(Unanswered, match="too many"):
            sender.receipts(PHONE, NOW, NOW)


@pytest.mark.network
@pytest.mark.parametrize("receipts", [7, {"SmsSendDetailDTO": [[]]}, [3], [[]], "x"], ids=json.dumps)
def test_a_bad_receipt_is_no_receipt_and_breaks_nothing(gateway: Gateway, receipts: object) -> None:
    gateway.receipts = receipts
    with pytest.raises(Unanswered):
        channel(gateway).receipts(PHONE, NOW, NOW)
    with pytest.raises(Unanswered):
        channel(gateway).send(in_doubt(), NOW)
    assert "SendSms" not in gateway.asked


@pytest.mark.network
def test_a_receipt_of_another_message_or_an_unknown_state_is_not_ours(gateway: Gateway) -> None:
    odd = {"OutId": "else", "SendStatus": 9, "SessionContext": "else", "SerialNo": "1", "ReportStatus": "HM"}
    gateway.receipts = {"SmsSendDetailDTO": [odd]} if gateway.name == "aliyun" else [odd]
    assert [one.state for one in channel(gateway).receipts(PHONE, NOW, NOW)] == [State.ACCEPTED]
    with pytest.raises(Unanswered):
        channel(gateway).send(in_doubt(), NOW)
