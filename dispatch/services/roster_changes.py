"""Leave and swaps: entered on top of the published roster, checked against it, taken back, never deleted.

What a change leaves without anybody is told before it is entered (`check_…`) and again when it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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


def check_leave(desk: Desk, actor: Actor, leave: Leave, now: datetime) -> dict[str, Any]:
    """Return the hours that leave would leave without anybody, and enter nothing; raises what `add_leave` raises."""
    check_permitted(actor, Permission.ROSTER)
    with desk.store.read() as tx:
        return {"holes": _after_leave(tx, desk, leave, now)}


def add_leave(desk: Desk, actor: Actor, leave: Leave, now: datetime) -> dict[str, Any]:
    """Enter leave, and return it with the hours that it leaves without anybody.

    Raises:
        NotPermitted: if the role makes no rosters.
        NoRoster: where no roster is published for its beginning.
        InvalidInput: for a time that ends before it begins, is over, or overlaps other leave of the same person; for
            people that the roster does not know.
    """
    check_permitted(actor, Permission.ROSTER)
    with desk.store.write() as tx:
        opened = _after_leave(tx, desk, leave, now)
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
        tx.audit(
            now, actor, "add-leave", f"leave {leave_id}", person=leave.person_id, until=shanghai_text(leave.end_at)
        )
    return {"id": leave_id, "holes": opened}


def _after_leave(tx: Tx, desk: Desk, leave: Leave, now: datetime) -> list[dict[str, Any]]:
    """Return the holes that leave opens; raise for leave that cannot be."""
    _check_words(leave.reason, "reason")
    if not leave.start_at < leave.end_at <= leave.start_at + _LONGEST:
        raise InvalidInput("结束须晚于开始, 且不超过一年", field="end_at")
    if leave.end_at <= now:
        raise InvalidInput("这段时间已经过去", field="end_at")
    if leave.cover_id == leave.person_id:
        raise InvalidInput("顶班人不能是请假人自己", field="cover_id")
    before = _roster(tx, desk, leave.start_at, leave.end_at)
    _check_known(before.plan, leave.person_id, "person_id")
    if leave.cover_id is not None:
        _check_known(before.plan, leave.cover_id, "cover_id")
    others = tuple(before.leaves.get(leave.person_id, ()))
    if any(one.start_at < leave.end_at and leave.start_at < one.end_at for one in others):
        raise InvalidInput("与此人已有的请假重叠", field="start_at")
    after = Roster(before.plan, {**before.leaves, leave.person_id: (*others, leave)}, before.swapped)
    return _opened(before, after, _units_of(before, leave.person_id), max(leave.start_at, now), leave.end_at)


def _units_of(roster: Roster, person_id: str) -> Iterator[str]:
    """Yield where it matters whether somebody is away: nobody waits for a year's leave to be held against all units."""
    answering = {
        person_id,
        *(one.person_id for found in roster.leaves.values() for one in found if one.cover_id == person_id),
    }
    taken = {unit_id for (unit_id, _, _), taker_id in roster.swapped.items() if taker_id in answering}
    for unit_id, members in roster.plan.members.items():
        if unit_id in taken or any(one.person_id in answering for one in members):
            yield unit_id


def _opened(
    before: Roster, after: Roster, unit_ids: Iterable[str], start_at: datetime, end_at: datetime
) -> list[dict[str, Any]]:
    """Return when units have nobody now that had somebody before."""
    found = []
    for unit_id in unit_ids:
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


def check_swap(desk: Desk, actor: Actor, swap: Swap, note: str, now: datetime) -> dict[str, Any]:
    """Return the hours that a swap would leave without anybody, and enter nothing; raises what `add_swap` raises."""
    check_permitted(actor, Permission.ROSTER)
    with desk.store.read() as tx:
        return {"holes": _after_swap(tx, desk, swap, note, now)}


def add_swap(desk: Desk, actor: Actor, swap: Swap, note: str, now: datetime) -> dict[str, Any]:
    """Enter a swap, and return it with the hours that it leaves without anybody: who takes the duty may be away then.

    Raises:
        NotPermitted: if the role makes no rosters.
        NoRoster: where no roster is published for the day.
        InvalidInput: for a day that is over, a duty that is not there or is swapped already, people that the roster
            does not know, or somebody who would have to be on duty twice at once.
    """
    check_permitted(actor, Permission.ROSTER)
    with desk.store.write() as tx:
        opened = _after_swap(tx, desk, swap, note, now)
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
    return {"id": swap_id, "holes": opened}


def _after_swap(tx: Tx, desk: Desk, swap: Swap, note: str, now: datetime) -> list[dict[str, Any]]:
    """Return the holes that a swap opens; raise for one that cannot be."""
    _check_words(note, "note")
    if swap.taker_id == swap.owner_id:
        raise InvalidInput("换班须在两个人之间", field="taker_id")
    if min(swap.day, swap.back_day or swap.day) < shanghai_day(now):
        raise InvalidInput("这一天已经过去", field="day")
    _check_swap(tx, desk, swap)
    return _swapped(tx, desk, swap, now, is_back=False)


def _swapped(tx: Tx, desk: Desk, swap: Swap, now: datetime, *, is_back: bool) -> list[dict[str, Any]]:
    """Return the holes to come that a swap opens, or, `is_back`, that taking it back opens."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for (unit_id, _, day), _ in swap.duties():
        start_at = shanghai_midnight(day)
        end_at = start_at + 2 * _DAY
        plain = _roster(tx, desk, start_at, end_at)
        if end_at <= now or unit_id not in plain.plan.units:
            continue
        changed = Roster(plain.plan, plain.leaves, {**plain.swapped, **dict(swap.duties())})
        before, after = (changed, plain) if is_back else (plain, changed)
        opened = _opened(before, after, [unit_id], max(start_at, now), end_at)
        # The days of the two duties may overlap: what is seen from both is one hole.
        found |= {(one["start_at"], one["end_at"]): one for one in opened}
    return list(found.values())


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
    """Take a swap back, and return the hours that this leaves without anybody; it stays on record.

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
        opened = _swapped(tx, desk, rosters.swap_of(row), now, is_back=True)
        tx.audit(now, actor, "cancel-swap", f"swap {swap_id}", owner=row["owner_id"])
    return {"id": swap_id, "holes": opened}


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
