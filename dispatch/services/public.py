"""What people do without a login: report a problem as a call, follow it, send a photo of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.call import NewCall
from dispatch.domain.errors import DispatchError, InvalidInput, NotFound
from dispatch.domain.limits import Limit, network_of
from dispatch.domain.photo import Stage
from dispatch.domain.place import Point
from dispatch.domain.policy import Category, Policy
from dispatch.domain.roles import PUBLIC
from dispatch.domain.states import OPEN, Status
from dispatch.domain.tracking import is_end_of, is_token, number_as_typed, token
from dispatch.services import intake, limits, photos
from dispatch.services.attempts import fingerprint
from dispatch.services.desk import Desk
from dispatch.services.photos import Upload
from dispatch.storage import board, calls, replies
from dispatch.storage import photos as photo_rows

_HOUR = timedelta(hours=1)
REPORTS = Limit(5, _HOUR)
PHOTOS = Limit(20, _HOUR)
# Wrong pairs of number and last four digits: at ten an hour all ten thousand take six weeks.
MISSES_OF_ADDRESS = Limit(20, _HOUR)
MISSES_OF_NUMBER = Limit(10, _HOUR)
PHOTOS_OF_TICKET = 3
_NO_MATCH = "没有找到: 请核对工单号和报修电话的后四位"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A problem as somebody tells it on the page.

    Attributes:
        category: Id of one of `categories`.
        description: What is wrong.
        phone: Where to call back, digits.
        address: Where, in words.
        point: Where, in its own datum, or None.
        override_outage: The known outage does not explain it: somebody is to come.
    """

    category: str
    description: str
    phone: str
    address: str
    point: Point | None
    override_outage: bool = False


def categories(desk: Desk, now: datetime) -> list[dict[str, str]]:
    """Return what can be reported on the page: that for which somebody comes to a place."""
    with desk.store.read() as tx:
        policy = desk.rules(tx, now).policy
    return [
        {"id": found.id, "label": found.label} for found in policy.categories.values() if _is_offered(policy, found)
    ]


def _is_offered(policy: Policy, category: Category) -> bool:
    return category.level is not None and policy.levels[category.level].needs_place


def report(
    desk: Desk, secret: str, told: Report, body: Mapping[str, Any], *, key: str, address: str, now: datetime
) -> dict[str, Any]:
    """Take a report as a call and return `{number, token, outage}`; a repeated key gets the first answer.

    Where a known outage explains it, nobody is sent: number and token are None, and `outage` says what is known.

    Args:
        desk: The process's desk.
        secret: The installation's key.
        told: The report.
        body: Its JSON form as it came.
        key: The page's own name for it.
        address: Where it comes from; what is repeated or refused does not count against it.
        now: The server's time.

    Raises:
        TooOften: if too many came from there.
        InvalidInput: with the field at fault.
        IdempotencyMismatch: if the key came before with another body.
    """
    with desk.store.read() as tx:
        policy = desk.rules(tx, now).policy
        is_known = replies.is_claimed(tx, f"call:{PUBLIC.user_id}:{key}")
    if not _is_offered(policy, policy.category(told.category)):
        raise InvalidInput("此类业务请拨打 96533 办理", field="category")
    call = NewCall(
        called_at=now,
        category=told.category,
        description=told.description,
        caller_phone=told.phone,
        address=told.address,
        point=told.point,
        override_outage=told.override_outage,
    )
    counted = [] if is_known else limits.count(desk, [(f"report:{network_of(address)}", REPORTS)], now)
    try:
        receipt = intake.register(desk, PUBLIC, call, body, now, key)
    except DispatchError:
        limits.take_back(desk, counted)
        raise
    if receipt.is_repeat:
        limits.take_back(desk, counted)
    if receipt.body["ticket"] is None:
        return {"number": None, "token": None, "outage": receipt.body["outage"]}
    number = receipt.body["ticket"]["number"]
    return {"number": number, "token": token(secret, number), "outage": None}


def look_up(desk: Desk, secret: str, typed: str, digits: str, *, address: str, now: datetime) -> dict[str, Any]:
    """Return `{number, token}` of a ticket whose number and last four digits of a caller's phone somebody knows.

    Args:
        desk: The process's desk.
        secret: The installation's key.
        typed: The number, as people type it.
        digits: Four digits.
        address: Where the question comes from.
        now: The server's time.

    Raises:
        NotFound: if the two do not belong together; in the same words if there is no such ticket.
        TooOften: after too many of these from there, or about that number.
    """
    number = number_as_typed(typed)
    buckets = [
        (f"track:address:{network_of(address)}", MISSES_OF_ADDRESS),
        (f"track:number:{fingerprint(number)}", MISSES_OF_NUMBER),
    ]
    counted = limits.count(desk, buckets, now)
    with desk.store.read() as tx:
        row = board.find(tx, number)
        phones = [call["caller_phone"] for call in calls.of_ticket(tx, row["id"])] if row else []
    if not is_end_of(phones, digits):
        raise NotFound(_NO_MATCH)
    limits.take_back(desk, counted)
    return {"number": number, "token": token(secret, number)}


def check_token(secret: str, number: str, shown: str) -> None:
    """Raise NotFound unless `shown` opens ticket `number`."""
    if not is_token(secret, number, shown):
        raise NotFound(_NO_MATCH)


def add_photo(desk: Desk, number: str, uuid: str, data: bytes, *, address: str, now: datetime) -> None:
    """Keep a photo of what was reported; whoever asks has shown the ticket's token.

    Args:
        desk: The process's desk.
        number: The ticket.
        uuid: The page's own name for the photo.
        data: Its bytes.
        address: Where it comes from.
        now: The server's time.

    Raises:
        NotFound: if there is no such ticket.
        InvalidInput: if it is no picture, or one too many, or the ticket has ended.
        TooOften: if too many came from there.
    """
    limits.count(desk, [(f"photo:{network_of(address)}", PHOTOS)], now)
    with desk.store.read() as tx:
        row = board.find(tx, number)
        if row is None:
            raise NotFound(_NO_MATCH)
        theirs = [photo for photo in photo_rows.of_ticket(tx, row["id"]) if photo["stored_by"] == PUBLIC.user_id]
    if Status(row["status"]) not in OPEN:
        raise InvalidInput("工单已结束, 不能再加照片", field="number")
    if len(theirs) >= PHOTOS_OF_TICKET and uuid not in {photo["uuid"] for photo in theirs}:
        raise InvalidInput(f"每张工单最多 {PHOTOS_OF_TICKET} 张照片", field="uuid")
    upload = Upload(uuid=uuid, stage=Stage.BEFORE, taken_at=None, data=data)
    photos.keep(desk, PUBLIC, number, upload, now)
