"""replay: a table of real calls through the real engine on simulated time."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from sqlalchemy.exc import SQLAlchemyError

from dispatch.app import create_app
from dispatch.cli import call_rows, category_words, context, flood, replay_text, tables, zones
from dispatch.domain import policy_file
from dispatch.domain.errors import InvalidInput
from dispatch.domain.place import Datum
from dispatch.domain.roles import SYSTEM
from dispatch.domain.settings import Settings
from dispatch.domain.times import SHANGHAI
from dispatch.services import replay as service
from dispatch.services import replay_report, setup
from dispatch.services.desk import Desk
from dispatch.services.replay import Entry, Fault, Replay

POLICY = context.DATA / "policy.toml"
_LABEL = "重放: 来电和办结时间取自文件, 由模拟班组在办结时一次记完; 文件没有回访记录, 所以回访都超时"


def _time_zone(_ctx: click.Context, _param: click.Parameter, value: str) -> tzinfo:
    try:
        return SHANGHAI if value == "Asia/Shanghai" else ZoneInfo(value)
    except (ValueError, OSError, KeyError) as error:
        raise click.BadParameter(f"没有时区“{value}”, 应如 Asia/Shanghai, America/New_York") from error


@dataclass(frozen=True, slots=True)
class Calls:
    """The file of calls, read."""

    rows: int
    entries: Sequence[Entry]
    faults: Sequence[Fault]
    meanings: Counter[tuple[str, str, str]]
    columns: call_rows.Columns


@click.command()
@click.argument("source", metavar="[CSV]", type=context.ExistingFile, required=False)
@zones.zone_options
@click.option("--datum", type=zones.DATUMS, default="wgs84", show_default=True, help="Datum of the CSV.")
@click.option(
    "--map",
    "pairs",
    multiple=True,
    metavar="COL=FIELD",
    help=f"Column of a field; may be repeated. Fields: {', '.join(call_rows.FIELDS)}.",
)
@click.option(
    "--category-map",
    type=context.ExistingFile,
    help="CSV with columns words,category: the first line whose words occur in the call's category or "
    "description wins. A built-in table by default; what nothing fits becomes `other`.",
)
@click.option(
    "--tz",
    "zone",
    default="Asia/Shanghai",
    show_default=True,
    callback=_time_zone,
    help="Zone of times that name none.",
)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Write the whole report as JSON.")
@click.option("--database", help="Keep the replay in this database, empty or of replays; a temporary one by default.")
@click.option(
    "--horizon-days",
    type=click.IntRange(0, 3650),
    default=60,
    show_default=True,
    help="How long clocks may run on after the last call or closing.",
)
@click.option("--surge", is_flag=True, help="Instead of a CSV: a made-up day with four times the usual calls.")
@click.pass_context
def replay(
    ctx: click.Context, source: Path | None, zone_file: Path, id_field: str | None, name_field: str | None,
    zones_datum: str, datum: str, pairs: Sequence[str], category_map: Path | None, zone: tzinfo,
    report: Path | None, database: str | None, horizon_days: int, surge: bool,
) -> None:  # fmt: skip
    """Replay the calls of a CSV with their own times through the real intake and sweep, on simulated time.

    Usual column names are found by themselves. A row becomes a ticket, an answer, a repeat of an earlier call id, or
    an error that is listed with row (the header is row 1), column and reason; none is skipped. Where a column holds
    the closing time, a labelled crew does all its work at that moment, so the clocks are judged by the file's own
    times. Ctrl+C ends with the report of what was done; a replay may be run again, on its own database too.
    With --surge there is no CSV: a simulated day of frost runs instead (some ten minutes), on a database of its own,
    and what it came to is counted in the database.
    Exit code: 0 done; 1 with error rows, or stopped; 2 where the files cannot be used.
    """
    zone_data = zone_file.read_bytes()
    fields = {"id_field": id_field, "name_field": name_field, "strict_topology": False}
    found = zones.load(zone_data, zones_datum, **fields).zones
    if surge == (source is not None):
        raise click.UsageError("请给出一个 CSV, 或用 --surge 模拟一天")
    if source is None:
        with _installation(database) as desk:
            ctx.exit(0 if flood.replay_day(desk, found, zone_file.name, zone_data, POLICY.read_bytes()) else 1)
    calls = _read(source, call_rows.parse_map(pairs), category_map, Datum(datum), zone)
    with tables.replacing(report) if report else nullcontext() as out, _installation(database) as desk:
        first = min(entry.call.called_at for entry in calls.entries)
        version = service.prepare(desk, POLICY.read_bytes(), first)
        setup.import_zones(
            desk, SYSTEM, found, source=zone_file.name, data=zone_data, valid_from=first, now=first, make_teams=True
        )
        run, is_complete = _run(desk, calls.entries, source, timedelta(days=horizon_days))
        told = _report(source, calls, run, desk) | {"policy": version, "is_complete": is_complete}
        if out is not None:
            json.dump(told, out, ensure_ascii=False, indent=2)
    click.echo(replay_text.text(told))
    ctx.exit(0 if is_complete and not told["errors"] else 1)


def _read(source: Path, asked: dict[str, str], category_map: Path | None, datum: Datum, zone: tzinfo) -> Calls:
    policy = policy_file.parse(policy_file.read_toml(POLICY.read_bytes()))
    words = category_words.read(policy, category_map)
    entries: list[Entry] = []
    faults: list[Fault] = []
    meanings: Counter[tuple[str, str, str]] = Counter()
    with tables.reading(source) as table:
        columns = call_rows.Columns(table, asked)
        reader = call_rows.Reader(columns, words, datum, zone, context.utc_now())
        for row in table.rows():
            read = reader.read(row)
            if isinstance(read, Fault):
                faults.append(read)
            else:
                entry, found_by = read
                entries.append(entry)
                meanings[entry.body["category"], entry.call.category, found_by] += 1
    if not entries:
        first = f"; 第一处: 第 {faults[0].row} 行: {faults[0].reason}" if faults else ""
        raise InvalidInput(f"{source.name} 没有可用的来电, {len(faults)} 行有误{first}")
    return Calls(len(entries) + len(faults), entries, faults, meanings, columns)


@contextmanager
def _installation(database: str | None) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="dispatch-replay-") as folder:
        url = database or f"sqlite:///{folder}/replay.db"
        try:
            desk: Desk = create_app(Settings(database_url=url)).extensions["desk"]
            if database is None:
                desk.store.be_temporary()
            desk.store.engine.connect().close()
        except (SQLAlchemyError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise click.BadParameter(
                f"数据库不可用, 应如 sqlite:////tmp/replay.db: {reason}", param_hint="--database"
            ) from error
        try:
            yield desk
        finally:
            desk.store.close()


def _run(desk: Desk, entries: Sequence[Entry], source: Path, horizon: timedelta) -> tuple[Replay, bool]:
    """Play all of it, or until Ctrl+C, which is heeded between two steps; say whether it was all."""
    fingerprint = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    with context.interruptible() as stopped:
        run = Replay(desk, entries, fingerprint, stopped.is_set)
        with click.progressbar(length=len(entries), label="重放来电", file=sys.stderr, show_pos=True) as bar:
            run.play(bar.update)
        hours = timedelta(hours=1)
        with click.progressbar(length=horizon // hours or 1, label="走完时限 (模拟小时)", file=sys.stderr) as bar:
            run.finish(horizon, lambda passed: bar.update(passed // hours))
    return run, not stopped.is_set()


def _report(source: Path, calls: Calls, run: Replay, desk: Desk) -> dict[str, Any]:
    told = replay_report.summarize(desk, run.tally, run.now)
    errors = sorted((*calls.faults, *run.tally.faults), key=lambda fault: fault.row)
    remarks = sorted(run.tally.remarks, key=lambda fault: fault.row)
    counted = sum(told[name] for name in ("tickets", "attached", "answered", "repeats"))
    return {
        "label": _LABEL,
        "source": source.name,
        "first_call_at": min(entry.call.called_at for entry in calls.entries).isoformat(),
        "ended_at": run.now.isoformat(),
        "rows": calls.rows,
        **told,
        "not_reached": calls.rows - counted - len(errors),
        "default_category": category_words.DEFAULT,
        "categories": [
            {"said": said, "category": category, "found_by": found_by, "rows": count}
            for (said, category, found_by), count in calls.meanings.most_common()
        ],
        "errors": [_row(fault, calls.columns) for fault in errors],
        "remarks": [_row(fault, calls.columns) for fault in remarks],
    }


def _row(fault: Fault, columns: call_rows.Columns) -> dict[str, Any]:
    return {"row": fault.row, "column": columns.name_of(fault.field), "reason": fault.reason}
