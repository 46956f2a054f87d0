"""Short messages by Tencent Cloud: SMS 2021-01-11, SendSms and PullSmsSendStatusByPhoneNumber, TC3-HMAC-SHA256.

Source: cloud.tencent.com, "签名方法 v3" (its example with fixed values is repeated by a test), API references of both
actions, list of error codes. SessionContext comes back in receipts only where Tencent has switched that on for the
account; and what has no receipt is not listed at all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from dispatch.notify.http import post
from dispatch.notify.port import MENDED_AFTER_S, DeliveryError, Unanswered
from dispatch.notify.sms import Accepted, Report, ShortMessage, State

URL = "https://sms.tencentcloudapi.com"
_VERSION, _REGION = "2021-01-11", "ap-guangzhou"
_TYPE = "application/json; charset=utf-8"
_PAGE = 100
_NEVER = frozenset(
    {
        "InvalidParameterValue.IncorrectPhoneNumber",
        "InvalidParameterValue.ContentLengthLimit",
        "InvalidParameterValue.TemplateParameterLengthLimit",
        "InvalidParameterValue.TemplateParameterFormatError",
        "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
        "FailedOperation.ContainSensitiveWord",
        "FailedOperation.PhoneNumberInBlacklist",
        "UnsupportedOperation.UnsupportedRegion",
    }
)
_SPANS = (
    ("LimitExceeded.PhoneNumberThirtySecondLimit", 30.0),
    ("LimitExceeded.PhoneNumberOneHourLimit", 3600.0),
    ("LimitExceeded.DeliveryFrequencyLimit", 60.0),
    ("LimitExceeded", 4 * 3600.0),  # what else there is counts by the day
    ("RequestLimitExceeded", 0.0),
)
_STATES = {"SUCCESS": State.DELIVERED, "FAIL": State.UNDELIVERED}


class Tencent:
    """The gateway; `lists_all`: no, only what has a receipt."""

    lists_all = False

    def __init__(self, key_id: str, secret: str, app: str, sign: str, url: str = URL) -> None:
        self._key_id, self._secret, self._app, self._sign = key_id, secret, app, sign
        self._url = url.rstrip("/")

    def send(self, message: ShortMessage, now: datetime) -> Accepted:
        """Send one.

        Raises:
            DeliveryError: if it was refused or throttled.
            Unanswered: if nobody knows.
        """
        told = self._ask("SendSms", {
            "PhoneNumberSet": [f"+86{message.phone}"],
            "SmsSdkAppId": self._app,
            "SignName": self._sign,
            "TemplateId": message.template,
            "TemplateParamSet": [value for _, value in message.params],
            "SessionContext": message.key,
        }, now)  # fmt: skip
        (status,) = told["SendStatusSet"]
        if status["Code"] != "Ok":
            raise _fault(str(status["Code"]), str(status.get("Message", "")))
        return Accepted(str(status["SerialNo"]), int(status["Fee"]))

    def look(self, phone: str, since: datetime, now: datetime) -> list[Report]:
        """Return the receipts of the messages to a telephone since then.

        Raises:
            DeliveryError: if they are not told.
            Unanswered: likewise.
        """
        told = self._ask("PullSmsSendStatusByPhoneNumber", {
            "BeginTime": int(since.timestamp()) - 60,
            "EndTime": int(now.timestamp()) + 60,
            "Offset": 0,
            "Limit": _PAGE,
            "PhoneNumber": f"+86{phone}",
            "SmsSdkAppId": self._app,
        }, now)  # fmt: skip
        return [_report(one) for one in told["PullSmsSendStatusSet"]]

    def _ask(self, action: str, params: Mapping[str, Any], now: datetime) -> Mapping[str, Any]:
        body = json.dumps(params, ensure_ascii=False).encode()
        timestamp = int(now.timestamp())
        host = urlsplit(self._url).netloc
        headers = {
            "Authorization": authorization(self._key_id, self._secret, host, body, timestamp),
            "Content-Type": _TYPE,
            "Host": host,
            "X-TC-Action": action,
            "X-TC-Timestamp": str(timestamp),
            "X-TC-Version": _VERSION,
            "X-TC-Region": _REGION,
        }
        answer = post(self._url + "/", body, headers)
        told: Mapping[str, Any] = answer.told.get("Response", {})
        if "Error" in told:
            raise _fault(str(told["Error"].get("Code", "")), str(told["Error"].get("Message", "")))
        if not told:
            raise Unanswered(f"HTTP {answer.status}")
        return told


def _report(told: Mapping[str, Any]) -> Report:
    """Return a record; a state that is none of the two is one that waits."""
    state = _STATES.get(str(told.get("ReportStatus")), State.ACCEPTED)
    return Report(
        str(told.get("SessionContext") or ""), str(told.get("SerialNo", "")), state, str(told.get("Description") or "")
    )


def _fault(code: str, words: str) -> DeliveryError | Unanswered:
    detail = f"{code}: {words}"
    if not code or code.startswith("InternalError"):
        return Unanswered(detail)
    if code in _NEVER:
        return DeliveryError(detail, is_permanent=True)
    after_s = next((span for start, span in _SPANS if code.startswith(start)), MENDED_AFTER_S)
    return DeliveryError(detail, is_permanent=False, after_s=after_s)


def authorization(key_id: str, secret: str, host: str, body: bytes, timestamp: int, service: str = "sms") -> str:
    """Return the value of Authorization for a POST of JSON to `/`; content type and host are signed.

    Args:
        key_id: SecretId.
        secret: SecretKey.
        host: As the Host header has it.
        body: As it is sent.
        timestamp: Seconds since 1970.
        service: The product, the first part of its public host.
    """
    lines = f"content-type:{_TYPE}\nhost:{host}\n"
    names = "content-type;host"
    canonical = "\n".join(("POST", "/", "", lines, names, hashlib.sha256(body).hexdigest()))
    day = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
    scope = f"{day}/{service}/tc3_request"
    to_sign = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"TC3{secret}".encode()
    for part in (day, service, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return f"TC3-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
