"""Decide, then apply: `decide()` says what a verb does; only storage/tickets.apply() writes it down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from dispatch.domain import ladder, sla
from dispatch.domain.callback import ONE_CALLER, TRIES, Callers, said
from dispatch.domain.errors import IllegalTransition, InvalidInput
from dispatch.domain.incident import JOB, number_of
from dispatch.domain.level_change import LevelChange
from dispatch.domain.orders import Assignment as Assignment
from dispatch.domain.orders import Notice as Notice
from dispatch.domain.orders import Transition as Transition
from dispatch.domain.policy import Area, Policy
from dispatch.domain.roles import Actor
from dispatch.domain.sla import Clock, ClockKind
from dispatch.domain.states import ACTIVE, BEHIND, RULES, STATUS_LABELS, VERB_LABELS, Status, Verb
from dispatch.domain.surge import Widening
from dispatch.domain.temporary import NO_OUTCOME, Temporary, outcome
from dispatch.domain.times import shanghai_text

# What makes a ticket one of its own again.
_OUT: Mapping[str, Any] = {"incident_id": None, "is_carried": False}


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a decision needs to know of a ticket. One that `is_carried` goes along with the lead of its incident.

    `notify` are the audiences that a customer flag adds to the crew.
    """

    id: int
    number: str
    status: Status
    version: int
    round: int
    level: str
    category: str
    area: Area
    policy_version: str
    moved_at: datetime
    team_id: str | None = None
    branch: str | None = None
    pipe_dn: int | None = None
    appointment_at: datetime | None = None
    ruled_team_id: str | None = None
    assisting: tuple[str, ...] = ()
    is_supervised: bool = False
    urge_count: int = 0
    callback_attempts: int = 0
    is_solved: bool | None = None
    merged_into: str | None = None
    incident_id: int | None = None
    is_carried: bool = False
    notify: tuple[str, ...] = ()
    clocks: tuple[Clock, ...] = ()

    def running(self, kind: ClockKind) -> Clock | None:
        """Return the clock of this kind in the current round if it can still be met."""
        found = (c for c in self.clocks if c.kind is kind and c.round == self.round and c.is_running)
        return next(found, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One verb with what it needs; the API's schemas say which fields belong to which verb.

    `asked_at` is when a crew asked for it, where somebody else decides. `with_lead`: the ticket follows the one that
    leads its incident; `is_split`: it leaves that for a job of its own. `callers`: whom this round calls back.
    `widenings`: wider clocks that hold in a surge.
    """

    verb: Verb
    at: datetime
    device_at: datetime | None = None
    reason: str | None = None
    note: str = ""
    assignment: Assignment | None = None
    is_ruled: bool = False
    until: datetime | None = None
    asked_at: datetime | None = None
    target: Ticket | None = None
    is_reached: bool = True
    is_solved: bool | None = None
    is_satisfied: bool | None = None
    with_lead: bool = False
    is_split: bool = False
    temporary: Temporary | None = None
    callers: Callers = ONE_CALLER
    level: str | None = None
    widenings: tuple[Widening, ...] = ()


@dataclass(frozen=True, slots=True)
class _Effect:
    text: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    clocks: tuple[Clock, ...] = ()
    notices: tuple[Notice, ...] = ()


def decide(ticket: Ticket, command: Command, actor: Actor, policy: Policy) -> Transition:
    """Return what `command` does to `ticket`; nothing is written here.

    Raises:
        IllegalTransition: if the verb does not fit the state, with the current state in `extra`.
        InvalidInput: if something the verb needs is missing or contradicts the ticket.
    """
    rule = RULES[command.verb]
    if ticket.status not in rule.sources:
        raise illegal(ticket, f"工单现在是“{STATUS_LABELS[ticket.status]}”, 不能{VERB_LABELS[command.verb]}")
    if ticket.is_carried and command.verb in JOB and not (command.with_lead or command.is_split):
        raise illegal(ticket, f"工单随事件 {number_of(ticket.incident_id)} 处理, 请操作牵头工单, 或先移出事件")
    at, time_source = policy.trusted_time(command.device_at, command.at, ticket.moved_at)
    effect = _EFFECTS.get(command.verb, _plain)(ticket, command, policy, at)
    met = _meet(ticket, rule.meets, at, command) if rule.meets else ()
    changed = {(clock.kind, clock.round): clock for clock in (*met, *effect.clocks)}
    target = rule.target or ticket.status
    moved = {"moved_at": at} if rule.target else {}
    text = f"{actor.label} {VERB_LABELS[command.verb]}"
    details = [part for part in (effect.text, command.note) if part]
    return Transition(
        verb=command.verb,
        source=ticket.status,
        target=target,
        at=at,
        time_source=time_source,
        text=": ".join([text, "; ".join(details)]) if details else text,
        changes={**moved, **effect.changes},
        clocks=tuple(changed.values()),
        notices=effect.notices,
    )


def illegal(ticket: Ticket, detail: str) -> IllegalTransition:
    """Return the error for a verb that does not fit, with the state that the caller should show."""
    return IllegalTransition(detail, current_status=ticket.status.value, current_version=ticket.version)


def _meet(ticket: Ticket, kind: ClockKind, at: datetime, command: Command) -> tuple[Clock, ...]:
    clock = ticket.running(kind)
    if clock is None or (kind is ClockKind.CALLBACK and command.callers.waiting):
        return ()
    if kind is ClockKind.CALLBACK and not command.is_reached and not command.callers.is_heard:
        return (sla.void(clock, command.at),)  # nobody was spoken to: see domain/callback.py
    return (sla.meet(clock, at, command.at),)


def _void_all(ticket: Ticket, now: datetime) -> tuple[Clock, ...]:
    return tuple(sla.void(clock, now) for clock in ticket.clocks if clock.is_running)


def _plain(_ticket: Ticket, _command: Command, _policy: Policy, _at: datetime) -> _Effect:
    return _Effect()


def _need_team(ticket: Ticket, command: Command) -> Assignment:
    if command.assignment is None:
        raise InvalidInput("请指定班组或给出位置", field="team_id")
    if command.verb is Verb.REASSIGN and command.assignment.team_id == ticket.team_id and not command.is_split:
        raise InvalidInput("工单已在该班组, 请选择其他班组", field="team_id")
    return command.assignment


def _dispatch(ticket: Ticket, command: Command, policy: Policy, at: datetime) -> _Effect:
    to = _need_team(ticket, command)
    # Sent back to the team that returned it: that is a ruling, and it holds.
    is_ruled = command.is_ruled or (ticket.status is Status.RETURNED and to.team_id == ticket.team_id)
    changes = {**to.changes, "team_id": to.team_id, "branch": to.branch}
    if is_ruled:
        changes["ruled_team_id"] = to.team_id
    text = f"{to.team_name}, {to.reason}" + (" (裁定, 不得再退)" if is_ruled else "")
    running = [clock for clock in ticket.clocks if clock.is_running]
    clocks = tuple(_resumed(ticket, clock, at, policy) for clock in running if clock.paused_at)
    if to.area is not None and to.area is not ticket.area:
        changes["area"] = to.area
        clocks = tuple(_in_area(ticket, clock, to.area, at, policy) for clock in running)
    clocks = _to_estimate(ticket, clocks, command.at)
    if command.is_split:
        changes |= _OUT
    # Who follows brings the crew no new job.
    told = [] if command.with_lead else [Notice(("crew",), f"新工单 {ticket.number}: {to.reason}")]
    if ticket.notify:
        told.append(Notice(ticket.notify, f"{ticket.number} 涉及重点保障用户, 已派 {to.team_name}"))
    if command.verb is Verb.REASSIGN and to.team_id != ticket.team_id:
        told.append(Notice((f"crew:{ticket.team_id}",), f"{ticket.number} 已改派 {to.team_name}"))
    return _Effect(text, changes, clocks, tuple(told))


def _to_estimate(ticket: Ticket, changed: tuple[Clock, ...], at: datetime) -> tuple[Clock, ...]:
    """Let the way of the new crew be estimated: the arrival clock is changed as well."""
    arrive = next((clock for clock in changed if clock.kind is ClockKind.ARRIVE), ticket.running(ClockKind.ARRIVE))
    if arrive is None:
        return changed
    return (*(clock for clock in changed if clock is not arrive), sla.assign(arrive, at))


def _in_area(ticket: Ticket, clock: Clock, area: Area, at: datetime, policy: Policy) -> Clock:
    """Go on under the promise of `area`, still from 受理; a hold ends. The original due time is kept."""
    shift = _promised(ticket, clock, area, policy) - _promised(ticket, clock, ticket.area, policy)
    moved = sla.extend(clock, clock.due_at + shift)
    return _resumed(ticket, moved, at, policy)


def _promised(ticket: Ticket, clock: Clock, area: Area, policy: Policy) -> datetime:
    limit = policy.limits_for(ticket.level, area, ticket.pipe_dn, ticket.category).get(clock.kind)
    due_at = limit and limit.within.after(clock.start_at, policy.calendars, ticket.branch, ticket.appointment_at)
    # No such promise there: the one that was given stands.
    return due_at or clock.original_due_at


def _isolate(ticket: Ticket, _command: Command, _policy: Policy, _at: datetime) -> _Effect:
    if ticket.running(ClockKind.ISOLATE) is None:
        raise illegal(ticket, "本工单没有待止水的时限 (已止水, 或不属爆管类)")
    return _Effect()


def _done(ticket: Ticket, command: Command, policy: Policy, at: datetime) -> _Effect:
    limits = policy.limits_for(ticket.level, ticket.area, ticket.pipe_dn, ticket.category)
    # From when the desk knows of it: nobody can ring about work that a phone without signal has not yet told.
    rung = limits[ClockKind.CALLBACK]
    callback = policy.start_clock(ticket.level, rung, ticket.round, command.at, branch=ticket.branch)
    # Whoever repaired a main has also stopped the water.
    clocks = (
        *_meet(ticket, ClockKind.ISOLATE, at, command),
        *filter(None, (callback if command.callers.can_ring else None,)),
    )
    return _Effect(clocks=clocks, changes={"is_solved": None, "callback_attempts": 0, **outcome(command.temporary)})


def _callback(ticket: Ticket, command: Command, _policy: Policy, _at: datetime) -> _Effect:
    attempts = ticket.callback_attempts + 1
    if not command.is_reached:
        return _Effect(f"第 {attempts} 次未接通", {"callback_attempts": attempts})
    if command.is_solved is None:
        raise InvalidInput("接通后请记录问题是否解决", field="is_solved")
    text, follow_up = said(command.is_solved, command.is_satisfied), command.callers.follow_up
    changes = {"callback_attempts": attempts, **command.callers.in_all(command.is_solved, command.is_satisfied)}
    told = Notice(("dispatcher",), f"{ticket.number} 回访{text}, {follow_up or '请安排返工'}")
    notices = (told,) if follow_up or not command.is_solved else ()
    return _Effect(", ".join(filter(None, (text, follow_up))), changes, notices=notices)


def _close(ticket: Ticket, command: Command, _policy: Policy, _at: datetime) -> _Effect:
    if ticket.is_solved is False:
        raise illegal(ticket, "用户表示未解决, 请返工")
    if waiting := command.callers.waiting:
        raise illegal(ticket, f"请先回访: 还有 {waiting} 位来电人没有回访; {TRIES} 次未接通也算回访过")
    return _Effect(clocks=_void_all(ticket, command.at), changes={"ended_at": command.at})


def _return(ticket: Ticket, command: Command, policy: Policy, _at: datetime) -> _Effect:
    if ticket.team_id == ticket.ruled_team_id:
        raise illegal(ticket, "该工单已裁定由本班组处理, 不能再退单")
    text = policy.check_reason("return", command.reason)
    return _Effect(text, notices=(Notice(("dispatcher",), f"{ticket.number} 退单: {text}"),))


def _hold(ticket: Ticket, command: Command, policy: Policy, _at: datetime) -> _Effect:
    text = "随牵头工单" if command.with_lead else policy.check_reason("hold", command.reason)
    if command.until is None or command.until <= command.at:
        raise InvalidInput("请给出晚于现在的恢复时间", field="until")
    clock = ticket.running(ClockKind.FIX)
    clocks = (sla.pause(clock, command.at, command.until),) if clock else ()
    return _Effect(f"{text}, {shanghai_text(command.until)} 恢复", clocks=clocks)


def _resumed(ticket: Ticket, clock: Clock, at: datetime, policy: Policy) -> Clock:
    limit = policy.limits_for(ticket.level, ticket.area, ticket.pipe_dn, ticket.category).get(clock.kind)
    calendar = limit.within.calendar(policy.calendars, ticket.branch) if limit else None
    return ladder.schedule(sla.resume(clock, at, calendar), policy.steps(ticket.level, clock.kind))


def _resume(ticket: Ticket, _command: Command, policy: Policy, at: datetime) -> _Effect:
    # The trusted time: a pause that ended without signal is no longer than it was.
    clock = ticket.running(ClockKind.FIX)
    return _Effect(clocks=(_resumed(ticket, clock, at, policy),) if clock else ())


def _extend(ticket: Ticket, command: Command, policy: Policy, _at: datetime) -> _Effect:
    clock = ticket.running(ClockKind.FIX)
    # Asked in time is in time, however long the answer took.
    if clock is None or (command.asked_at or command.at) >= clock.due_at:
        raise illegal(ticket, "延期须在完工到期之前提出")
    earliest = max(clock.due_at, command.at)
    if command.until is None or command.until <= earliest:
        raise InvalidInput(f"新的到期时间须晚于 {shanghai_text(earliest)}", field="until")
    why = policy.check_extension(command.reason, command.note)
    moved = ladder.schedule(sla.extend(clock, command.until), policy.steps(ticket.level, clock.kind))
    text = f"完工时限改为 {shanghai_text(command.until)}"
    return _Effect(f"{why}, {text}" if why else text, clocks=(moved,))


def _urge(ticket: Ticket, _command: Command, _policy: Policy, _at: datetime) -> _Effect:
    count = ticket.urge_count + 1
    text = f"第 {count} 次催单"
    told = Notice(("crew", "dispatcher"), f"{ticket.number} {text}")
    return _Effect(text, {"urge_count": count}, notices=(told,))


def _supervise(ticket: Ticket, command: Command, _policy: Policy, _at: datetime) -> _Effect:
    if ticket.is_supervised:
        raise illegal(ticket, "工单已在督办中")
    told = Notice(("crew", "area_lead", "branch_duty"), f"{ticket.number} 督办: {command.note}")
    return _Effect(changes={"is_supervised": True}, notices=(told,))


def _assist(ticket: Ticket, command: Command, _policy: Policy, _at: datetime) -> _Effect:
    to = _need_team(ticket, command)
    if to.team_id == ticket.team_id or to.team_id in ticket.assisting:
        raise InvalidInput("该班组已在处理此工单", field="team_id")
    told = Notice((f"crew:{to.team_id}",), f"协办 {ticket.number}")
    return _Effect(to.team_name, {"assisting": [*ticket.assisting, to.team_id]}, notices=(told,))


def _merge(ticket: Ticket, command: Command, _policy: Policy, _at: datetime) -> _Effect:
    target = command.target
    if target is None or target.id == ticket.id:
        raise InvalidInput("请给出另一张工单的编号", field="into")
    if target.status not in ACTIVE:
        raise InvalidInput(f"目标工单已{STATUS_LABELS[target.status]}, 不能并入", field="into")
    changes = {"merged_into": target.number, "ended_at": command.at}
    return _Effect(f"并入 {target.number}", changes, _void_all(ticket, command.at))


def _cancel(ticket: Ticket, command: Command, policy: Policy, _at: datetime) -> _Effect:
    text = policy.check_reason("cancel", command.reason)
    told = (Notice(("crew",), f"{ticket.number} 已取消: {text}"),)
    return _Effect(text, {"ended_at": command.at}, _void_all(ticket, command.at), told)


def _rework(ticket: Ticket, command: Command, policy: Policy, _at: datetime) -> _Effect:
    if not command.note:
        raise InvalidInput("请写明返工原因", field="note")
    again = replace(ticket, round=ticket.round + 1, appointment_at=None)
    changes = {"round": again.round, "is_solved": None, "is_satisfied": None, "callback_attempts": 0, **NO_OUTCOME}
    fresh = first_clocks(again, policy, command.at)
    text = f"第 {again.round} 轮"
    if ticket.is_carried:  # it is one caller's own job now
        changes |= _OUT
        text += f", 移出事件 {number_of(ticket.incident_id)}"
    limits = policy.limits_for(ticket.level, ticket.area, ticket.pipe_dn, ticket.category)
    if ClockKind.ARRIVE in limits and not any(clock.kind is ClockKind.ARRIVE for clock in fresh):
        text += ", 无预约, 到场时限不计"
    told = Notice(("crew",), f"返工 {ticket.number}: {command.note}")
    return _Effect(text, changes, (*_void_all(ticket, command.at), *fresh), (told,))


def _relevel(ticket: Ticket, command: Command, policy: Policy, _at: datetime) -> _Effect:
    level = command.level
    if level is None or level not in policy.levels or level == ticket.level:
        raise InvalidInput(f"请选择另一等级: {', '.join(policy.levels)}", field="level")
    if not command.note:
        raise InvalidInput("请写明改级理由", field="note")
    change = LevelChange(
        policy=policy,
        before=ticket.level,
        after=level,
        limits=policy.limits_for(level, ticket.area, ticket.pipe_dn, ticket.category),
        round=ticket.round,
        at=command.at,
        branch=ticket.branch,
        appointment_at=ticket.appointment_at,
        passed=BEHIND.get(ticket.status, ()),
        widenings=command.widenings,
    )
    clocks = change.clocks(ticket.clocks)
    text = change.text(clocks)
    if ticket.team_id and any(clock.kind is ClockKind.ARRIVE and clock.is_running for clock in clocks):
        clocks = _to_estimate(ticket, clocks, command.at)
    told = Notice(("crew", "dispatcher"), f"{ticket.number} 改级: {text}")
    return _Effect(text, {"level": level}, clocks, (told,))


def first_clocks(ticket: Ticket, policy: Policy, start_at: datetime) -> tuple[Clock, ...]:
    """Return the clocks that start a round: all but callback, which starts when 完工 is told."""
    limits = policy.limits_for(ticket.level, ticket.area, ticket.pipe_dn, ticket.category)
    round_ = (limit for kind, limit in limits.items() if kind is not ClockKind.CALLBACK)
    started = (
        policy.start_clock(ticket.level, one, ticket.round, start_at, ticket.appointment_at, ticket.branch)
        for one in round_
    )
    return tuple(clock for clock in started if clock)


_EFFECTS: dict[Verb, Callable[[Ticket, Command, Policy, datetime], _Effect]] = {
    Verb.DISPATCH: _dispatch, Verb.REASSIGN: _dispatch, Verb.ISOLATE: _isolate, Verb.DONE: _done,
    Verb.CALLBACK: _callback, Verb.CLOSE: _close, Verb.RETURN: _return, Verb.HOLD: _hold, Verb.RESUME: _resume,
    Verb.EXTEND: _extend, Verb.URGE: _urge, Verb.SUPERVISE: _supervise, Verb.ASSIST: _assist, Verb.MERGE: _merge,
    Verb.CANCEL: _cancel, Verb.REWORK: _rework, Verb.RELEVEL: _relevel,
}  # fmt: skip
