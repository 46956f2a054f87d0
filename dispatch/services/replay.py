"""Replay: real calls with their own times through the real intake and sweep, on simulated time.

A replay is an installation of its own, labelled as one by the version of its policy: the shipped policy and the
zones hold from the first call on. Crews do only what the file says: where it tells when a call was closed, one
labelled crew accepts, departs, arrives, works and finishes at that moment.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain import policy_file
from dispatch.domain.call import NewCall, Outcome
from dispatch.domain.errors import DispatchError, InvalidInput
from dispatch.domain.roles import SYSTEM, Actor, Role
from dispatch.domain.states import Verb
from dispatch.services import escalation, fieldwork, intake
from dispatch.services.actions import Action
from dispatch.services.desk import Desk
from dispatch.services.escalation import Sweep
from dispatch.storage import directory, schema

LABEL = "replay-"
_AGENT = Actor(0, "重放坐席", Role.AGENT)
_CREW_VERBS = (Verb.ACCEPT, Verb.DEPART, Verb.ARRIVE, Verb.WORK, Verb.DONE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the file.

    Attributes:
        row: Its number.
        call: The call.
        body: What the row says, by which a repeated call is told from another one with the same id.
        closed_at: When the file says that the work was done, or None.
        doubt: Why `closed_at` could not be read, or None.
    """

    row: int
    call: NewCall
    body: Mapping[str, str]
    closed_at: datetime | None = None
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a row: its number, the field of the call (None: the whole row), and why."""

    row: int
    field: str | None
    reason: str


@dataclass(slots=True)
class Tally:
    """What has happened so far; `faults` are rows without a result, `remarks` rows with a weak spot."""

    outcomes: Counter[str] = field(default_factory=Counter)
    route_status: Counter[str] = field(default_factory=Counter)
    zones: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    remarks: list[Fault] = field(default_factory=list)
    numbers: set[str] = field(default_factory=set)
    closed: int = 0
    repeats: int = 0
    sweep: Sweep = field(default_factory=Sweep)


def prepare(desk: Desk, policy: bytes, first: datetime) -> str:
    """Make or open an installation for replays whose policy holds from `first` on; return the policy's version.

    Raises:
        InvalidInput: if the database belongs to a real installation.
    """
    schema.upgrade(desk.store)
    raw = policy_file.read_toml(policy)
    version = f"{LABEL}{raw['version']}@{first:%Y%m%dT%H%M%SZ}"
    with desk.store.write() as tx:
        known = [name for _, name in directory.book(tx).policies]
        if not all(name.startswith(LABEL) for name in known):
            raise InvalidInput("该数据库是正式装置 (已有政策), 不能用于重放: 请换一个空数据库")
        if version not in known:
            moved = {**raw, "version": version, "valid_from": first.isoformat()}
            directory.add_policy(tx, version, first, moved, first)
            tx.audit(first, SYSTEM, "load-policy", version)
    return version


class Replay:
    """One run over the rows of a file.

    Args:
        desk: The desk of an installation that `prepare` has made.
        entries: The rows, in any order; at least one.
        source: Fingerprint of the file, which makes its rows without a call id repeatable.
        is_stopped: Asked between two steps; once it says yes, nothing more happens.
    """

    def __init__(self, desk: Desk, entries: Sequence[Entry], source: str, is_stopped: Callable[[], bool]) -> None:
        self._desk, self._source, self._is_stopped = desk, source, is_stopped
        # Calls before closings of the same moment, rows in order: heapq compares no further than the row.
        self._queue: list[tuple[datetime, bool, int, Entry, str, str]] = [
            (entry.call.called_at, False, entry.row, entry, "", "") for entry in entries
        ]
        heapq.heapify(self._queue)
        self.now = self._queue[0][0]
        self.tally = Tally()
        self._planned: set[str] = set()

    def play(self, progress: Callable[[int], object]) -> None:
        """Let the calls come in and their closings happen; `progress` is told of each row that comes in."""
        while self._queue and not self._is_stopped():
            at, is_closing, _, entry, number, team_id = heapq.heappop(self._queue)
            if at > self.now:
                self._sweep(at - datetime.resolution)  # who acts at the very moment of a step is in time
                self.now = at
            if is_closing:
                self._close(entry, number, team_id, at)
            else:
                self._take(entry)
                progress(1)

    def finish(self, horizon: timedelta, progress: Callable[[timedelta], object]) -> None:
        """Let the clocks run on until no step is left or `horizon` has passed; `progress` is told how much has."""
        until = self.now + horizon
        self._sweep(self.now)
        while not self._is_stopped():
            due = self.tally.sweep.next_due_at
            if due is None or due > until:
                break
            self._sweep(due)
            progress(due - self.now)
            self.now = due

    def _sweep(self, until: datetime) -> None:
        """Let the clocks fire at their own moments, as under a scheduler that is never late."""
        self.tally.sweep.add(escalation.sweep_until(self._desk, self.now, until))

    def _take(self, entry: Entry) -> None:
        call = entry.call
        key = None if call.cti_call_id else f"{LABEL}{self._source}:{entry.row}"
        try:
            receipt = intake.register(self._desk, _AGENT, call, entry.body, self.now, key)
        except DispatchError as error:
            self.tally.faults.append(Fault(entry.row, error.field, error.detail))
            return
        if receipt.is_repeat:
            self.tally.repeats += 1
        else:
            self.tally.outcomes[receipt.body["outcome"]] += 1
        if receipt.body["outcome"] == Outcome.TICKET:
            self._follow(entry, receipt.body["ticket"], is_new=not receipt.is_repeat)

    def _follow(self, entry: Entry, ticket: Mapping[str, Any], *, is_new: bool) -> None:
        """Count a ticket, and plan its closing where the file tells of one that can be."""
        number, team_id = ticket["number"], ticket["team_id"]
        self.tally.numbers.add(number)
        if is_new:
            self.tally.route_status[ticket["route_status"]] += 1
            self.tally.zones[ticket["zone_id"] or "-"] += 1
        doubt = _doubt(entry, team_id)
        if doubt:
            self.tally.remarks.append(Fault(entry.row, "closed_at", doubt))
        elif entry.closed_at is not None and number not in self._planned:
            self._planned.add(number)
            heapq.heappush(self._queue, (entry.closed_at, True, entry.row, entry, number, team_id))

    def _close(self, entry: Entry, number: str, team_id: str, at: datetime) -> None:
        crew = Actor(0, f"重放水管家 {team_id}", Role.CREW, team_id)
        try:
            for verb in _CREW_VERBS:
                action = Action(verb=verb, key=f"{LABEL}{number}:{verb}", note="重放: 文件所记的办结时间")
                fieldwork.act(self._desk, crew, number, action, at)
        except DispatchError as error:
            self.tally.remarks.append(Fault(entry.row, "closed_at", error.detail))
            return
        self.tally.closed += 1


def _doubt(entry: Entry, team_id: str | None) -> str | None:
    """Why the closing that a row tells of cannot be, or None."""
    if entry.closed_at is None:
        return entry.doubt
    if entry.closed_at < entry.call.called_at:
        return "早于来电时间, 不予采用"
    return None if team_id else "工单没有班组, 无人可办结"
