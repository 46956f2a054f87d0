"""What a caller may see of a ticket without a login: five steps, a place without the room, and the right to look."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime

from dispatch.domain.errors import DispatchError
from dispatch.domain.states import Status

# The bar: 受理, 派单, 出发, 到场, 完工.
STEPS = (Status.RECEIVED, Status.DISPATCHED, Status.EN_ROUTE, Status.ON_SITE, Status.DONE)
_STEP_OF = {
    Status.RECEIVED: 0,
    Status.RETURNED: 0,
    Status.DISPATCHED: 1,
    Status.ACCEPTED: 1,
    Status.EN_ROUTE: 2,
    Status.ON_SITE: 3,
    Status.WORKING: 3,
    Status.ON_HOLD: 3,
    Status.DONE: 4,
    Status.CLOSED: 4,
}
# When the work can be rated.
FINISHED = frozenset({Status.DONE, Status.CLOSED})

_COUNT = r"[0-9A-Za-z一二三四五六七八九十百零〇两]+"
# Up to the house and no further.
_HOUSE = re.compile(r"号院|号|栋|幢|弄|座")
# A room where no house is named before it, or in front of it: 3-2-501, 五零一室, 2单元, 5楼.
_ROOM = re.compile(rf"{_COUNT}\s*(?:单元|室|房|户|楼|层|门)|\d+\s*[-－—#/]\s*\d")
_NUMBER = re.compile(r"\d")
HIDDEN = "…"


class AlreadyRated(DispatchError):
    """This round of work was rated before, otherwise."""

    code = "already-rated"
    status = 409


def token(secret: str, number: str) -> str:
    """Return what lets its bearer see ticket `number`: 256 bits under the installation's key, base64url."""
    digest = hmac.new(secret.encode(), f"track:{number}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_token(secret: str, number: str, shown: str) -> bool:
    """Tell whether `shown` is the token of ticket `number`, in a time that does not depend on how close it is."""
    return hmac.compare_digest(token(secret, number).encode(), shown.encode("utf-8", "replace"))


def is_end_of(phones: Iterable[str | None], digits: str) -> bool:
    """Tell whether one of the phone numbers ends in these four digits; all of them are compared."""
    found = False
    for phone in phones:
        found |= hmac.compare_digest((phone or "")[-4:].encode(), digits.encode("utf-8", "replace"))
    return found


def number_as_typed(text: str) -> str:
    """Return a ticket number as it is written, from how people type it."""
    return unicodedata.normalize("NFKC", text).strip().upper()


def hide_room(address: str) -> str:
    """Return an address up to the house, `…` for what comes after it.

    Args:
        address: As it was taken down: `坡子街 12 号 3 栋 501 室`.

    Returns:
        Without a house that is told as such all digits are hidden: better too little than a room.
    """
    text = unicodedata.normalize("NFKC", address).strip()
    house, room = _HOUSE.search(text), _ROOM.search(text)
    if room and (house is None or room.start() < house.start()):
        end = room.start()
    elif house:
        end = house.end()
    else:
        number = _NUMBER.search(text)
        end = number.start() if number else len(text)
    return text[:end].rstrip() + (HIDDEN if text[end:].strip() else "")


def step_of(status: Status) -> int | None:
    """Return the step of the bar, from 0, that a ticket stands at; None where it left the way (并单, 取消)."""
    return _STEP_OF.get(status)


def reached(moves: Iterable[tuple[Status, datetime]]) -> list[datetime | None]:
    """Return when each step was reached, None for those that were not, were skipped or were taken back.

    Args:
        moves: The states of the ticket, oldest first, each with the time that counts.
    """
    times: list[datetime | None] = [None] * len(STEPS)
    current = -1
    for status, at in moves:
        step = step_of(status)
        if step is None or step == current:
            continue
        if step == 0 and current > 0:  # 退单: it was received when it was received
            at = times[0] or at
        times = [*times[:step], at, *[None] * (len(STEPS) - step - 1)]
        current = step
    return times
