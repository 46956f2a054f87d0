"""Cases: opened by one press, shown to whoever takes the next call, listed by what is due next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dispatch.domain.address_text import without_room
from dispatch.domain.call import check_phone, check_text, mask_phone
from dispatch.domain.case import (
    DEFAULT_RHYTHM_DAYS,
    GATHERED_WITHIN,
    CaseKind,
    CaseStatus,
    Change,
    EntryKind,
    check_days,
    next_due,
    number_of,
    spot_of,
)
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.place import Point, Wgs84Point, to_wgs84
from dispatch.domain.policy import Policy
from dispatch.domain.roles import PERMISSIONS, Actor, Permission, Role, check_permitted
from dispatch.domain.ticket import Ticket
from dispatch.services import case_log, case_shown, present, watching
from dispatch.services.desk import Desk
from dispatch.services.watching import Known, Sighted
from dispatch.storage import board, calls, cases, cti, replies, tickets, watched
from dispatch.storage.db import Tx

OWNERS = tuple(role for role in Role if Permission.CASEWORK in PERMISSIONS[role])
_PREFERRED = (Role.SUPERVISOR, Role.DISPATCHER, Role.ADMIN)
_NO_PHONE = "这个来电没有号码, 请按地址开个案"
_NO_SPOT = "地址须写到门牌或楼栋, 或在地图上定位到门口"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCase:
    """A case to be opened: of a ticket, or of the call that is on the line.

    Attributes:
        kind: Whose.
        number: The ticket that it is opened from, or None.
        key: A call of the telephone platform or a phone number, or None.
        address: Where, in words.
        point: A pin at the door, or None.
        category: What it is about; left out: that of the ticket.
        title: Left out: made of what is known.
        owner: Login of its owner; left out: whoever opens it where they may own one, else who has the fewest.
        rhythm_days: Days from one follow-up to the next.
    """

    kind: CaseKind
    number: str | None = None
    key: str | None = None
    address: str = ""
    point: Point | None = None
    category: str | None = None
    title: str = ""
    owner: str | None = None
    rhythm_days: int = DEFAULT_RHYTHM_DAYS


def open_(
    desk: Desk, actor: Actor, told: NewCase, body: Mapping[str, Any], now: datetime, key: str | None = None
) -> dict[str, Any]:
    """Open a case, or return the one that is alive for this person or house; its tickets of the last year join it.

    Args:
        desk: The process's desk.
        actor: Who opens it.
        told: The case.
        body: Its JSON form as it came, by which a repeated request is told from another one.
        now: The server's time.
        key: The `Idempotency-Key` of the request, if it has one.

    Raises:
        NotPermitted: if the role opens none.
        NotFound: if the ticket or the caller is not there.
        InvalidInput: with the field at fault.
        IdempotencyMismatch: if the key came before with another body.
    """
    check_permitted(actor, Permission.CASE)
    check_text(told.title, "title")
    check_days(told.rhythm_days, "rhythm_days")
    keys = [(f"case:{actor.user_id}:{key}", "Idempotency-Key")] if key else []
    with desk.store.write() as tx:
        first = replies.claim(tx, keys, replies.fingerprint(body), now)
        if first is not None:
            return first
        policy = desk.rules(tx, now).policy
        ticket, known = _known(tx, policy, told)
        case_id = _open(tx, desk, policy, actor, replace(told, category=known.category), known, now)
        if ticket:
            _join(tx, actor, case_id, ticket, now)
        reply = case_shown.detail(tx, policy, case_id)
        replies.keep(tx, keys, reply)
    return reply


def _known(tx: Tx, policy: Policy, told: NewCase) -> tuple[Ticket | None, Known]:
    """Return the ticket, locked, and what is known of person and house: what is told goes before what it says."""
    ticket = tickets.lock(tx, told.number) if told.number else None
    if told.number and ticket is None:
        raise NotFound(f"没有工单 {told.number}", field="number")
    row = board.find(tx, told.number) if told.number else None
    phones = [call["caller_phone"] for call in calls.of_ticket(tx, ticket.id)] if ticket else []
    category = told.category or (ticket.category if ticket else None)
    if category is None:
        raise InvalidInput("请选择问题类别", field="category")
    policy.category(category)
    point = to_wgs84(told.point) if told.point else _pin(row)
    phone = phone_of(tx, told.key) if told.key else next((phone for phone in phones if phone), None)
    address = told.address or (row["address"] if row else "")
    return ticket, Known(phone=phone, address=address, point=point, category=category)


def _pin(row: Mapping[str, Any] | None) -> Wgs84Point | None:
    """A ticket's place is the house itself only where its own spot says so."""
    is_door = row is not None and row["lon"] is not None and (row["spot"] or "").startswith("@")
    return Wgs84Point(row["lon"], row["lat"]) if row is not None and is_door else None


