"""The link that a caller gets: one answer to one call-back, whoever asks for it has shown its token."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.domain.callback import REASONS, Answer, State, check_answer
from dispatch.domain.errors import NotFound
from dispatch.domain.roles import PUBLIC
from dispatch.services import calling_back
from dispatch.services.calling_back import Told
from dispatch.services.desk import Desk
from dispatch.services.links import sha256_of
from dispatch.storage import callbacks
from dispatch.storage.db import Tx


def look(desk: Desk, token: str) -> dict[str, Any]:
    """Return what a link asks about: `{number, can_answer, state, reasons}`; no person, no phone.

    Raises:
        NotFound: if there is no such link.
    """
    with desk.store.read() as tx:
        row = _find(tx, token)
    can_answer = row["state"] == State.WAITING
    return {"number": row["number"], "state": row["state"], "can_answer": can_answer, "reasons": REASONS}


def answer(desk: Desk, token: str, told: Answer, body: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Settle a call-back by its caller's own answer, once; a no brings somebody again as it does by telephone.

    Raises:
        NotFound: if there is no such link.
        InvalidInput: if the answer contradicts itself.
        CallbackSettled: if it was answered before, by link or by telephone.
    """
    check_answer(told)
    with desk.store.read() as tx:
        row = _find(tx, token)
    calling_back.write_down(desk, PUBLIC, [Told(row["id"], told)], State.ANSWERED_BY_LINK, body, now)
    return look(desk, token)


def _find(tx: Tx, token: str) -> dict[str, Any]:
    row = callbacks.by_token(tx, sha256_of(token))
    if row is None:
        raise NotFound("没有找到: 链接不完整, 请从短信中重新点开")
    return row
