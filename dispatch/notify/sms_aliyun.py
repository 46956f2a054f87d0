"""Short messages by Aliyun: Dysmsapi 2017-05-25, SendSms and QuerySendDetails, signed by ACS3-HMAC-SHA256.

Source: help.aliyun.com, "V3版本请求体&签名机制" (its example with fixed values is repeated by a test), API references
of SendSms and QuerySendDetails, list of error codes of SMS.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from dispatch.domain.times import shanghai_day
from dispatch.notify.http import Answer, post
from dispatch.notify.port import MENDED_AFTER_S, DeliveryError, Unanswered
from dispatch.notify.sms import Accepted, Report, ShortMessage, State

URL = "https://dysmsapi.aliyuncs.com"
_VERSION = "2017-05-25"
_EMPTY = hashlib.sha256(b"").hexdigest()
_PAGE, _MOST_PAGES = 50, 6
# What no other try will mend: the number, or the words.
_NEVER = frozenset(
    f"isv.{code}"
    for code in (
        "MOBILE_NUMBER_ILLEGAL", "DOMESTIC_NUMBER_NOT_SUPPORTED", "PARAM_LENGTH_LIMIT", "PARAM_NOT_SUPPORT_URL",
        "BLACK_KEY_CONTROL_LIMIT", "SMS_CONTENT_ILLEGAL", "INVALID_JSON_PARAM", "TEMPLATE_PARAMS_ILLEGAL",
    )
)  # fmt: skip
# The message of isv.BUSINESS_LIMIT_CONTROL says by which span the number was throttled.
_SPANS = (("分钟级", 60.0), ("小时级", 3600.0), ("天级", 4 * 3600.0))
_LIMITS = ("isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL")
_STATES = {1: State.ACCEPTED, 2: State.UNDELIVERED, 3: State.DELIVERED}


class Aliyun:
    """The gateway; `lists_all`: QuerySendDetails tells of messages that wait for their receipt as well."""

    lists_all = True

    def __init__(self, key_id: str, secret: str, sign: str, url: str = URL) -> None:
        self._key_id, self._secret, self._sign, self._url = key_id, secret, sign, url.rstrip("/")

    def send(self, message: ShortMessage, now: datetime) -> Accepted:
        """Send one.

        Raises:
            DeliveryError: if it was refused or throttled.
            Unanswered: if nobody knows.
        """
        told = self._ask("SendSms", {
            "PhoneNumbers": message.phone,
            "SignName": self._sign,
            "TemplateCode": message.template,
            "TemplateParam": json.dumps(dict(message.params), ensure_ascii=False),
            "OutId": message.key,
        }, now)  # fmt: skip
        return Accepted(str(told["BizId"]))

    def look(self, phone: str, since: datetime, now: datetime) -> list[Report]:
        """Return what is known of the messages to a telephone since that day.

        Raises:
            DeliveryError: if it is not told.
            Unanswered: likewise, or if there is more than is read.
        """
        days = sorted({shanghai_day(since), shanghai_day(now)})
        return [report for day in days for report in self._of_day(phone, f"{day:%Y%m%d}", now)]

    def _of_day(self, phone: str, day: str, now: datetime) -> list[Report]:
        reports: list[Report] = []
        for page in range(1, _MOST_PAGES + 1):
            asked = {"PhoneNumber": phone, "SendDate": day, "PageSize": str(_PAGE), "CurrentPage": str(page)}
            told = self._ask("QuerySendDetails", asked, now)
            details = told["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
            reports += [_report(one) for one in details]
            if len(details) < _PAGE:
                return reports
        raise Unanswered("too many messages to one telephone")

    def _ask(self, action: str, params: Mapping[str, str], now: datetime) -> Mapping[str, Any]:
        query = canonical_query(params)
        headers = {
            "host": urlsplit(self._url).netloc,
            "x-acs-action": action,
            "x-acs-content-sha256": _EMPTY,
            "x-acs-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16),
            "x-acs-version": _VERSION,
        }
        headers["Authorization"] = authorization(self._key_id, self._secret, query, headers)
        answer = post(f"{self._url}/?{query}", b"", headers)
        if answer.told.get("Code") != "OK":
            raise _fault(answer)
        return answer.told


def _report(told: Mapping[str, Any]) -> Report:
    """Return a record; a state that is none of the three is one that waits."""
    state = _STATES.get(told.get("SendStatus", 0), State.ACCEPTED)
    return Report(str(told.get("OutId", "")), "", state, str(told.get("ErrCode") or ""))


def _fault(answer: Answer) -> DeliveryError | Unanswered:
    code, words = str(answer.told.get("Code", "")), str(answer.told.get("Message", ""))
    detail = f"{code or f'HTTP {answer.status}'}: {words}"
    if not code or code.startswith(("isp.", "InternalError", "ServiceUnavailable")):
        return Unanswered(detail)
    if code in _NEVER:
        return DeliveryError(detail, is_permanent=True)
    if code == "isv.BUSINESS_LIMIT_CONTROL":
        after_s = next((span for word, span in _SPANS if word in words), _SPANS[0][1])
        return DeliveryError(detail, is_permanent=False, after_s=after_s)
    if code.startswith("Throttling"):
        return DeliveryError(detail, is_permanent=False)
    # Signature, template, balance, daily limit: somebody has to mend it.
    return DeliveryError(detail, is_permanent=False, after_s=3600.0 if code in _LIMITS else MENDED_AFTER_S)


def canonical_query(params: Mapping[str, str]) -> str:
    """Return a query in the order and the encoding that are signed."""
    return "&".join(f"{quote(name, safe='')}={quote(params[name], safe='')}" for name in sorted(params))


def authorization(key_id: str, secret: str, query: str, headers: Mapping[str, str]) -> str:
    """Return the value of Authorization for a POST to `/` with an empty body.

    Args:
        key_id: AccessKeyId.
        secret: AccessKeySecret.
        query: As `canonical_query` makes it.
        headers: All of them are signed; names in lower case.
    """
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    canonical = "\n".join(("POST", "/", query, lines, names, headers["x-acs-content-sha256"]))
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={names},Signature={signature}"
