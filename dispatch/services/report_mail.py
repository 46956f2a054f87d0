"""The daily report (日报) by e-mail: each morning once to each reader, however many schedulers look."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from dispatch.domain.contact import Way
from dispatch.domain.roles import SYSTEM
from dispatch.domain.times import SHANGHAI
from dispatch.services import report
from dispatch.services.desk import Desk
from dispatch.storage import accounts, outbox

_DAY = timedelta(days=1)


def send(desk: Desk, now: datetime) -> int:
    """Queue the report of yesterday for each reader who has none yet, and return for how many.

    From the time of the settings on until midnight: a scheduler that was down sends it late, and never that of a day
    before.

    Raises:
        FiguresBehind: if yesterday is not summed up yet; to be tried again.
    """
    local = now.astimezone(SHANGHAI)
    readers = desk.settings.report_readers
    if not readers or local.time() < time.fromisoformat(desk.settings.report_at):
        return 0
    day = local.date() - _DAY
    keys = {f"report:{day}:{address}": address for address in readers}
    with desk.store.read() as tx:
        if not keys.keys() - outbox.known(tx, keys):
            return 0
    letter = report.daily_report(desk, day, now)
    with desk.store.write() as tx:
        accounts.line_up(tx, f"report:{day}")
        missing = sorted(keys.keys() - outbox.known(tx, keys))
        rows = [outbox.row(None, Way.EMAIL, [f"email:{keys[key]}"], letter.text, key, now) for key in missing]
        outbox.put(tx, [{**row, "html": letter.html} for row in rows])
        if rows:
            tx.audit(now, SYSTEM, "report-mail", day.isoformat(), readers=len(rows))
    return len(rows)
