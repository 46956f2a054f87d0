"""What a person was told: on his page, behind the link of each message, and answered from there or by SMS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain import alerting, phones
from dispatch.domain.contact import Way
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.times import shanghai_text
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.services.links import sha256_of
from dispatch.storage import digests, escalations, messages, tickets
from dispatch.storage.db import Tx


@dataclass(frozen=True, slots=True)
class Sms:
    """A text that came back from a telephone.

    Attributes:
        phone: From whom, in any form.
        text: What it says.
        at: When it was sent: only what had been told by then is answered, so that a repeated one does no harm.
    """

    phone: str
    text: str
    at: datetime


def mine(desk: Desk, actor: Actor, after: int, limit: int) -> dict[str, Any]:
    """Return what a person was told, newest first: `{items, next}`, each with why, the ways and what became of them.

    A step that went out with others in a surge says when, or that it still waits; the ways are those of its digest.
    """
    with desk.store.read() as tx:
        rows = messages.of_user(tx, actor.user_id, after, limit + 1)
        shown = rows[:limit]
        became = messages.deliveries(tx, [key for row in shown for key in _keys(row).values()])
        sent = messages.sent_at(tx, actor.user_id, {_key(row) for row in shown if row["digest"] is not None})
    items = [
        {**_form(row), "id": row["id"], "ways": _ways(row, became), "gathered": _gathered(row, sent)} for row in shown
    ]
    return {"items": items, "next": shown[-1]["id"] if len(rows) > limit else None}


def look(desk: Desk, token: str) -> dict[str, Any]:
    """Return what a link is about; no caller, no address.

    Raises:
        NotFound: if there is no such link.
    """
    with desk.store.read() as tx:
        return _form(_find(tx, token))


def answer(desk: Desk, token: str, now: datetime) -> dict[str, Any]:
    """Answer the step that a link is about, as the person it was sent to. The first answer stays.

    Raises:
        NotFound: if there is no such link.
    """
    with desk.store.write() as tx:
        _answer(tx, _find(tx, token), "短信链接", now)
        return _form(_find(tx, token))


def answer_by_sms(desk: Desk, actor: Actor, told: Sms, now: datetime) -> dict[str, Any]:
    """Answer the newest step that the owner of a telephone had been told of, or the one whose ticket he names.

    Raises:
        NotPermitted: for all but the gateway.
        InvalidInput: for a text that answers nothing, or what is no telephone.
        NotFound: if nobody with this telephone had been told of a step.
    """
    check_permitted(actor, Permission.CTI)
    phone, reply = phones.parse(told.phone).text, alerting.reply(told.text)
    if reply is None:
        raise InvalidInput("回复“1”应答最新一条, 或“1 工单号末几位”应答那一张", field="text")
    with desk.store.write() as tx:
        found = messages.newest_by_phone(tx, phone, reply.ending, told.at)
        if found is None:
            raise NotFound("这个号码没有待应答的通知", field="phone")
        _answer(tx, found, "短信回复", now)
        return {"number": found["number"], **_answered(messages.newest_by_phone(tx, phone, reply.ending, told.at))}


def _answer(tx: Tx, row: Mapping[str, Any], how: str, now: datetime) -> None:
    actor = messages.actor_of(row)
    # The ticket first, as everywhere.
    ticket = tickets.lock_id(tx, row["ticket_id"])
    if escalations.acknowledge(tx, row["escalation_id"], f"{actor.label} ({how})", now):
        text = f"{actor.label} 确认升级“{row['label']}” ({how}, {shanghai_text(now)})"
        tickets.note(tx, ticket, "acknowledge", text, actor, now, at=now)


def _find(tx: Tx, token: str) -> dict[str, Any]:
    row = messages.by_token(tx, sha256_of(token))
    if row is None or not row["is_active"]:
        raise NotFound("没有找到: 链接不完整, 请从短信中重新点开")
    return row


def _form(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("text", "why", "name", "number", "level", "category", "zone_id", "status", "escalation_id")
    return {**{name: row[name] for name in names}, "at": present.time(row["at"]), **_answered(row)}


def _answered(row: Mapping[str, Any] | None) -> dict[str, Any]:
    at, by = (row["acknowledged_at"], row["acknowledged_by"]) if row else (None, None)
    return {"acknowledged_at": present.time(at), "acknowledged_by": by}


def _key(row: Mapping[str, Any]) -> str:
    """Return the key of the notice that carried a message: its own, or that of its digest."""
    if row["digest"] is None:
        return str(row["key"])
    return digests.key(row["surge_id"], row["digest"], f"{digests.USER}{row['login']}")


def _gathered(row: Mapping[str, Any], sent: Mapping[str, datetime]) -> dict[str, Any] | None:
    return None if row["surge_id"] is None else {"at": present.time(sent.get(_key(row)))}


def _keys(row: Mapping[str, Any]) -> dict[Way, str]:
    """Return the keys under which a message goes out; see services/recipients.py."""
    return {way: f"{_key(row)}:{way}:{row['user_id']}" for way in Way}


def _ways(row: Mapping[str, Any], became: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = [became[key] for key in _keys(row).values() if key in became]
    return [{**one, "at": present.time(one["at"])} for one in found]
