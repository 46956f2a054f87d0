"""Notices in WeCom (企业微信): to a group by its robot, to one person by an application's message.

Source: developer.work.weixin.qq.com, 群机器人配置说明 (path 91770), 发送应用消息 (90236), 获取 access_token (91039),
全局错误码 (90313). The robot drops no repetition: after a lost answer a group may read a line twice. The application
does, by its content (`enable_duplicate_check`, four hours at most); so each message carries the moment and the number
of its notice, and two notices of the same words stay two.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote

import urllib3

from dispatch.domain.push import hide_phones
from dispatch.domain.times import shanghai_text
from dispatch.notify.http import post
from dispatch.notify.port import MENDED_AFTER_S, DeliveryError, Parcel, Unanswered

# A message may take three requests: the lease of delivery must outlive them.
TIMEOUT = urllib3.Timeout(connect=1.5, read=3.0)
_HEADERS = {"Content-Type": "application/json"}
_MOST_BYTES = 2048
_A_MINUTE, _MOST_A_MINUTE = timedelta(minutes=1), 20
_DUPLICATES_S = 4 * 3600
# A token is renewed before its end, so that none ends on the way.
_SPARE = timedelta(minutes=5)
_TOKEN_GONE = frozenset({40014, 42001, 41001})
_LATER = frozenset({-1, 6000, 45033})
_THROTTLED = frozenset({45009, 45047})
# The person, not the set-up: not known here, not in sight of the application, or nobody left to tell.
_NEVER = frozenset({40003, 40031, 60111, 81013, 82001, 46004})


class Mentions(Protocol):
    """Knows the telephones of the people that a notice names."""

    def phones(self, recipients: tuple[str, ...]) -> list[str]:
        """Return their mobile numbers."""


class Robot:
    """The robot of a group.

    Args:
        url: Its webhook address, with the key.
        book: By whom a notice mentions people.
    """

    def __init__(self, url: str, book: Mentions) -> None:
        self._url, self._book = url, book
        self._sent: deque[datetime] = deque(maxlen=_MOST_A_MINUTE)

    def send(self, parcel: Parcel, now: datetime) -> None:
        """Write to the group.

        Raises:
            DeliveryError: if it was refused, or is one too many for this minute.
        """
        if len(self._sent) == _MOST_A_MINUTE and now - self._sent[0] < _A_MINUTE:
            wait_s = (_A_MINUTE - (now - self._sent[0])).total_seconds()
            raise DeliveryError("每分钟 20 条已用完", is_permanent=False, after_s=wait_s)
        phones = self._book.phones(tuple(parcel.recipients))
        text = {"content": _cut(hide_phones(parcel.text)), "mentioned_mobile_list": phones}
        told = _ask(self._url, {"msgtype": "text", "text": text})
        self._sent.append(now)
        _check(told)


class Application:
    """An application of the company, which writes to single people.

    Args:
        corp: Id of the company.
        agent: AgentId.
        secret: Secret of the application.
        url: Address of the API.
    """

    def __init__(self, corp: str, agent: str, secret: str, url: str) -> None:
        self._corp, self._agent, self._secret, self._url = corp, int(agent), secret, url.rstrip("/")
        self._token: tuple[str, datetime] | None = None

    def send(self, parcel: Parcel, now: datetime) -> None:
        """Write to the person that the parcel names.

        Raises:
            DeliveryError: if it was refused; permanent where the person is the fault.
        """
        person = parcel.to("wecom")
        if not person:
            raise DeliveryError("没有企业微信账号", is_permanent=True)
        mark = f"\n{shanghai_text(parcel.created_at)} #{parcel.id}"
        message = {
            "touser": person,
            "msgtype": "text",
            "agentid": self._agent,
            "text": {"content": _cut(hide_phones(parcel.text), len(mark.encode())) + mark},
            "enable_duplicate_check": 1,
            "duplicate_check_interval": _DUPLICATES_S,
        }
        token, is_new = self._open_token(now)
        told = self._write(token, message)
        if told.get("errcode") in _TOKEN_GONE and not is_new:
            told = self._write(self._new_token(now), message)
        _check(told)
        if person in str(told.get("invaliduser", "")).split("|"):
            raise DeliveryError("企业微信账号无效或不在应用可见范围内", is_permanent=True)

    def _write(self, token: str, message: Mapping[str, Any]) -> Mapping[str, Any]:
        return _ask(f"{self._url}/cgi-bin/message/send?access_token={quote(token)}", message)

    def _open_token(self, now: datetime) -> tuple[str, bool]:
        """Return a token, and whether it was made for this message."""
        if self._token is not None and now < self._token[1]:
            return self._token[0], False
        return self._new_token(now), True

    def _new_token(self, now: datetime) -> str:
        query = f"corpid={quote(self._corp)}&corpsecret={quote(self._secret)}"
        told = _ask(f"{self._url}/cgi-bin/gettoken?{query}", None)
        _check(told)
        token, lives = str(told["access_token"]), timedelta(seconds=int(told["expires_in"]))
        self._token = (token, now + lives - _SPARE)
        return token


def _ask(url: str, told: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Ask, and take a lost answer as a fault to be tried again: the address is not told, it holds the key."""
    body = b"" if told is None else json.dumps(told, ensure_ascii=False).encode()
    try:
        return post(url, body, _HEADERS, TIMEOUT).told
    except Unanswered as error:
        raise DeliveryError(str(error), is_permanent=False) from None


def _check(told: Mapping[str, Any]) -> None:
    """Raise DeliveryError unless all is well."""
    code = told.get("errcode")
    if code == 0:
        return
    after_s = 60.0 if code in _THROTTLED else 0.0 if code in _LATER else MENDED_AFTER_S
    raise DeliveryError(f"errcode {code}", is_permanent=code in _NEVER, after_s=after_s)


def _cut(text: str, but: int = 0) -> str:
    """Return a text of at most 2,048 bytes, less what is to follow."""
    data = text.encode()
    return data[: _MOST_BYTES - but].decode(errors="ignore")
