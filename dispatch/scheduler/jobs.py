"""APScheduler wakes services, and nothing else: sweep, delivery, seal, geocoding, moves, proposals, surges.

Any number of processes may run one; the database decides who fires a step. Each job sleeps until the next due
time, one second at most; the sweep is woken early when a commit brings something earlier.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeVar

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from dispatch.domain.contact import Way
from dispatch.domain.settings import PEOPLE
from dispatch.domain.surge import Move
from dispatch.notify.port import Abandoned, Channel, Parcel, Taken
from dispatch.notify.sms import Sms
from dispatch.services import (
    alerts,
    answering,
    arrival,
    calibration,
    delivery,
    escalation,
    follow_up,
    health,
    incident_watch,
    outage_alarms,
    positions,
    receipts,
    recipients,
    report_mail,
    sealing,
    suggesting,
    summing,
    surge,
    widening,
    zone_moves,
)
from dispatch.services.desk import Desk
from dispatch.services.figures import FiguresBehind
from dispatch.services.lookup import Lookup
from dispatch.services.routing import guarded

T = TypeVar("T")
log = structlog.get_logger()
# How long a stop waits for a receiver to answer. A web worker is killed after three seconds: what was sent should be
# marked before that.
_GRACE_S = 2.0
_LOOK_S = 0.1
# In a surge calls go first: estimates take a fifth of a processor at most, and come a little later.
_REST = 4
_TIDY_EVERY = timedelta(minutes=5)
# What has moved since is read anew for each answer: a minute of calls, a few milliseconds.
_SUM_EVERY = timedelta(seconds=30)
_REPORT_EVERY = timedelta(minutes=1)
_OPTIONS = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}


def utc_now() -> datetime:
    """Read the clock: here, at the edge."""
    return datetime.now(UTC)


class _Watchful(BackgroundScheduler):  # type: ignore[misc]  # APScheduler publishes no types
    """Looks up at least once every `cap`: it plans by the wall clock, and would sleep an hour when that is set back."""

    def __init__(self, cap: timedelta) -> None:
        super().__init__(timezone=UTC)
        self._cap = cap

    def _process_jobs(self) -> float:
        horizon = utc_now() + self._cap
        with self._jobstores_lock:
            for job in self.get_jobs():
                if job.next_run_time > horizon:
                    job.modify(next_run_time=horizon)
        wait_s: float | None = super()._process_jobs()
        cap_s = self._cap.total_seconds()
        return cap_s if wait_s is None else min(wait_s, cap_s)


class _Stoppable:
    """A channel whose receiver is not waited for once the process is to stop.

    The thread that waits on is a daemon: it holds up nobody's end.
    """

    def __init__(self, channel: Channel, stopping: threading.Event) -> None:
        self._channel, self._stopping = channel, stopping

    def send(self, parcel: Parcel, now: datetime) -> Taken | None:
        """Send.

        Raises:
            Abandoned: if the answer was not waited for.
        """
        return _or_leave(partial(self._channel.send, parcel, now), self._stopping)


def _or_leave(work: Callable[[], T], stopping: threading.Event) -> T:
    """Do what waits for somebody outside, in a thread that a stop leaves behind after a moment.

    Raises:
        Abandoned: if the end was not waited for.
    """
    answer: Future[T] = Future()
    threading.Thread(target=_do, args=(work, answer), daemon=True).start()
    while not wait([answer], _LOOK_S).done and not stopping.is_set():
        pass
    if not wait([answer], _GRACE_S).done:
        raise Abandoned
    return answer.result()


def _do(work: Callable[[], T], answer: Future[T]) -> None:
    try:
        done = work()
    except BaseException as error:
        answer.set_exception(error)
    else:
        answer.set_result(done)


class _Stopping(Exception):
    """What is left of a sweep is left to others."""


class Jobs:
    """The scheduler of one process."""

    def __init__(
        self,
        desk: Desk,
        channels: Mapping[str, Channel],
        lookup: Lookup | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._desk = desk
        self._lookup = lookup
        self._stopping = threading.Event()
        self._channels = {name: _Stoppable(channel, self._stopping) for name, channel in channels.items()}
        sms = channels.get(Way.SMS)
        self._teller = sms if isinstance(sms, Sms) else None
        self._now = now
        self._cap = timedelta(seconds=desk.settings.sweep_cap_s)
        self._scheduler = _Watchful(self._cap)
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._totals = escalation.Sweep()
        self._beaten_at: datetime | None = None
        self._next_sweep_at = self._tidied_at = self._summed_at = now()
        self._reported_at: datetime | None = None
        self._planning = threading.Lock()
        self._watch = incident_watch.Watch(desk)

    def start(self) -> None:
        """Start all jobs at once."""
        every = IntervalTrigger(seconds=self._cap.total_seconds(), timezone=UTC)
        jobs: dict[str, Callable[[], None]] = {"sweep": self._sweep, "seal": self._seal, "ways": self._look_at_ways}
        jobs |= {"moves": self._move, "incidents": self._propose, "cases": self._remind, "outages": self._ring}
        jobs |= {"names": self._read_names, "surge": self._watch_surge, "articles": self._remind_of_articles}
        jobs |= {"figures": self._sum_up, "alerts": self._chase}
        if self._desk.settings.report_readers:
            jobs["report"] = self._report
        if PEOPLE in self._desk.channels:
            jobs["people"] = self._address
        if self._teller is not None:
            jobs["receipts"] = partial(self._ask_for_receipts, self._teller)
        jobs |= {f"deliver-{name}": partial(self._deliver, name) for name in self._channels}
        if self._lookup is not None and self._lookup.geocoders:
            jobs["geocode"] = partial(self._geocode, self._lookup)
        # A thread for each: however many wait for somebody outside, the sweep does not wait for them.
        self._scheduler.add_executor(ThreadPoolExecutor(len(jobs)))
        for name, job in jobs.items():
            self._scheduler.add_job(job, every, id=name, next_run_time=self._now(), **_OPTIONS)
        self._scheduler.start()
        self._desk.store.on_commit = self.wake

    def stop(self) -> None:
        """Let the batch under way finish, and stop; a receiver that does not answer is left to its lease."""
        # APScheduler waits for its jobs under the lock that planning takes: from here on nobody plans.
        with self._planning:
            self._stopping.set()
        self._desk.store.on_commit = None
        self._scheduler.shutdown(wait=True)

    def wake(self, at: datetime) -> None:
        """Sweep at `at` if that is before the next look: called after a commit with the earliest alarm it set."""
        if at < self._next_sweep_at:
            self._sweep_at(at)

    def _sweep_at(self, at: datetime) -> None:
        with self._planning:
            if not self._stopping.is_set():
                self._next_sweep_at = at
                self._scheduler.modify_job("sweep", next_run_time=at)

    def _sweep(self) -> None:
        begun = self._now()
        try:
            done = escalation.catch_up(self._desk, self._now, self._between_batches)
        except _Stopping:
            return
        self._totals.fired += done.fired
        self._totals.max_late_s = max(self._totals.max_late_s, done.max_late_s)
        if done.fired or done.resumed or done.errors:
            log.info("sweep", fired=done.fired, resumed=done.resumed, late_s=round(done.max_late_s, 3))
        for error in done.errors:
            log.error("sweep-row", detail=error)
        self._beat(self._now())
        self._sweep_at(self._next_look(done.next_due_at, begun))

    def _next_look(self, next_due_at: datetime | None, begun: datetime) -> datetime:
        now = self._now()
        latest = now + self._cap
        if next_due_at is None or next_due_at <= begun:  # nothing, or what another sweeper holds
            return latest
        return min(max(next_due_at, now), latest)

    def _between_batches(self, _count: int) -> None:
        """Live on in a long catch-up, but not when told to stop."""
        if self._stopping.is_set():
            raise _Stopping
        self._beat(self._now())

    def _beat(self, now: datetime) -> None:
        if self._beaten_at is None or abs((now - self._beaten_at).total_seconds()) >= health.BEAT_S:
            health.beat(self._desk, self._worker, now, self._totals)
            self._beaten_at = now

    def _deliver(self, channel: str) -> None:
        done = delivery.deliver(self._desk, {channel: self._channels[channel]}, self._now, self._stopping.is_set)
        if done.retried or done.failed:
            log.warning("deliver", channel=channel, sent=done.sent, retried=done.retried, failed=done.failed)

    def _chase(self) -> None:
        """Tell the next one where nobody has answered."""
        alerts.chase(self._desk, self._now)

    def _address(self) -> None:
        """Turn what waits for people into rows for each of them."""
        recipients.fan_out(self._desk, self._now())

    def _ask_for_receipts(self, teller: receipts.Teller) -> None:
        ask = partial(receipts.ask, self._desk, Way.SMS, teller, self._now)
        with suppress(Abandoned):  # its lease runs out, and another asks again
            _or_leave(ask, self._stopping)

    def _look_at_ways(self) -> None:
        """Estimate who will be there in time, all that is due; now and then note who arrived, and forget places."""
        is_more = True
        while is_more and not self._stopping.is_set():
            began = time.monotonic()
            is_more = arrival.look(self._desk, self._now()) == arrival.BATCH
            if is_more:
                self._stopping.wait(_REST * (time.monotonic() - began))
        now = self._now()
        if abs(now - self._tidied_at) >= _TIDY_EVERY:
            self._tidied_at = now
            while not self._stopping.is_set() and self._desk.calibration.observe() == calibration.BATCH:
                pass
            positions.forget(self._desk, now)

    def _geocode(self, lookup: Lookup) -> None:
        ask = partial(suggesting.suggest, self._desk, lookup, self._now, self._stopping.is_set)
        try:
            done = _or_leave(ask, self._stopping)
        except Abandoned:  # its lease runs out, and another asks again
            return
        if done.retried:
            log.warning("geocode", found=done.found, unknown=done.unknown, retried=done.retried)

    def _move(self) -> None:
        done = zone_moves.carry_on(self._desk, self._now, self._stopping.is_set)
        if done.moved or done.refused:
            log.info("moves", moved=done.moved, refused=done.refused)

    def _propose(self) -> None:
        proposed = self._watch.look(self._now())
        if proposed:
            log.info("incidents", proposed=proposed)

    def _remind(self) -> None:
        done = follow_up.remind(self._desk, self._now, self._stopping.is_set)
        if done:
            log.info("cases", reminded=done)

    def _read_names(self) -> None:
        """Keep the names of places at hand, so that the first call by its address waits for nothing."""
        guarded(self._desk.gazetteers.refresh)

    def _ring(self) -> None:
        rung = outage_alarms.ring(self._desk, self._now, self._stopping.is_set)
        if rung:
            log.info("outage-alarms", rung=rung)

    def _watch_surge(self) -> None:
        """Begin and end surges by their thresholds, send the digests that are due, widen what was approved."""
        done = surge.watch(self._desk, self._now)
        if done.move in (Move.ENTER, Move.LEAVE):
            log.warning("surge", move=done.move.value)
        widened = widening.carry_on(self._desk, self._now, self._stopping.is_set)
        if done.digests or widened:
            log.info("surge", digests=done.digests, widened=widened)

    def _remind_of_articles(self) -> None:
        answering.remind(self._desk, self._now())

    def _report(self) -> None:
        """Send the daily report when it is due; where the figures are behind, a minute later again."""
        now = self._now()
        if self._reported_at is not None and abs(now - self._reported_at) < _REPORT_EVERY:
            return
        self._reported_at = now
        try:
            readers = report_mail.send(self._desk, now)
        except FiguresBehind as error:
            log.warning("report", waits=error.detail)
            return
        if readers:
            log.info("report", readers=readers)

    def _sum_up(self) -> None:
        """Sum up the days of what has moved, in a fifth of the time at most: a long history beside the work."""
        now = self._now()
        if abs(now - self._summed_at) < _SUM_EVERY:
            return
        self._summed_at = now
        began = time.monotonic()

        def rest() -> bool:
            nonlocal began
            is_over = self._stopping.wait(_REST * (time.monotonic() - began))
            began = time.monotonic()
            return is_over

        read = summing.carry_on(self._desk, self._now, rest)
        if read > summing.BATCH:
            log.info("figures", read=read)

    def _seal(self) -> None:
        sealing.seal(self._desk)
