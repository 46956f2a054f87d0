"""The daily report (日报) as HTML and as plain text: tables, bars as own SVG, definitions as foot notes.

Without styles of its own: the page brings some for the screen and for A4, a letter is read as it is. The strict
Content-Security-Policy shows all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape

from dispatch.domain.definitions import DEFINITIONS, MEASURES, OF_CLOCKS, Figure
from dispatch.domain.figures import Group, Kept, Value
from dispatch.domain.sla import CLOCK_LABELS, ClockKind

_UNTOLD = "–"
_BAR, _HIGH = 24, 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a day's report is made of.

    Attributes:
        day: Which Shanghai day.
        calls: How many called.
        whole: The day's figures.
        before: Those of the day before, and of the same weekday a week before, by what they are called.
        branches: The day's figures by branch.
        zones: The grids with most broken promises, the worst first.
        hours: Tickets received by hour, 24 numbers.
        mark: Who made it, and when, in words.
        is_sample: Whether the grids are samples.
    """

    day: date
    calls: int
    whole: Group
    before: Mapping[str, Group]
    branches: Mapping[str, Group]
    zones: Sequence[tuple[str, Group]]
    hours: Sequence[int]
    mark: str
    is_sample: bool

    @property
    def subject(self) -> str:
        """Its heading."""
        return f"96533 供水调度日报 {self.day:%Y-%m-%d}" + (" (示例数据)" if self.is_sample else "")


def share(kept: Kept) -> str:
    """Return how much was on time, and of how many."""
    return _UNTOLD if kept.share is None else f"{kept.share:.1%} ({kept.judged})"


def value(figure: Figure, told: Value) -> str:
    """Return a measure as people read it."""
    if told.value is None:
        return _UNTOLD
    forms = {"share": f"{told.value:.1%}", "count": f"{told.value:.2f}", "minutes": f"{told.value:.1f} 分"}
    return f"{forms[DEFINITIONS[figure].unit]} ({told.of})"


def text(report: Report) -> str:
    """Return the report as plain text."""
    lines = [report.subject, "", f"来电 {report.calls} · 受理工单 {report.whole.tickets}", ""]
    lines += [f"{CLOCK_LABELS[kind]}按时率 {share(report.whole.clocks[kind])}" for kind in _judged(report)]
    lines += [f"{DEFINITIONS[one].zh.label} {value(one, report.whole.measures[one])}" for one in MEASURES]
    lines += ["", report.mark]
    return "\n".join(lines) + "\n"


def article(report: Report) -> str:
    """Return the report as an HTML article."""
    kinds = _judged(report)
    parts = [
        f"<h1>{escape(report.subject)}</h1>",
        f"<p>来电 <b>{report.calls}</b> · 受理工单 <b>{report.whole.tickets}</b></p>",
        "<h2>时限</h2>",
        _table(("时限", "按时率 (应判)", *report.before, "用时中位 / P90 (分)", "超时中位 / P90 (分)"),
               (_clock(report, kind) for kind in kinds)),
        "<h2>受理时段</h2>",
        hours(report.hours),
        "<h2>分公司</h2>",
        _table(("分公司", "工单", *(f"{CLOCK_LABELS[kind]}按时率" for kind in kinds)),
               (_group(name or "未定", one, kinds) for name, one in report.branches.items())),
        "<h2>超时最多的网格</h2>",
        _table(("网格", "工单", *(f"{CLOCK_LABELS[kind]}按时率" for kind in kinds)),
               (_group(name or "未定", one, kinds) for name, one in report.zones)),
        "<h2>服务指标</h2>",
        _table(("指标", "当日", *report.before), (_measure(report, one) for one in MEASURES)),
        "<h2>口径</h2>",
        "<ol>", *(_note(figure) for figure in (*OF_CLOCKS, *MEASURES)), "</ol>",
        f"<p><small>{escape(report.mark)}</small></p>",
    ]  # fmt: skip
    return '<article class="report">\n' + "\n".join(parts) + "\n</article>\n"


def document(report: Report) -> str:
    """Return the article as a document that stands alone."""
    head = f'<meta charset="utf-8"><title>{escape(report.subject)}</title>'
    return f'<!doctype html>\n<html lang="zh-CN"><head>{head}</head><body>\n{article(report)}</body></html>\n'


def hours(counts: Sequence[int]) -> str:
    """Return tickets by hour as bars, the number over each."""
    most, wide = max([*counts, 1]), _BAR * len(counts)
    drawn = []
    for n, number in enumerate(counts):
        tall, left = round(number / most * _HIGH), n * _BAR
        drawn.append(
            f'<rect x="{left + 3}" y="{_HIGH + 16 - tall}" width="{_BAR - 6}" height="{tall}" fill="#595F69"/>'
        )
        middle = f'x="{left + _BAR / 2:.0f}" text-anchor="middle" font-size="11"'
        drawn.append(f'<text {middle} y="{_HIGH + 12 - tall}">{number or ""}</text>')
        drawn.append(f'<text {middle} y="{_HIGH + 30}">{n:02d}</text>')
    told = ", ".join(f"{n} 时 {number}" for n, number in enumerate(counts) if number) or "没有工单"
    return (
        f'<svg viewBox="0 0 {wide} {_HIGH + 36}" width="{wide}" role="img" aria-label="各时段受理: {told}" '
        f'fill="#1A1A1A">{"".join(drawn)}</svg>'
    )


def _judged(report: Report) -> list[ClockKind]:
    return [kind for kind, kept in report.whole.clocks.items() if kept.judged]


def _clock(report: Report, kind: ClockKind) -> Iterable[str]:
    kept = report.whole.clocks[kind]
    before = (share(group.clocks[kind]) for group in report.before.values())
    taken = _pair(kept.median_min, kept.p90_min), _pair(kept.late_median_min, kept.late_p90_min)
    return CLOCK_LABELS[kind], share(kept), *before, *taken


def _pair(middle: float | None, last: float | None) -> str:
    return _UNTOLD if middle is None or last is None else f"{middle:.1f} / {last:.1f}"


def _group(name: str, group: Group, kinds: Iterable[ClockKind]) -> Iterable[str]:
    return name, str(group.tickets), *(share(group.clocks[kind]) for kind in kinds)


def _measure(report: Report, figure: Figure) -> Iterable[str]:
    groups = (report.whole, *report.before.values())
    return DEFINITIONS[figure].zh.label, *(value(figure, group.measures[figure]) for group in groups)


def _note(figure: Figure) -> str:
    said = DEFINITIONS[figure].zh
    told = f"{said.words}。算法: {said.formula}。来源: {said.source}。"
    return f"<li><b>{escape(said.label)}</b>: {escape(told)}</li>"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table, or a word where there is nothing to put into it."""
    filled = list(rows)
    if not filled:
        return "<p>当日没有。</p>"
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(one)}</td>" for one in rest)}</tr>'
        for first, *rest in filled
    )
    return f'<table border="1" cellpadding="4"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
