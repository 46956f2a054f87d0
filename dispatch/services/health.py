"""Is it well? `status` for the lamp and the load balancer, `examine` for `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.calendar import Calendars
from dispatch.domain.errors import DispatchError
from dispatch.domain.progress import Track, untold
from dispatch.domain.roster_checks import uncovered
from dispatch.domain.times import SHANGHAI
from dispatch.geocode.breaker import State
from dispatch.services import present
from dispatch.services.desk import Desk
from dispatch.services.escalation import Sweep
from dispatch.storage import audit, clocks, directory, health, live, outbox, schema, suggestions
from dispatch.storage.db import Tx

BEAT_S = 5.0
SILENT_AFTER_S = 15.0
_FORGET_AFTER = timedelta(days=1)
# A screen that was away for longer loads its data again.
SIGNALS_KEPT = timedelta(hours=1)
# A notice that has waited so long is a notice nobody sends.
_STUCK_AFTER_S = 300.0
# The scheduler seals every second.
_UNSEALED_FOR_S = 60.0


def beat(desk: Desk, worker: str, now: datetime, totals: Sweep) -> None:
    """Store that this scheduler lives, and drop what has become too old to mean anything."""
    with desk.store.write() as tx:
        health.beat(tx, worker, now, totals.fired, totals.max_late_s)
        health.forget_before(tx, now - _FORGET_AFTER)
        live.forget_signals(tx, now - SIGNALS_KEPT)


def status(desk: Desk, now: datetime) -> dict[str, Any]:
    """Return the state of clocks, scheduler and outbox; `status` is ok, late or down.

    `late`: a step is due and unfired for longer than the setting allows, be it that nobody looked or that it cannot
    be fired. `down`: no scheduler has beaten lately.
    """
    with desk.store.read() as tx:
        next_due_at = clocks.next_due(tx)
        stuck_since = clocks.stuck_since(tx)
        last_beat_at = health.last_beat(tx, now + timedelta(seconds=SILENT_AFTER_S))
        waiting_since = outbox.next_try(tx, None)
        geocoders = _geocoders(tx, desk)
    late_s = max(_age(next_due_at, now), _age(stuck_since, now))
    beat_age_s = None if last_beat_at is None else (now - last_beat_at).total_seconds()
    word = "late" if late_s > desk.settings.late_after_s else "ok"
    if beat_age_s is None or beat_age_s > SILENT_AFTER_S:
        word = "down"
    return {
        "status": word,
        "now": present.time(now),
        "late_s": late_s,
        "next_due_at": present.time(next_due_at),
        "heartbeat_at": present.time(last_beat_at),
        "heartbeat_age_s": beat_age_s,
        "outbox_waiting_s": _age(waiting_since, now),
        "geocoders": [{**one, "since": present.time(one["since"])} for one in geocoders],
    }


def _geocoders(tx: Tx, desk: Desk) -> list[dict[str, Any]]:
    """Return name, state, fault and since of each online geocoder that is on, in the order they are asked."""
    known = suggestions.geocoders(tx) if desk.settings.geocoder_names else {}
    unused = {"state": "unused", "fault": "", "since": None}
    return [
        {"name": name, **{part: known.get(name, unused)[part] for part in unused}}
        for name in desk.settings.geocoder_names
    ]


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `doctor`."""

    what: str
    is_good: bool
    detail: str


def examine(desk: Desk, now: datetime, track: Track = untold) -> list[Finding]:
    """Check schema, grid map, policy, audit chain, heartbeat, clocks, outbox and orphans.

    Args:
        desk: The process's desk.
        now: The server's time.
        track: Iterates over what takes long: the audit chain, and the searches for orphans.
    """
    version, newest = schema.current(desk.store.engine), schema.newest()
    findings = [Finding("schema", version == newest, f"{version or '空'}, 最新 {newest}")]
    if version is None:
        return findings
    with desk.store.snapshot() as tx:
        book = directory.book(tx)
        policy, zone_set = book.policy_at(now), book.zone_set_at(now)
        findings.append(Finding("policy", policy is not None, policy or "没有有效的政策: 运行 init"))
        if policy is not None:
            findings.append(_holidays(desk.policy(tx, policy).calendars, now))
        findings.append(Finding("zones", zone_set is not None, f"v{zone_set}" if zone_set else "没有有效的网格"))
        if policy is not None and zone_set is not None:
            findings.append(_roster(tx, desk, now))
        broken = audit.broken_at(tx.conn, track)
        findings.append(Finding("audit", broken is None, "完整" if broken is None else f"在第 {broken} 条断开"))
        open_s = _age(audit.unsealed_since(tx.conn), now)
        findings.append(Finding("audit seal", open_s <= _UNSEALED_FOR_S, f"最久未封存 {open_s:.0f} 秒"))
        findings += [Finding(name, not count, str(count)) for name, count in health.orphans(tx, track).items()]
        failed = outbox.counts(tx).get("failed", 0)
        findings.append(Finding("outbox failed", not failed, str(failed)))
        findings += [
            Finding(f"channel {name}", False, f"{count} 条没有送出: {error}")
            for name, count, error in outbox.troubles(tx)
        ]
    return [*findings, _roads(desk), *_running(desk, now)]


def _holidays(calendars: Calendars, now: datetime) -> Finding:
    """Next year's holidays are announced late in the year; those of this one must be known."""
    unknown = calendars.unknown_years(now)
    years = "、".join(map(str, unknown))
    detail = f"{years} 年放假安排未知, 按周一至周五计算: 请更新政策的 workdays" if unknown else "今明两年已知"
    return Finding("holidays", now.astimezone(SHANGHAI).year not in unknown, detail)


def _roster(tx: Tx, desk: Desk, now: datetime) -> Finding:
    """A hole that comes within a day is told although it was accepted once; who has no account hears of nothing."""
    rules = desk.rules(tx, now)
    if rules.roster is None:
        return Finding("roster", True, "未发布, 按班组名册次序")
    holes = uncovered(rules.roster, rules.zones.zones, now, now + timedelta(days=1))
    hours = sum(hole.zone_hours for hole in holes)
    strangers = rules.roster.plan.people.keys() - {user["login"] for user in directory.users(tx)}
    detail = f"24 小时内无人当班 {hours:.1f} 网格·小时; {len(strangers)} 人没有账号, 通知不到本人"
    return Finding("roster", not holes, detail)


def _roads(desk: Desk) -> Finding:
    try:
        found = desk.roads.current()
    except DispatchError as error:
        return Finding("roads", False, error.detail)
    return Finding("roads", True, f"v{found.graph_id}" if found else "未导入, 到场时间按直线估算")


def _running(desk: Desk, now: datetime) -> list[Finding]:
    state = status(desk, now)
    waiting = state["outbox_waiting_s"]
    return [
        Finding("scheduler", state["status"] != "down", f"心跳 {state['heartbeat_at'] or '从未'}"),
        Finding("clocks", state["late_s"] <= desk.settings.late_after_s, f"最久未触发 {state['late_s']:.1f} 秒"),
        Finding("outbox", waiting <= _STUCK_AFTER_S, f"最久待发 {waiting:.0f} 秒"),
        *(
            Finding(
                f"geocoder {one['name']}",
                one["state"] != State.OPEN,
                f"{one['state']}, 自 {one['since'] or '从未'} {one['fault']}",
            )
            for one in state["geocoders"]
        ),
    ]
