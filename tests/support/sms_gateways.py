"""Gateways of short messages on this machine: Aliyun and Tencent Cloud as they answer, with signatures checked.

The signatures are computed here a second time, from the published steps alone, out of what came over the wire. The key
and its secret are nobody's.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

KEY_ID, SECRET = "AKIDexample", "not-a-secret"
APP, SIGN = "1400006666", "示例水务"


@dataclass
class Carried:
    """A message that the gateway took."""

    phone: str
    params: list[str]
    key: str
    day: str
    status: str = "waits"
    detail: str = ""
    is_listed: bool = True


@dataclass(frozen=True)
class Fault:
    """What it answers next in place of taking a message: a code with words, by a status."""

    code: str
    words: str = ""
    status: int = 200


LOST, LOST_UNTAKEN, GARBAGE = "lost", "lost-untaken", "garbage"


class Gateway(ThreadingHTTPServer):
    """Takes messages; `answers` says what happens next: a Fault, or an answer lost after the message was taken."""

    daemon_threads = True

    def __init__(self, name: str, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.carried: list[Carried] = []
        self.answers: list[Fault | str] = []
        self.receipts: object = None
        self.asked: list[str] = []
        self.refused: list[str] = []
        self.name = name

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def next_answer(self) -> Fault | str | None:
        return self.answers.pop(0) if self.answers else None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gateway

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.close_connection = True
        if not self.is_signed(body):
            self.server.refused.append(self.action)
            self.refuse(Fault("SignatureDoesNotMatch", "The signature does not match.", 400))
            return
        self.server.asked.append(self.action)
        answer = self.server.next_answer()
        if isinstance(answer, Fault):
            self.refuse(answer)
        elif answer == GARBAGE:
            self.say(200, b"<html>")
        else:
            if answer != LOST_UNTAKEN:
                told = self.handle_action(body)
            if answer is None:
                self.say(200, json.dumps(told, ensure_ascii=False).encode())

    @property
    def action(self) -> str:
        return self.headers["x-acs-action"] or self.headers["X-TC-Action"]

    def is_signed(self, body: bytes) -> bool:
        raise NotImplementedError

    def handle_action(self, body: bytes) -> dict[str, Any]:
        raise NotImplementedError

    def refuse(self, fault: Fault) -> None:
        raise NotImplementedError

    def say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def aliyun_signature(secret: str, path: str, headers: dict[str, str], names: str, body: bytes) -> str:
    """The signature of V3, from what came over the wire."""
    parts = urlsplit(path)
    pairs = sorted(parse_qsl(parts.query, keep_blank_values=True))
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
    request = ["POST", parts.path, query]
    request += [f"{name}:{headers[name].strip()}" for name in names.split(";")]
    request += ["", names, hashlib.sha256(body).hexdigest()]
    digest = hashlib.sha256("\n".join(request).encode()).hexdigest()
    return hmac.digest(secret.encode(), b"ACS3-HMAC-SHA256\n" + digest.encode(), "sha256").hex()


class _Aliyun(_Handler):
    def is_signed(self, body: bytes) -> bool:
        kind, _, rest = self.headers["Authorization"].partition(" ")
        told = dict(part.split("=", 1) for part in rest.split(","))
        headers = {name.lower(): value for name, value in self.headers.items()}
        must = {"host", *(name for name in headers if name.startswith("x-acs-"))}
        wanted = aliyun_signature(SECRET, self.path, headers, told["SignedHeaders"], body)
        return (
            (kind, told["Credential"]) == ("ACS3-HMAC-SHA256", KEY_ID)
            and must <= set(told["SignedHeaders"].split(";"))
            and headers["x-acs-content-sha256"] == hashlib.sha256(body).hexdigest()
            and hmac.compare_digest(told["Signature"], wanted)
        )

    def handle_action(self, body: bytes) -> dict[str, Any]:
        asked = dict(parse_qsl(urlsplit(self.path).query))
        common = {"Code": "OK", "Message": "OK", "RequestId": "819BE656-D2E0-4858-8B21-B2E477085AAF"}
        if self.action == "SendSms":
            assert asked["SignName"] == SIGN
            params = list(json.loads(asked["TemplateParam"]).values())
            day = self.headers["x-acs-date"][:10].replace("-", "")
            self.server.carried.append(Carried(asked["PhoneNumbers"], params, asked["OutId"], day))
            return common | {"BizId": f"{900_000 + len(self.server.carried)}^0"}
        if self.server.receipts is not None:
            return common | {"SmsSendDetailDTOs": self.server.receipts}
        found = [one for one in self.server.carried if one.is_listed and one.phone == asked["PhoneNumber"]]
        codes = {"waits": 1, "failed": 2, "arrived": 3}
        page, size = int(asked["CurrentPage"]), int(asked["PageSize"])
        details = [
            {"OutId": one.key, "SendStatus": codes[one.status], "ErrCode": one.detail, "PhoneNum": one.phone}
            for one in found
            if one.day == asked["SendDate"]
        ]
        shown = details[(page - 1) * size : page * size]
        return common | {"TotalCount": str(len(details)), "SmsSendDetailDTOs": {"SmsSendDetailDTO": shown}}

    def refuse(self, fault: Fault) -> None:
        self.say(fault.status, json.dumps({"Code": fault.code, "Message": fault.words, "RequestId": "1"}).encode())


def tencent_signature(secret: str, service: str, timestamp: str, day: str, headers: dict[str, str], body: bytes) -> str:
    """The signature of TC3 over content type and host, from what came over the wire."""
    lines = [f"content-type:{headers['content-type']}", f"host:{headers['host']}"]
    request = ["POST", "/", "", *lines, "", "content-type;host", hashlib.sha256(body).hexdigest()]
    scope = f"{day}/{service}/tc3_request"
    told = ["TC3-HMAC-SHA256", timestamp, scope, hashlib.sha256("\n".join(request).encode()).hexdigest()]
    of_day = hmac.digest(b"TC3" + secret.encode(), day.encode(), "sha256")
    signing = hmac.digest(hmac.digest(of_day, service.encode(), "sha256"), b"tc3_request", "sha256")
    return hmac.digest(signing, "\n".join(told).encode(), "sha256").hex()


class _Tencent(_Handler):
    def is_signed(self, body: bytes) -> bool:
        headers = {name.lower(): value for name, value in self.headers.items()}
        kind, _, rest = headers["authorization"].partition(" ")
        told = dict(part.strip().split("=", 1) for part in rest.split(","))
        key_id, day, service, _ = told["Credential"].split("/")
        wanted = tencent_signature(SECRET, "sms", headers["x-tc-timestamp"], day, headers, body)
        return (kind, key_id, service) == ("TC3-HMAC-SHA256", KEY_ID, "sms") and hmac.compare_digest(
            told["Signature"], wanted
        )

    def handle_action(self, body: bytes) -> dict[str, Any]:
        assert (self.headers["X-TC-Version"], self.headers["X-TC-Region"]) == ("2021-01-11", "ap-guangzhou")
        asked = json.loads(body)
        assert asked["SmsSdkAppId"] == APP
        if self.action == "SendSms":
            (phone,) = asked["PhoneNumberSet"]
            assert asked["SignName"] == SIGN
            self.server.carried.append(Carried(phone, asked["TemplateParamSet"], asked["SessionContext"], ""))
            return self.one("Ok", "send success", len(self.server.carried), phone)
        receipts = [
            {
                "UserReceiveTime": 1764554404, "CountryCode": "86", "SubscriberNumber": one.phone[3:],
                "PhoneNumber": one.phone, "SerialNo": f"5000:{n}", "Description": one.detail,
                "ReportStatus": {"arrived": "SUCCESS", "failed": "FAIL"}[one.status], "SessionContext": one.key,
            }
            for n, one in enumerate(self.server.carried, 1)
            if one.status != "waits" and one.phone == asked["PhoneNumber"]
        ]  # fmt: skip
        found = receipts if self.server.receipts is None else self.server.receipts
        return {"Response": {"PullSmsSendStatusSet": found, "RequestId": "1"}}

    def one(self, code: str, words: str, number: int, phone: str) -> dict[str, Any]:
        status = {
            "SerialNo": f"5000:{number}" if code == "Ok" else "",
            "PhoneNumber": phone,
            "Fee": int(code == "Ok"),
            "SessionContext": "",
            "Code": code,
            "Message": words,
            "IsoCode": "CN",
        }
        return {"Response": {"SendStatusSet": [status], "RequestId": "1"}}

    def refuse(self, fault: Fault) -> None:
        """What is wrong with a number stands in its status; what is wrong with the request, in Error."""
        if fault.code.startswith(("AuthFailure", "RequestLimitExceeded", "InternalError", "Signature")):
            told: dict[str, Any] = {"Error": {"Code": fault.code, "Message": fault.words}, "RequestId": "1"}
            self.say(200, json.dumps({"Response": told}).encode())
        else:
            self.say(200, json.dumps(self.one(fault.code, fault.words, 0, "")).encode())


@contextmanager
def gateway(name: str) -> Iterator[Gateway]:
    """Run one: `aliyun` or `tencent`."""
    with Gateway(name, _Aliyun if name == "aliyun" else _Tencent) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
