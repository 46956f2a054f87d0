"""Keep the facts of each day for the figures: what has moved since the last look is read anew, in bounded batches.

Nothing is written when a ticket moves: its events say that it did. Any number of schedulers may do this; of two that do
the same at once one writes and the other lets go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from dispatch.domain import facts as values
from dispatch.domain.facts import Facts
from dispatch.domain.times import shanghai_day, shanghai_midnight
from dispatch.services.desk import Desk
from dispatch.storage import figures
from dispatch.storage.db import Tx
from dispatch.storage.figures import Mark

# Events, and calls, of one batch: some tenths of a second of one processor.
BATCH = 5_000
# A number is drawn a moment before its transaction is seen to run; so long after, it is seen or will never be.
SETTLED_AFTER = timedelta(seconds=5)


def carry_on(desk: Desk, clock: Callable[[], datetime], between: Callable[[], bool]) -> int:
    """Bring the kept days up to what is settled now; return how many tickets and calls were read.

    Args:
        desk: The process's desk.
        clock: The server's time.
        between: Called after each batch but the last; True ends it here.
    """
    total = 0
    while True:
        count, is_more = batch(desk, clock())
        total += count
        if not is_more or between():
            return total


def batch(desk: Desk, now: datetime) -> tuple[int, bool]:
    """Read one batch; return how many tickets and calls, and whether more is waiting."""
    with desk.store.read() as tx:
        known = figures.mark(tx)
        until = _settled(tx, known, now)
        if until == known:
            return 0, False
        tickets, event_id = figures.moved_tickets(tx, known.event_id, until.event_id, BATCH)
        calls, call_id = figures.moved_calls(tx, known.call_id, until.call_id, BATCH)
        fresh = figures.facts_of(tx, tickets, calls)
        days = {shanghai_day(at) for at in (*tickets.values(), *calls.values())}
        pages = {day: _page(figures.days(tx, known, day, day), day, fresh, tickets, calls) for day in sorted(days)}
    is_more = (event_id, call_id) != (until.event_id, until.call_id)
    # What was seen to be settled stays so until all of it is read.
    after = replace(known if is_more else until, event_id=event_id, call_id=call_id)
    with desk.store.write() as tx:
        if not figures.move_mark(tx, known, after):
            return 0, False
        for day, page in pages.items():
            figures.put_day(tx, day, page)
    return len(tickets) + len(calls), is_more


def _settled(tx: Tx, known: Mark, now: datetime) -> Mark:
    """Return up to where nothing can come any more that cannot be seen yet."""
    event_id, call_id = figures.newest(tx)
    if tx.dialect == "sqlite":
        return replace(known, event_id=event_id, call_id=call_id)
    oldest, next_ = figures.transactions(tx)
    if known.seen_at is None or (known.seen_event, known.seen_call) == (known.event_id, known.call_id):
        if (event_id, call_id) == (known.event_id, known.call_id):
            return known
        return replace(known, seen_event=event_id, seen_call=call_id, seen_until=next_, seen_at=now)
    if known.seen_until > oldest or abs(now - known.seen_at) < SETTLED_AFTER:
        return known
    seen = replace(known, event_id=known.seen_event, call_id=known.seen_call)
    return replace(seen, seen_event=event_id, seen_call=call_id, seen_until=next_, seen_at=now)


def _page(
    packed: Sequence[bytes], day: date, fresh: Facts, tickets: Mapping[int, datetime], calls: Mapping[int, datetime]
) -> bytes:
    """Return a kept day with what has moved in place of what was there."""
    kept = [values.without(values.unpack(data), tickets, calls) for data in packed]
    return values.pack(values.join([*kept, values.within(fresh, *bounds(day))]))


def bounds(day: date) -> tuple[datetime, datetime]:
    """Return when a Shanghai day begins, and when the next one does."""
    start = shanghai_midnight(day)
    return start, start + timedelta(days=1)