def phone_of(tx: Tx, key: str) -> str | None:
    """Return the number of a call of the telephone platform, or the number that was typed.

    Raises:
        NotFound: for a key that is neither.
    """
    row = cti.find(tx, key)
    if row is not None:
        phone: str | None = row["caller_phone"]
        return phone
    try:
        check_phone(key, "key")
    except InvalidInput:
        raise NotFound(f"没有来电或号码 {key[:40]}", field="key") from None
    return key


def _open(tx: Tx, desk: Desk, policy: Policy, actor: Actor, told: NewCase, known: Known, now: datetime) -> int:
    key = known.phone if told.kind is CaseKind.PERSON else spot_of(known.address, known.point)
    if key is None:
        wrong = (_NO_PHONE, "key") if told.kind is CaseKind.PERSON else (_NO_SPOT, "address")
        raise InvalidInput(wrong[0], field=wrong[1])
    row = {
        "kind": told.kind, "key": key, "title": told.title.strip() or _title(policy, told.kind, known),
        "status": CaseStatus.OPEN, "version": 1, "category": known.category,
        "phone": known.phone if told.kind is CaseKind.PERSON else None, "address": known.address,
        "lon": known.point.lon if known.point else None, "lat": known.point.lat if known.point else None,
        "owner_id": owner_of(tx, actor, told.owner), "rhythm_days": told.rhythm_days,
        "due_at": next_due(now, told.rhythm_days), "opened_at": now, "opened_by": actor.user_id,
    }  # fmt: skip
    case_id = cases.open_(tx, row)
    if cases.entries(tx, case_id):  # it has a story: somebody else opened it, be it a moment ago
        return case_id
    row["id"] = case_id
    watched.watch(tx, watching.case_keys(row), case_id=case_id)
    count = cases.link(tx, case_id, _before(tx, policy, row, now), now, actor.user_id, is_auto=True)
    text = f"{row['title']}; 关联此前 {count} 张工单"
    case_log.write(tx, desk, row, Change(EntryKind.OPENED, text, told=f"个案 {number_of(case_id)}: {text}"), actor, now)
    return case_id


def _title(policy: Policy, kind: CaseKind, known: Known) -> str:
    label = policy.categories[known.category or ""].label
    whose = mask_phone(known.phone) if kind is CaseKind.PERSON else house_of(known.address) or "地图定位点"
    return f"{label}: {whose}"


def house_of(address: str) -> str:
    """Return an address without what is behind the house: floor and room are nobody else's business."""
    return without_room(address.strip())


def owner_of(tx: Tx, actor: Actor, login: str | None) -> int:
    """Return who owns a new case: the one named, else the opener where she may, else who has the fewest.

    Raises:
        InvalidInput: if the one named may not own one, or nobody may.
    """
    owners = cases.owners(tx, OWNERS)
    if login is not None:
        named = next((row["id"] for row in owners if row["login"] == login), None)
        if named is None:
            raise InvalidInput(f"“{login[:40]}”不能负责个案: 请选择值班长或调度员", field="owner")
        return int(named)
    mine = next((row for row in owners if row["id"] == actor.user_id), None)
    # Those who answer for a shift before those who steer it, each kind in order of what they have in hand.
    best = mine or next((row for role in _PREFERRED for row in owners if row["role"] == role), None)
    if best is None:
        raise InvalidInput("没有可以负责个案的值班长或调度员, 请先建立用户", field="owner")
    return int(best["id"])


