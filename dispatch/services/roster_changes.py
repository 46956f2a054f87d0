"""Leave and swaps: entered on top of the published roster, checked against it, taken back, never deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.roster import Leave, Plan, Roster, Swap, duties
from dispatch.domain.roster_hours import holes
from dispatch.domain.times import shanghai_day, shanghai_midnight, shanghai_text
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.storage import directory, rosters
from dispatch.storage.db import Tx

_DAY = timedelta(days=1)
_LONGEST = timedelta(days=366)
_MOST_TEXT = 200


class NoRoster(InvalidInput):
    """Leave or a swap where no roster is published."""

    code = "no-roster"


def add_leave(desk: Desk, actor: Actor, leave: Leave, now: datetime) -> dict[str, Any]:
    """Enter leave, and return it with the hours that it leaves without anybody.

    Raises:
        NotPermitted: if the role makes no rosters.
        NoRoster: where no roster is published for its beginning.
        InvalidInput: for a time that ends before it begins, is over, or overlaps other leave of the same person; for
            people that the roster does not know.
    """
    check_permitted(actor, Permission.ROSTER)
    _check_words(leave.reason, "reason")
    if not leave.start_at < leave.end_at <= leave.start_at + _LONGEST:
        raise InvalidInput("结束须晚于开始, 且不超过一年", field="end_at")
    if leave.end_at <= now:
        raise InvalidInput("这段时间已经过去", field="end_at")
    if leave.cover_id == leave.person_id:
        raise InvalidInput("顶班人不能是请假人自己", field="cover_id")
    with desk.store.write() as tx:
        before = _roster(tx, desk, leave.start_at, leave.end_at)
        _check_known(before.plan, leave.person_id, "person_id")
        if leave.cover_id is not None:
            _check_known(before.plan, leave.cover_id, "cover_id")
        if any(one.start_at < leave.end_at and leave.start_at < one.end_at for one in _leaves(before, leave.person_id)):
            raise InvalidInput("与此人已有的请假重叠", field="start_at")
        values = {
            "person_id": leave.person_id,
            "start_at": leave.start_at,
            "end_at": leave.end_at,
            "reason": leave.reason.strip(),
            "cover_id": leave.cover_id,
            "made_by": actor.name,
            "made_at": now,
        }
        leave_id = rosters.add_leave(tx, values)
        directory.turn_page(tx)
        after = _roster(tx, desk, leave.start_at, leave.end_at)
        tx.audit(
            now, actor, "add-leave", f"leave {leave_id}", person=leave.person_id, until=shanghai_text(leave.end_at)
        )
    return {"id": leave_id, "holes": _opened(before, after, max(leave.start_at, now), leave.end_at)}


def _leaves(roster: Roster, person_id: str) -> tuple[Leave, ...]:
    return tuple(roster.leaves.get(person_id, ()))


def _opened(before: Roster, after: Roster, start_at: datetime, end_at: datetime) -> list[dict[str, Any]]:
    """Return when units have nobody now that had somebody before."""
    found = []
    for unit_id in after.plan.members:
        known = {(one.start_at, one.end_at) for one in holes(before, unit_id, start_at, end_at)}
        found += [
            {
                "unit_id": unit_id,
                "unit": after.plan.units[unit_id].name,
                "start_at": present.time(one.start_at),
                "end_at": present.time(one.end_at),
            }
            for one in holes(after, unit_id, start_at, end_at)
            if (one.start_at, one.end_at) not in known
        ]
    return found


def cancel_leave(desk: Desk, actor: Actor, leave_id: int, now: datetime) -> dict[str, Any]:
    """Take leave back; it stays on record.

    Raises:
        NotPermitted: if the role makes no rosters.
        NotFound: where none stands under the id.
    """
    check_permitted(actor, Permission.ROSTER)
    with desk.store.write() as tx:
        row = rosters.cancel_leave(tx, leave_id, actor.name, now)
        if row is None:
            raise NotFound("没有这条请假, 或已撤销")
        directory.turn_page(tx)
        tx.audit(now, actor, "cancel-leave", f"leave {leave_id}", person=row["person_id"])
    return {"id": leave_id}


def add_swap(desk: Desk, actor: Actor, swap: Swap, note: str, now: datetime) -> dict[str, Any]:
    """Enter a swap and return its id.

    Raises:
        NotPermitted: if the role makes no rosters.
        NoRoster: where no roster is published for the day.
        InvalidInput: for a day that is over, a duty that is not there or is swapped already, people that the roster
            does not know, or somebody who would have to be on duty twice at once.
    """
    check_permitted(actor, Permission.ROSTER)
    _check_words(note, "note")
    if swap.taker_id == swap.owner_id:
        raise InvalidInput("换班须在两个人之间", field="taker_id")
    if min(swap.day, swap.back_day or swap.day) < shanghai_day(now):
        raise InvalidInput("这一天已经过去", field="day")
    with desk.store.write() as tx:
        _check_swap(tx, desk, swap)
        values = {
            "unit_id": swap.unit_id,
            "owner_id": swap.owner_id,
            "day": swap.day,
            "taker_id": swap.taker_id,
            "back_day": swap.back_day,
            "note": note.strip(),
            "made_by": actor.name,
            "made_at": now,
        }
        swap_id = rosters.add_swap(tx, values)
        directory.turn_page(tx)
        tx.audit(now, actor, "add-swap", f"swap {swap_id}", owner=swap.owner_id, taker=swap.taker_id, day=str(swap.day))
    return {"id": swap_id, "holes": []}


def _check_swap(tx: Tx, desk: Desk, swap: Swap) -> None:
    for (unit_id, owner_id, day), taker_id in swap.duties():
        start_at = shanghai_midnight(day)
        roster = _roster(tx, desk, start_at, start_at + 2 * _DAY)
        name = "day" if day == swap.day else "back_day"
        if unit_id not in roster.plan.units:
            raise InvalidInput(f"没有班组或岗位“{unit_id}”", field="unit_id")
        _check_known(roster.plan, taker_id, "taker_id")
        theirs = [one for one in roster.plan.members.get(unit_id, ()) if one.person_id == owner_id]
        if not theirs or theirs[0].shift_on(day) is None:
            raise InvalidInput(f"{day} 没有可换的班", field=name)
        if (unit_id, owner_id, day) in roster.swapped:
            raise InvalidInput(f"{day} 的班已经换过", field=name)
        _check_once(roster, swap, taker_id, start_at, name)


def _check_once(roster: Roster, swap: Swap, person_id: str, start_at: datetime, name: str) -> None:
    """Refuse what would put somebody on duty twice at once."""
    swapped = {**roster.swapped, **dict(swap.duties())}
    after = Roster(roster.plan, roster.leaves, swapped)
    spans = sorted(
        (duty.start_at, duty.end_at)
        for unit_id in roster.plan.units
        for duty in duties(after, unit_id, start_at, start_at + 2 * _DAY)
        if duty.person_id == person_id
    )
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        raise InvalidInput(f"{roster.plan.people[person_id].name}同一时间已有班", field=name)


def cancel_swap(desk: Desk, actor: Actor, swap_id: int, now: datetime) -> dict[str, Any]:
    """Take a swap back; it stays on record.

    Raises:
        NotPermitted: if the role makes no rosters.
        NotFound: where none stands under the id.
    """
    check_permitted(actor, Permission.ROSTER)
    with desk.store.write() as tx:
        row = rosters.cancel_swap(tx, swap_id, actor.name, now)
        if row is None:
            raise NotFound("没有这条换班, 或已撤销")
        directory.turn_page(tx)
        tx.audit(now, actor, "cancel-swap", f"swap {swap_id}", owner=row["owner_id"])
    return {"id": swap_id}


def _roster(tx: Tx, desk: Desk, start_at: datetime, end_at: datetime) -> Roster:
    # The roster of the last moment: one that begins in between knows the people who come with it.
    roster_id = desk.roster_id(tx, end_at)
    if roster_id is None:
        raise NoRoster("那时没有已发布的排班表")
    return desk.rosters.between(tx, roster_id, start_at, end_at)


def _check_known(plan: Plan, person_id: str, name: str) -> None:
    if person_id not in plan.people:
        raise InvalidInput(f"排班表中没有“{person_id[:40]}”", field=name)


def _check_words(text: str, name: str) -> None:
    check_text(text, name)
    if not text.strip() or len(text) > _MOST_TEXT:
        raise InvalidInput(f"请填写事由, 最多 {_MOST_TEXT} 个字", field=name)


def shown_leave(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the public form of leave."""
    return {
        "id": row["id"],
        "person_id": row["person_id"],
        "name": names.get(row["person_id"], row["person_id"]),
        "start_at": present.time(row["start_at"]),
        "end_at": present.time(row["end_at"]),
        "reason": row["reason"],
        "cover_id": row["cover_id"],
        "cover": names.get(row["cover_id"] or "", row["cover_id"]),
        "made_by": row["made_by"],
    }


def shown_swap(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the public form of a swap."""
    return {
        "id": row["id"],
        "unit_id": row["unit_id"],
        "owner_id": row["owner_id"],
        "owner": names.get(row["owner_id"], row["owner_id"]),
        "day": row["day"].isoformat(),
        "taker_id": row["taker_id"],
        "taker": names.get(row["taker_id"], row["taker_id"]),
        "back_day": row["back_day"].isoformat() if row["back_day"] else None,
        "note": row["note"],
        "made_by": row["made_by"],
    }
