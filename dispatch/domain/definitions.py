"""The figures: what each one is called and counts, said once, in both languages; domain/figures.py counts them.

Clocks are judged by their timestamps at the moment of asking: what a sweep noticed, and when, does not matter. What a
ticket does along with the lead of its incident is the lead's visit, hand-over and repair, and is not counted again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Figure(StrEnum):
    """The figures that a page or a report shows, in that order."""

    ON_TIME = "on_time"
    TAKEN = "taken"
    LATENESS = "lateness"
    FIRST_FIX = "first_fix"
    VISITS = "visits"
    HANDOVERS = "handovers"
    RETURNED = "returned"
    CALLED_BACK = "called_back"
    SATISFIED = "satisfied"
    ANSWERED = "answered"
    REPEATED = "repeated"
    ACKNOWLEDGED = "acknowledged"


# The first three are told of each clock; the others are one number of each group.
OF_CLOCKS = (Figure.ON_TIME, Figure.TAKEN, Figure.LATENESS)
MEASURES = tuple(figure for figure in Figure if figure not in OF_CLOCKS)


@dataclass(frozen=True, slots=True)
class Said:
    """What a figure is called, what it counts, how, and what it is counted from, in one language."""

    label: str
    words: str
    formula: str
    source: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A figure in words. `unit`: share, count or minutes; `is_more_better` says which way is good."""

    zh: Said
    en: Said
    unit: str
    is_more_better: bool


DEFINITIONS = {
    Figure.ON_TIME: Definition(
        Said("按时率", "已到结论的时限中, 按时完成的比例; 各轮分别计", "按时 ÷ (按时 + 超时)",
             "工单时限: 到期时间与完成时间"),
        Said("On time", "Of the clocks that are decided, the share met in time; each round counts",
             "in time ÷ (in time + broken)", "clocks: due and met"),
        "share", True,
    ),
    Figure.TAKEN: Definition(
        Said("用时", "从起算到完成, 扣除挂起; 未完成的不计", "完成 − 起算 − 挂起; 中位与 P90",
             "工单时限: 起算与完成时间"),
        Said("Time taken", "From start to met, the pauses left out; unmet ones do not count",
             "met − start − pauses; median and 90th percentile", "clocks: start and met"),
        "minutes", False,
    ),
    Figure.LATENESS: Definition(
        Said("超时幅度", "超时的时限晚了多久; 未完成的算到统计时刻, 已终止的不计", "完成 (或此刻) − 到期; 中位与 P90",
             "工单时限: 到期时间与完成时间"),
        Said("Lateness", "By how much broken clocks were late; unmet ones until now, ended ones do not count",
             "met (or now) − due; median and 90th percentile", "clocks: due and met"),
        "minutes", False,
    ),
    Figure.FIRST_FIX: Definition(
        Said("首次修复率", "已完工的工单中, 只到场一次、没有返工、也不是临时处理的比例; 事件里随牵头工单的不计",
             "一次修复的工单 ÷ 已完工工单", "工单流转记录: 到场、返工"),
        Said("Fixed at the first visit",
             "Of finished tickets, those carried by a lead left out, the share with one visit, no rework, no makeshift",
             "fixed at once ÷ finished", "timeline: arrivals, reworks"),
        "share", True,
    ),
    Figure.VISITS: Definition(
        Said("每单到场次数", "已完工的工单平均到场几次, 各轮合计", "到场次数 ÷ 已完工工单", "工单流转记录: 到场"),
        Said("Visits per ticket", "How often somebody arrived for a finished ticket, all rounds together",
             "arrivals ÷ finished", "timeline: arrivals"),
        "count", False,
    ),
    Figure.HANDOVERS: Definition(
        Said("每单转手次数", "已完工的工单在首次派单之后, 平均又派单或改派几次", "(派单 + 改派 − 1) ÷ 已完工工单",
             "工单流转记录: 派单、改派"),
        Said("Hand-overs per ticket", "How often a finished ticket was given to a team again after the first time",
             "(assignments − 1) ÷ finished", "timeline: assignments"),
        "count", False,
    ),
    Figure.RETURNED: Definition(
        Said("退单率", "受理的工单中, 被退单至少一次的比例", "退过单的工单 ÷ 受理工单", "工单流转记录: 退单"),
        Said("Returned", "Of all tickets the share that a team has returned at least once",
             "returned ÷ received", "timeline: returns"),
        "share", False,
    ),
    Figure.CALLED_BACK: Definition(
        Said("回访率", "留有号码的来电人中, 已接通或已自助答复的比例", "已答复 ÷ 应回访", "回访记录"),
        Said("Called back", "Of callers who left a number the share who were reached or answered by link",
             "heard ÷ to be called", "call-backs"),
        "share", True,
    ),
    Figure.SATISFIED: Definition(
        Said("满意率", "回访中说明是否满意的来电人里, 满意的比例; 公众页的星级评价不计入", "满意 ÷ 已表态", "回访记录"),
        Said("Content",
             "Of those called back who said whether they are content the share who are; stars on the web do not count",
             "content ÷ said so", "call-backs"),
        "share", True,
    ),
    Figure.ANSWERED: Definition(
        Said("直接答复率", "来电中, 当场答复、没有开工单的比例", "当场答复 ÷ 来电", "来电记录"),
        Said("Answered at once", "Of all calls the share that was answered without a ticket",
             "answered ÷ calls", "calls"),
        "share", True,
    ),
    Figure.REPEATED: Definition(
        Said("重复来电率", "来电中, 同一号码在此前 7 天内来过电的比例", "重复来电 ÷ 来电", "来电记录: 号码与时间"),
        Said("Repeated", "Of all calls the share whose number had called within the 7 days before",
             "repeated ÷ calls", "calls: number and time"),
        "share", False,
    ),
    Figure.ACKNOWLEDGED: Definition(
        Said("升级确认用时", "升级发出后到有人确认的中位分钟数; 未确认的不计", "确认 − 发出; 中位", "升级记录"),
        Said("Escalations acknowledged in", "Median minutes until somebody acknowledged a step of the ladder",
             "acknowledged − fired; median", "escalations"),
        "minutes", False,
    ),
}  # fmt: skip
