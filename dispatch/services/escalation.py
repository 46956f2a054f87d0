"""The sweep: fire every step of every clock that is due, each exactly once, and say how late it was.

Law 2: deadlines are columns. Whoever sweeps, however many do, and however long nobody did: a step is fired by
the one transaction that moves its clock past it, together with its timeline, notice and audit rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.incident import number_of
from dispatch.domain.ladder import Fired, Step, climb, fired_text
from dispatch.domain.roles import SYSTEM
from dispatch.domain.settings import PEOPLE
from dispatch.domain.sla import Clock
from dispatch.domain.states import Status, Verb
from dispatch.domain.surge import Gathering
from dispatch.domain.ticket import Command, decide
from dispatch.services import alerts
from dispatch.services.desk import Desk
from dispatch.services.digests import open_surge
from dispatch.storage import clocks, digests, escalations, incidents, outbox, tickets
from dispatch.storage.clocks import Due
from dispatch.storage.db import Tx
from dispatch.storage.incidents import Voice

BATCH = 200
RETRY = timedelta(minutes=1)


@dataclass(slots=True)
class Sweep:
    """What a sweep did.

    Attributes:
        fired: Steps fired.
        breached: Clocks found broken.
        resumed: Holds that ended.
        max_late_s: Worst lateness of a step, in seconds.
        next_due_at: When there will be something to do again, or None.
        errors: Clocks that could not be handled, in words.
    """

    fired: int = 0
    breached: int = 0
    resumed: int = 0
    max_late_s: float = 0.0
    next_due_at: datetime | None = None
    errors: list[str] = field(default_factory=list)

    def add(self, later: Sweep) -> None:
        """Count a later sweep in."""
        self.fired += later.fired
        self.breached += later.breached
        self.resumed += later.resumed
        self.max_late_s = max(self.max_late_s, later.max_late_s)
        self.next_due_at = later.next_due_at
        self.errors += later.errors


@dataclass(slots=True)
class _Rows:
    """Everything a batch writes, so that each table is written once."""

    clocks: list[tuple[int, Clock]] = field(default_factory=list)
    escalations: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    gathered: list[dict[str, Any]] = field(default_factory=list)
    alerts: alerts.Told = field(default_factory=alerts.Told)
    supervised: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Scene:
    """When a batch is worked off, in which surge, who speaks for the incidents of its tickets, and who is on duty."""

    now: datetime
    surge: Gathering | None
    voices: Mapping[tuple[int, str], Voice]
    call: alerts.Call | None


def sweep(desk: Desk, now: datetime) -> Sweep:
    """Fire all that is due at `now`, and say that it fired at `now`: for simulated time, and for one look by hand."""
    return catch_up(desk, lambda: now)


def catch_up(desk: Desk, clock: Callable[[], datetime], progress: Callable[[int], object] | None = None) -> Sweep:
    """Fire all that is due, in transactions of at most BATCH clocks, until nothing is left.

    Args:
        desk: The process's desk.
        clock: Reads the time, anew in each transaction: a long catch-up takes some, and each step says how late it
            really is.
        progress: Called with the number of clocks done after each batch.
    """
    done = Sweep()
    with desk.store.read() as tx:
        done.next_due_at = clocks.next_due(tx)
    while done.next_due_at is not None and done.next_due_at <= clock():
        try:
            count, fired = _batch(desk, clock)
        except Exception:
            count, fired = _one_by_one(desk, clock)
        done.add(fired)
        if progress is not None:
            progress(count)
        if not count:  # another sweeper holds what is left
            break
    return done


def _batch(desk: Desk, clock: Callable[[], datetime]) -> tuple[int, Sweep]:
    """Work off one batch in one transaction; return how many clocks it had, and what became of them."""
    done = Sweep()
    with desk.store.write() as tx:
        now = clock()  # once inside: to come in may have taken a while
        surge = open_surge(tx, desk)
        batch = clocks.lock_due(tx, now, BATCH)
        _work(tx, desk, batch, surge, now, done)
        done.next_due_at = clocks.next_due(tx)
    return len(batch), done


def _one_by_one(desk: Desk, clock: Callable[[], datetime]) -> tuple[int, Sweep]:
    """Work off what a batch failed with, each clock in its own transaction: one bad row must not hold up the others.

    The bad one is told, and looked at again in a minute. A database that is away raises as it did.
    """
    total, count = Sweep(), 0
    while count < BATCH:
        done, batch = Sweep(), list[Due]()
        try:
            with desk.store.write() as tx:
                now = clock()
                surge = open_surge(tx, desk)
                batch = clocks.lock_due(tx, now, 1)
                _work(tx, desk, batch, surge, now, done)
                done.next_due_at = clocks.next_due(tx)
        except Exception as error:
            if not batch:
                raise
            done = Sweep(errors=[f"{batch[0].number}: {type(error).__name__}: {error}"])
            with desk.store.write() as tx:
                clocks.put_off(tx, batch[0], clock() + RETRY)
                done.next_due_at = clocks.next_due(tx)
        total.add(done)
        if not batch:
            break
        count += 1
    return count, total


def sweep_until(desk: Desk, now: datetime, until: datetime) -> Sweep:
    """Sweep at `now` and then at every due moment up to `until`: simulated time, for replays and the demo."""
    total = sweep(desk, now)
    while total.next_due_at is not None and total.next_due_at <= until:
        total.add(sweep(desk, max(now, total.next_due_at)))
    return total


def _work(tx: Tx, desk: Desk, batch: list[Due], surge: Gathering | None, now: datetime, done: Sweep) -> None:
    rows = _Rows()
    of_incidents = {due.incident_id for due in batch if due.incident_id is not None}
    scene = _Scene(now, surge, incidents.voices(tx, of_incidents), alerts.call_at(desk, tx, now, surge))
    resumed: dict[int, str] = {}
    # Holds end first, so that what fires after them is told of a ticket in work.
    for due in sorted(batch, key=lambda due: due.clock.paused_at is None):
        if due.clock.paused_at is not None:
            resumed[due.ticket_id] = _resume(tx, desk, due, now)
            done.resumed += 1
        else:
            told = replace(due, status=resumed[due.ticket_id]) if due.ticket_id in resumed else due
            _climb(tx, desk, told, scene, rows, done)
    _write(tx, rows)


def _resume(tx: Tx, desk: Desk, due: Due, now: datetime) -> Status:
    """End a hold at its time and return the status after it.

    The clock runs on from the promised minute, whenever this sweep came round to it.
    """
    ticket = tickets.lock_id(tx, due.ticket_id)
    command = Command(verb=Verb.RESUME, at=due.clock.resume_at or now, note="挂起时间已到", with_lead=True)
    transition = decide(ticket, command, SYSTEM, desk.policy(tx, due.policy_version))
    tickets.apply(tx, ticket, transition, SYSTEM, now, desk.channels)
    return transition.target


def _climb(tx: Tx, desk: Desk, due: Due, scene: _Scene, rows: _Rows, done: Sweep) -> None:
    steps = desk.policy(tx, due.policy_version).steps(due.level, due.clock.kind)
    climbed, fired = climb(due.clock, steps, scene.now)
    rows.clocks.append((due.clock_id, climbed))
    done.fired += len(fired)
    done.breached += climbed.breached_at is not None and due.clock.breached_at is None
    for one in fired:
        done.max_late_s = max(done.max_late_s, one.late_s)
        _fire(tx, desk, due, one, scene, rows)


def _fire(tx: Tx, desk: Desk, due: Due, fired: Fired, scene: _Scene, rows: _Rows) -> None:
    """Write a step down. Of an incident one ticket speaks: of the others nobody is told, and nobody must answer."""
    clock, now, voice = due.clock, scene.now, _voice(due, scene)
    is_silent = voice is not None and voice.ticket_id != due.ticket_id
    text = fired_text(clock, fired) + _of_incident(due, voice)
    also = (due.notify or ()) if voice is None else voice.notify
    escalation = {
        "ticket_id": due.ticket_id,
        "clock": clock.kind,
        "round": clock.round,
        "step": fired.index,
        "ratio": fired.step.ratio,
        "label": fired.step.label,
        "recipients": [] if is_silent else outbox.resolve((*fired.step.to, *also), due),
        "scheduled_at": fired.scheduled_at,
        "fired_at": now,
        "late_s": fired.late_s,
        "acknowledged_at": now if is_silent else None,
        "acknowledged_by": f"随事件 {number_of(due.incident_id)}" if is_silent else None,
        "answer_s": None,
        "ask_at": None,
    }
    rows.escalations.append(escalation)
    text = _tell(desk, due, fired.step, text, escalation, scene, rows)
    rows.events.append(
        {
            "ticket_id": due.ticket_id,
            "at": now,
            "effective_at": fired.scheduled_at,
            "time_source": "server",
            "kind": "escalate",
            "from_status": due.status,
            "to_status": due.status,
            "actor_id": SYSTEM.user_id,
            "text": text,
        }
    )
    if fired.step.opens_supervision and not due.is_supervised:
        rows.supervised.add(due.ticket_id)
    tx.audit(now, SYSTEM, "escalate", due.number, text=text, late_s=round(fired.late_s, 3))


def _voice(due: Due, scene: _Scene) -> Voice | None:
    return None if due.incident_id is None else scene.voices.get((due.incident_id, due.clock.kind))


def _of_incident(due: Due, voice: Voice | None) -> str:
    """Say of a ticket of an incident how many there are, or who speaks for it; nothing of another one."""
    if voice is None:
        return ""
    incident = number_of(due.incident_id)
    if voice.ticket_id != due.ticket_id:
        return f"; 随事件 {incident}, 由工单 {voice.number} 一并通知"
    return f"; 事件 {incident} 共 {voice.tickets} 张工单, 牵头工单 {voice.lead}"


def _tell(desk: Desk, due: Due, step: Step, text: str, escalation: dict[str, Any], scene: _Scene, rows: _Rows) -> str:
    """Queue the notice of a step, for some in a surge with the next digest; return its text with who is told."""
    surge, told = scene.surge, list[str]()
    for one in escalation["recipients"]:
        if surge is not None and surge.gathers(one, due.level, escalation["ratio"]):
            rows.gathered.append(digests.item(surge.surge_id, one, due.number, due.level, escalation))
        else:
            told.append(one)
    if scene.call is not None:
        text += _name(scene.call, due, step, escalation, rows)
    key = ":".join(str(escalation[name]) for name in ("ticket_id", "clock", "round", "step"))
    channels = [channel for channel in desk.channels if channel != PEOPLE]
    rows.notices += outbox.rows_to(told, f"{due.number} {text}", key, scene.now, channels, due.ticket_id)
    return text


def _name(call: alerts.Call, due: Due, step: Step, escalation: dict[str, Any], rows: _Rows) -> str:
    """Tell the people that a step means, and return in words who they are; nothing where it means nobody."""
    told, matter = alerts.Told(), alerts.Matter(escalation, due.number, due.level)
    people = call.first(matter, escalation["recipients"], told)
    if not people:
        return ""
    rows.alerts.add(told)
    escalation["ask_at"] = call.ask_at(step, told)
    escalation["answer_s"] = step.answer_within and step.answer_within.total_seconds()
    return f"; 通知 {call.words(people, matter)}"


def _write(tx: Tx, rows: _Rows) -> None:
    clocks.save_fired(tx, rows.clocks)
    escalations.add(tx, rows.escalations)
    escalations.open_supervision(tx, sorted(rows.supervised))
    tickets.add_events(tx, rows.events)
    outbox.put(tx, rows.notices)
    digests.add(tx, rows.gathered)
    rows.alerts.write(tx)