def _before(tx: Tx, policy: Policy, row: Mapping[str, Any], now: datetime) -> Sequence[int]:
    since = now - GATHERED_WITHIN
    if row["kind"] == CaseKind.PERSON:
        return cases.tickets_of_caller(tx, row["phone"], since)
    return cases.tickets_of_spot(tx, row["key"], sorted(watching.related(policy, row["category"])), since)


def _join(tx: Tx, actor: Actor, case_id: int, ticket: Ticket, now: datetime) -> None:
    cases.link(tx, case_id, [ticket.id], now, actor.user_id, is_auto=False)
    tickets.note(tx, ticket, "case", f"{actor.label} 开个案 {number_of(case_id)}", actor, now, at=now)


# ---------------------------------------------------------------- reading


def known(desk: Desk, actor: Actor, told: Known, key: str | None, now: datetime) -> dict[str, Any]:
    """Return what is known of the call that is on the line: `{nth_of_caller, nth_of_spot, is_frequent, flags, cases}`.

    Each case comes with its owner and the last lines of its story, so that nobody asks the same again. That they were
    looked at is audited.

    Args:
        desk: The process's desk.
        actor: Who takes the call.
        told: As far as it is written down; its phone is that of `key`.
        key: A call of the telephone platform or a number, or None.
        now: The server's time.

    Raises:
        NotFound: for a key that is neither a known call nor a number.
    """
    check_permitted(actor, Permission.CASE)
    with desk.store.read() as tx:
        policy = desk.rules(tx, now).policy
        phone = phone_of(tx, key) if key else None
        sighted = watching.sight(tx, policy, replace(told, phone=phone), now)
        shown = case_shown.briefs(tx, policy, sighted.cases)
    if shown:
        with desk.store.write() as tx:
            tx.audit(now, actor, "view-case", ", ".join(f"case {case['number']}" for case in shown))
    return _told(desk, sighted) | {"cases": shown}


def _told(desk: Desk, sighted: Sighted) -> dict[str, Any]:
    return {
        "nth_of_caller": sighted.nth_of_caller,
        "nth_of_spot": sighted.nth_of_spot,
        "is_frequent": sighted.nth(desk.settings.frequent_calls) is not None,
        "flags": [{"label": flag.label, "group": flag.group} for flag in sighted.flags],
    }


def listed(
    desk: Desk, actor: Actor, *, status: CaseStatus | None, is_mine: bool, number: str | None, after: int, limit: int,
    now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Return a page of cases in order of what is due next, the closed ones last: `{items, next}`.

    Args:
        desk: The process's desk.
        actor: Who asks.
        status: Only those that stand so.
        is_mine: Only those that the actor owns.
        number: Only those of this ticket, all on one page.
        after: `next` of the page before, 0 for the first.
        limit: Cases on a page.
        now: The server's time.
    """
    check_permitted(actor, Permission.CASE)
    with desk.store.read() as tx:
        policy = desk.rules(tx, now).policy
        if number is not None:
            rows = cases.of_ticket(tx, present.find(tx, number)["id"])
            return {"items": case_shown.briefs(tx, policy, rows), "next": None}
        owner_id = actor.user_id if is_mine else None
        rows = cases.page(tx, status, owner_id, after, limit + 1)
        items = case_shown.briefs(tx, policy, rows[:limit])
    return {"items": items, "next": after + limit if len(rows) > limit else None}


def read(desk: Desk, actor: Actor, case_id: int, now: datetime) -> dict[str, Any]:
    """Return a case with its whole story; that it was looked at is audited.

    Raises:
        NotFound: if there is no such case.
    """
    check_permitted(actor, Permission.CASE)
    with desk.store.write() as tx:
        shown = case_shown.detail(tx, desk.rules(tx, now).policy, case_id)
        tx.audit(now, actor, "view-case", f"case {shown['number']}")
    return shown


def owners(desk: Desk, actor: Actor) -> dict[str, Any]:
    """Return who may own a case: `{items}`."""
    check_permitted(actor, Permission.CASE)
    with desk.store.read() as tx:
        rows = cases.owners(tx, OWNERS)
    return {"items": [{"login": row["login"], "name": row["name"], "cases": row["cases"]} for row in rows]}
