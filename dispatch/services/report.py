"""The daily report (日报): made for whoever looks at it or takes it away, and for a letter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dispatch.domain import figures as counting
from dispatch.domain import report_page
from dispatch.domain.errors import InvalidInput
from dispatch.domain.figures import By, Group
from dispatch.domain.report_page import Report
from dispatch.domain.roles import SYSTEM, Actor, Permission, check_permitted, team_seen
from dispatch.domain.times import shanghai_text
from dispatch.services import basemap, figures
from dispatch.services.desk import Desk
from dispatch.services.figures import Asked
from dispatch.services.summing import bounds

# So many grids are named, those with most broken promises.
_WORST = 10
_YEARS = range(2000, 2101)
_EARLIER = {"前一日": timedelta(days=1), "上周同日": timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Letter:
    """A report to be sent: `html` is a whole document, `text` says the most of it plainly."""

    subject: str
    text: str
    html: str


def daily_report(desk: Desk, day: date, now: datetime) -> Letter:
    """Return the report of a Shanghai day as a letter that nobody has asked for by name.

    Raises:
        InvalidInput: if the day lies outside of 2000 to 2100.
        FiguresBehind: if the days are not summed up yet.
    """
    report = _made(desk, None, SYSTEM.name, day, now)
    return Letter(report.subject, report_page.text(report), report_page.document(report))


def shown(desk: Desk, actor: Actor, day: date, now: datetime) -> str:
    """Return the report of a Shanghai day as an HTML article; crews see their own team's.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the day lies outside of 2000 to 2100.
        FiguresBehind: if the days are not summed up yet.
    """
    check_permitted(actor, Permission.READ)
    return report_page.article(_made(desk, team_seen(actor), actor.label, day, now))


def taken_away(desk: Desk, actor: Actor, day: date, now: datetime) -> str:
    """Return the report as a document to keep; who took it is on it and in the audit.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the day lies outside of 2000 to 2100.
        FiguresBehind: if the days are not summed up yet.
    """
    check_permitted(actor, Permission.READ)
    report = _made(desk, team_seen(actor), actor.label, day, now)
    with desk.store.write() as tx:
        tx.audit(now, actor, "export", "report", day=day.isoformat())
    return report_page.document(report)


def _made(desk: Desk, team: str | None, maker: str, day: date, now: datetime) -> Report:
    if day.year not in _YEARS:
        raise InvalidInput(f"日期应在 {_YEARS[0]} 到 {_YEARS[-1]} 年之间", field="day")
    start, end = bounds(day)
    asked = Asked(start=start, end=end, only={} if team is None else {"team": team})
    with desk.store.snapshot() as tx:
        facts = figures.load(tx, None, asked)
        earlier = {
            name: figures.load(tx, None, Asked(start=start - back, end=end - back, only=asked.only))
            for name, back in _EARLIER.items()
        }
    hours = {key: group.tickets for key, group in counting.count(facts, By.HOUR, now).items()}
    return Report(
        day=day,
        calls=len(facts.calls["id"]),
        whole=counting.count(facts, None, now)[""],
        before={name: counting.count(some, None, now)[""] for name, some in earlier.items()},
        branches=counting.count(facts, By.BRANCH, now),
        zones=_worst(counting.count(facts, By.ZONE, now)),
        hours=[hours.get(f"{n:02d}", 0) for n in range(24)],
        mark=f"{maker} 于 {shanghai_text(now)} 生成 · 统计到该时刻 · 仅供内部使用",
        is_sample=basemap.is_sample(desk, now),
    )


def _worst(zones: dict[str, Group]) -> list[tuple[str, Group]]:
    """Return the grids with most broken promises, the worst first; those that kept all are left out."""

    def broken(group: Group) -> int:
        return sum(kept.judged - kept.on_time for kept in group.clocks.values())

    late = [(name, group) for name, group in zones.items() if broken(group)]
    return sorted(late, key=lambda pair: (-broken(pair[1]), pair[0]))[:_WORST]
