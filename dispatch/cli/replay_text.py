"""The report of a replay for people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from dispatch.cli import tables
from dispatch.domain.sla import CLOCK_LABELS, ClockKind

_ROUTES = {
    "routed": "网格内",
    "nearest": "最近网格",
    "no_zone": "无网格",
    "quarantined": "坐标存疑",
    "unlocated": "未定位",
}


def text(told: Mapping[str, Any]) -> str:
    """Return the lines of the report."""
    return "\n".join((*_head(told), *_clocks(told), *_steps(told), *_rows(told)))


def _head(told: Mapping[str, Any]) -> Iterable[str]:
    yield f"【{told['label']}】"
    if not told["is_complete"]:
        yield f"已中断: 以下是到 {told['ended_at']} 为止的部分结果, 还有 {told['not_reached']} 行没有重放"
    yield f"{told['source']}: {told['first_call_at']} 至 {told['ended_at']}, 政策 {told['policy']}"
    rest = f" + 未到 {told['not_reached']}" if told["not_reached"] else ""
    yield (
        f"行 {told['rows']} = 工单 {told['tickets']} + 并入 {told['attached']} + 答复 {told['answered']}"
        f" + 重复 {told['repeats']} + 错误 {len(told['errors'])}{rest}; 并单 {told['merges']}"
    )
    yield "定位: " + _counts({_ROUTES[status]: count for status, count in told["route_status"].items()})
    yield "网格: " + _counts(told["zones"])
    meanings: Counter[str] = Counter()
    for line in told["categories"]:
        meanings[line["category"]] += line["rows"]
    unknown = sum(line["rows"] for line in told["categories"] if line["found_by"] == "未识别")
    yield f"类别: {_counts(dict(meanings.most_common()))}; 未识别而归入 {told['default_category']} 的 {unknown} 行"


def _clocks(told: Mapping[str, Any]) -> Iterable[str]:
    yield f"时限 (按文件办结 {told['closed_by_file']} 张):"
    for kind, counts in told["clocks"].items():
        rest = f", 进行中 {counts['running']}" if counts["running"] else ""
        yield f"  {CLOCK_LABELS[ClockKind(kind)]}: 按时 {counts['met']}, 超时 {counts['breached']}{rest}"


def _steps(told: Mapping[str, Any]) -> Iterable[str]:
    late = told["lateness_s"]
    yield f"升级 {late['steps']} 步, 晚发最多 {late['max']:.1f} 秒, p99 {late['p99']:.1f} 秒 (模拟时间):"
    for step in told["escalations"]:
        yield f"  {CLOCK_LABELS[ClockKind(step['clock'])]} {step['ratio']:.0%} {step['label']}: {step['count']}"
    yield from (f"  扫描出错: {error}" for error in told["sweep_errors"])


def _rows(told: Mapping[str, Any]) -> Iterable[str]:
    for title, name in (("错误", "errors"), ("已受理, 但办结时间未采用", "remarks")):
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        for row in told[name]:
            column = f"列 {row['column']}: " if row["column"] else ""
            numbers[f"{column}{row['reason']}"].append(row["row"])
        if numbers:
            yield f"{title} {len(told[name])} 行 (表头为第 1 行):"
        yield from (f"  {reason}: {tables.listed(rows)}" for reason, rows in numbers.items())


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "无"
