"""A made-up history of tickets as rows of their tables, and the figures counted naively over these rows."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import insert

from dispatch.domain.figures import By
from dispatch.services.desk import Desk
from dispatch.storage import figures

Row = dict[str, Any]
KINDS = ("ack", "arrive", "isolate", "fix", "callback")
POLICY = "2026-11-01"
_COLUMN = {By.ZONE: "zone_id", By.TEAM: "team_id"}
_BLOCK = 10_000


@dataclass
class History:
    """Rows by table."""

    tickets: list[Row] = field(default_factory=list)
    clocks: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    callbacks: list[Row] = field(default_factory=list)
    steps: list[Row] = field(default_factory=list)
    calls: list[Row] = field(default_factory=list)

    def write(self, desk: Desk) -> None:
        """Insert all rows, in the order in which they refer to each other."""
        parts = (
            (figures.TICKETS, self.tickets), (figures.CLOCKS, self.clocks), (figures.EVENTS, self.events),
            (figures.CALLS, self.calls), (figures.CALLBACKS, self.callbacks), (figures.STEPS, self.steps),
        )  # fmt: skip
        with desk.store.write() as tx:
            for table, rows in parts:
                for begin in range(0, len(rows), _BLOCK):
                    tx.conn.execute(insert(table), rows[begin : begin + _BLOCK])


def history(dice: random.Random, count: int, since: datetime, days: int, first: int = 1) -> History:
    """Return `count` tickets with ids from `first`, received in the order of their ids over some days."""
    made = History()
    for n in range(first, first + count):
        at = since + timedelta(seconds=(n - first) * days * 86_400 // count)
        ticket = _ticket(dice, n, at)
        made.tickets.append(ticket)
        for kind in KINDS:
            if kind in ("ack", "fix") or dice.random() < 0.5:
                made.clocks += [_clock(dice, n, kind, round_, at) for round_ in range(1, ticket["round"] + 1)]
        for kind in ("receive", *_history(dice)):
            made.events.append(_event(n, kind, at))
        if ticket["rework_of"]:  # its caller was called back about the first one
            made.events.append(_event(int(ticket["rework_of"][1:]), "callback", at))
        made.calls.append(_call(dice, len(made.calls) + 2 * first, n, at))
        if dice.random() < 0.2:
            made.calls.append(_call(dice, len(made.calls) + 2 * first, None, at))
        if dice.random() < 0.5:
            made.callbacks.append(_callback(dice, n, made.calls[-1]["id"], at))
        if dice.random() < 0.3:
            made.steps.append(_step(dice, n, at))
    return made


def _ticket(dice: random.Random, n: int, at: datetime) -> Row:
    zone = dice.randrange(41)
    return {
        "id": n, "number": f"H{n:08d}", "status": dice.choice(("dispatched", "working", "done", "closed", "cancelled")),
        "version": 2, "round": 2 if dice.random() < 0.1 else 1, "level": f"P{dice.randint(1, 5)}",
        "category": dice.choice(("no_water", "burst", "billing", "quality", "pressure")), "area": "in_circle",
        "policy_version": POLICY, "received_at": at, "moved_at": at, "ended_at": None,
        "zone_id": f"格-{zone}" if zone else None, "team_id": f"team-{zone % 15}" if zone else None,
        "branch": f"分公司{zone % 4}" if zone else None, "steward": dice.choice((None, "甲", "乙", "丙")),
        "route_status": "routed", "route_reason": "", "address": "", "description": "", "assisting": [],
        "is_supervised": False, "urge_count": 0, "callback_attempts": 0, "is_carried": dice.random() < 0.05,
        "outcome": dice.choice((None, None, "temporary", "final")),
        "rework_of": f"H{dice.randint(1, n):08d}" if dice.random() < 0.02 else None,
    }  # fmt: skip


def _clock(dice: random.Random, n: int, kind: str, round_: int, at: datetime) -> Row:
    due = at + timedelta(seconds=dice.randint(60, 200_000))
    taken, paused_s = timedelta(seconds=dice.randint(0, 300_000)), dice.choice((0.0, 0.0, 45.0))
    row: Row = {
        "ticket_id": n, "kind": kind, "round": round_, "start_at": at, "due_at": due, "original_due_at": due,
        "met_at": None, "breached_at": None, "noticed_at": None, "paused_at": None, "resume_at": None,
        "paused_s": paused_s, "is_void": False, "next_step": 0, "next_fire_at": None,
    }  # fmt: skip
    match dice.randrange(10):
        case 0:
            return row
        case 1:
            return {**row, "is_void": True}
        case 2:
            return {**row, "is_void": True, "breached_at": at + timedelta(seconds=40)}
        case 3:
            return {**row, "paused_at": at}
        case 4:
            return {**row, "paused_at": at, "breached_at": at + timedelta(seconds=30)}
        case _:
            return {**row, "met_at": at + taken, "breached_at": dice.choice((None, due)) if taken > due - at else None}


def _history(dice: random.Random) -> list[str]:
    return [kind for kind in ("dispatch", "reassign", "return", "arrive") for _ in range(dice.randrange(3))]


def _event(n: int, kind: str, at: datetime) -> Row:
    return {
        "ticket_id": n, "at": at, "effective_at": at, "time_source": "server", "kind": kind, "from_status": None,
        "to_status": "dispatched", "actor_id": 0, "text": "",
    }  # fmt: skip


def _call(dice: random.Random, id_: int, ticket_id: int | None, at: datetime) -> Row:
    outcome = "answered" if ticket_id is None else "ticket"
    return {
        "id": id_, "ticket_id": ticket_id, "outcome": outcome, "called_at": at, "logged_at": at, "taken_by": 1,
        "caller_phone": dice.choice((None, f"1300000{dice.randrange(5000):04d}")), "category": "no_water",
        "description": "", "address": "", "answers": {},
    }  # fmt: skip


def _callback(dice: random.Random, n: int, call_id: int, at: datetime) -> Row:
    return {
        "ticket_id": n, "round": 1, "call_id": call_id, "phone": dice.choice((None, f"130{n:08d}")),
        "state": dice.choice(("waiting", "reached", "answered_by_link", "unreached", "void")), "made_at": at,
        "due_at": at, "tries": 0, "is_satisfied": dice.choice((None, True, True, False)), "note": "",
    }  # fmt: skip


def _step(dice: random.Random, n: int, at: datetime) -> Row:
    answered = at + timedelta(seconds=dice.randrange(5000)) if dice.random() < 0.6 else None
    return {
        "ticket_id": n, "clock": "ack", "round": 1, "step": 0, "ratio": 1.0, "label": "", "recipients": [],
        "scheduled_at": at, "fired_at": at, "late_s": 0.0, "acknowledged_at": answered,
    }  # fmt: skip


# ---------------------------------------------------------------- the naive count


def recount(made: History, by: By, start: datetime, end: datetime, now: datetime) -> dict[str, Any]:
    """Return each group by its key: tickets, clocks as (judged, on time, four spreads), measures as (value, of)."""
    tickets = [row for row in made.tickets if start <= row["received_at"] < end]
    calls = [(row, is_repeat) for row, is_repeat in _repeats(made.calls) if start <= row["called_at"] < end]
    has_calls = by in (By.HOUR, By.DAY, By.CATEGORY)
    of_tickets, of_calls = _grouped(tickets, lambda row: _key(by, row, row["received_at"])), {}
    if has_calls:
        of_calls = _grouped(calls, lambda pair: _key(by, pair[0], pair[0]["called_at"]))
    hung = {name: _grouped(getattr(made, name), _owner) for name in ("clocks", "events", "callbacks", "steps")}
    left = _grouped(made.tickets, lambda row: row["rework_of"])
    told = {}
    for key in sorted({*of_tickets, *of_calls}):
        told[key] = _group(of_tickets.get(key, []), of_calls.get(key, []), hung, left, now)
    return told


def _owner(row: Row) -> int:
    return int(row["ticket_id"])


def _grouped(rows: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def _key(by: By, row: Row, at: datetime) -> str:
    local = at + timedelta(hours=8)
    if by in (By.HOUR, By.DAY):
        return f"{local:%H}" if by is By.HOUR else f"{local:%Y-%m-%d}"
    return row[_COLUMN.get(by, by.value)] or ""


def _repeats(calls: Sequence[Row]) -> Iterable[tuple[Row, bool]]:
    last: dict[str, datetime] = {}
    for row in calls:
        before = last.get(row["caller_phone"] or "")
        if row["caller_phone"]:
            last[row["caller_phone"]] = row["called_at"]
        yield row, before is not None and row["called_at"] - before <= timedelta(days=7)


def _group(tickets: list[Row], calls: list[Any], hung: Any, left: Any, now: datetime) -> dict[str, Any]:
    told: dict[str, Any] = {"tickets": len(tickets)}
    clocks = [clock for row in tickets for clock in hung["clocks"].get(row["id"], [])]
    for kind in KINDS:
        told[kind] = _kept([clock for clock in clocks if clock["kind"] == kind], now)
    kinds = {row["id"]: [event["kind"] for event in hung["events"].get(row["id"], [])] for row in tickets}
    done = [row for row in tickets if row["status"] in ("done", "closed") or row["round"] > 1]
    own = [row for row in done if not row["is_carried"]]
    rung = [back for row in done for back in hung["callbacks"].get(row["id"], []) if back["phone"]]
    words = [back["is_satisfied"] for back in rung if back["is_satisfied"] is not None]
    given = [kinds[row["id"]].count("dispatch") + kinds[row["id"]].count("reassign") for row in own]
    waits = [
        (step["acknowledged_at"] - step["fired_at"]).total_seconds() / 60
        for row in tickets for step in hung["steps"].get(row["id"], []) if step["acknowledged_at"]
    ]  # fmt: skip
    first = [
        kinds[row["id"]].count("arrive") <= 1 and row["round"] == 1 and row["outcome"] != "temporary"
        and row["number"] not in left for row in own
    ]  # fmt: skip
    ringable = [back for back in rung if back["state"] != "void"]
    told["first_fix"] = _share(sum(first), len(own))
    told["visits"] = _share(sum(kinds[row["id"]].count("arrive") for row in own), len(own))
    told["handovers"] = _share(sum(max(0, times - 1) for times in given), len(own))
    told["returned"] = _share(sum("return" in seen for seen in kinds.values()), len(tickets))
    heard = [back for back in rung if back["state"] in ("reached", "answered_by_link")]
    told["called_back"] = _share(len(heard), len(ringable))
    told["satisfied"] = _share(sum(words), len(words))
    told["answered"] = _share(sum(row["outcome"] == "answered" for row, _ in calls), len(calls))
    told["repeated"] = _share(sum(is_repeat for _, is_repeat in calls), len(calls))
    told["acknowledged"] = (median(waits) if waits else None, len(waits))
    return told


def _share(part: float, whole: int) -> tuple[float | None, int]:
    return (part / whole if whole else None), whole


def _kept(clocks: list[Row], now: datetime) -> tuple[Any, ...]:
    judged, kept, taken, late = 0, 0, [], []
    for clock in clocks:
        limit, met = clock["breached_at"] or clock["due_at"], clock["met_at"]
        if met is not None:
            judged, kept = judged + 1, kept + (met <= limit)
            taken.append((met - clock["start_at"]).total_seconds() / 60 - clock["paused_s"] / 60)
            if met > limit:
                late.append((met - limit).total_seconds() / 60)
        elif clock["breached_at"] or (not clock["is_void"] and clock["paused_at"] is None and now >= limit):
            judged += 1
            if not clock["is_void"]:
                late.append((now - limit).total_seconds() / 60)
    return judged, kept, *_spread([max(0.0, minutes) for minutes in taken]), *_spread(late)


def _spread(values: list[float]) -> tuple[float | None, float | None]:
    if not values:
        return None, None
    return median(values), sorted(values)[math.ceil(0.9 * len(values) - 1e-9) - 1]
