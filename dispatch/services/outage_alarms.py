"""Before the announced end, at it, and hourly past it, somebody is asked whether water is back: each alarm once.

Law 2: `alarm_at` is a column; whoever finds it due moves it on in the transaction that queues the notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.outage import KEPT_AFTER_END, next_alarm
from dispatch.domain.roles import SYSTEM
from dispatch.domain.times import shanghai_text, span_text
from dispatch.services import live
from dispatch.services.desk import Desk, Rules
from dispatch.storage import outages, outbox
from dispatch.storage.db import Tx

_DIRECTOR_AFTER = timedelta(hours=2)


def ring(desk: Desk, clock: Callable[[], datetime], is_stopped: Callable[[], bool] = lambda: False) -> int:
    """Ring every alarm that is due, each in a transaction of its own, and return how many.

    Args:
        desk: The process's desk.
        clock: Reads the time, anew in each transaction.
        is_stopped: Asked before each transaction; once it says yes, the rest is left to the next one.
    """
    rung = 0
    while not is_stopped():
        with desk.store.read() as tx:
            if not outages.is_due(tx, clock()):
                break
        if not _one(desk, clock):
            break
        rung += 1
    return rung


def _one(desk: Desk, clock: Callable[[], datetime]) -> bool:
    """Ring the first alarm; False where another process holds what is due."""
    with desk.store.write() as tx:
        now = clock()
        row = outages.lock_due(tx, now)
        if row is None:
            return False
        _ring(tx, desk, row, now)
    return True


def _ring(tx: Tx, desk: Desk, row: Mapping[str, Any], now: datetime) -> None:
    text = _text(row, now)
    recipients = _recipients(desk.rules(tx, now), row, now)
    # An end that was moved has alarms of its own.
    key = f"outage:{row['id']}:{row['version']}:{row['alarms']}"
    outbox.put(tx, outbox.rows_to(recipients, text, key, now, desk.channels))
    rung, before = row["alarms"] + 1, timedelta(minutes=desk.settings.outage_alarm_min)
    # Of those that nobody rang in time one is enough.
    while (alarm_at := next_alarm(row["ends_at"], before, rung)) is not None and alarm_at <= now:
        rung += 1
    outages.change(tx, row["id"], {"alarms": rung, "alarm_at": alarm_at})
    tx.audit(now, SYSTEM, "outage-alarm", f"outage {row['id']}", text=text, recipients=recipients)
    live.tell(tx, "outage", str(row["id"]), now)


def _recipients(rules: Rules, row: Mapping[str, Any], now: datetime) -> list[str]:
    """The dispatcher, the duty manager of every branch with a grid in it, and some hours past the end the director."""
    branches = [zone.branch for zone in rules.zones.zones if zone.zone_id in row["touched_ids"] and zone.branch]
    to = ["dispatcher", *dict.fromkeys(f"branch_duty:{branch}" for branch in branches)]
    return [*to, "hotline_director"] if now >= row["ends_at"] + _DIRECTOR_AFTER else to


def _text(row: Mapping[str, Any], now: datetime) -> str:
    what = f"停水公告 {row['id']}“{row['title']}”"
    left_s = (row["ends_at"] - now).total_seconds()
    due = f"预计 {shanghai_text(row['ends_at'])} 恢复"
    if left_s > 0:
        return f"{what}{due}, 还有 {span_text(left_s)}: 能否按时恢复? 不能请延长"
    late = f"{what}{due}, 已过 {span_text(left_s)}仍未恢复: 请恢复供水或延长"
    return f"{late}; 从此刻起不再以它答复来电, 无水来电照常派单" if -left_s >= KEPT_AFTER_END.total_seconds() else late
