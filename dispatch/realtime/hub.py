"""One per process: one thread looks when the database has changed, and hands what it finds to all open streams.

The thread runs while somebody is looking. Streams wait in their own threads and cost nothing meanwhile; they are woken
a few at a time, or several hundred threads would stand in front of a request that wants the interpreter as well.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeVar

import structlog

from dispatch.realtime.news import News
from dispatch.realtime.watch import Watch

log = structlog.get_logger()
PULSE_S = 2.0
# Who polls, or comes back after a short break, finds the hub still looking.
LINGER_S = 30.0
# Who has not taken so many pieces of news loads its data again instead.
_MOST_WAITING = 64
_RETRY_S = 1.0
# So many streams are woken at once, and so long is waited before the next.
_SLICE, _PAUSE_S = 10, 0.004
V = TypeVar("V", bound=Hashable)


class Feed(Protocol[V]):
    """Where news come from; `begin` and `look` are called by one thread at a time."""

    @property
    def mark(self) -> str:
        """How far it has been read."""

    def begin(self) -> None:
        """Read from now on."""

    def look(self) -> News[V] | None:
        """Return what is new, or None; what is more than one piece is returned by the next look."""

    def pulse(self) -> News[V]:
        """Return a sign of life."""


class Full(Exception):
    """No thread is left for one more stream."""


class Stream(Generic[V]):
    """What one viewer is yet to be sent."""

    def __init__(self, viewer: V) -> None:
        self.viewer = viewer
        self.is_over = False
        self._is_behind = False
        self._waiting: SimpleQueue[News[V] | None] = SimpleQueue()

    def put(self, news: News[V]) -> None:
        """Add a piece of news, or drop it where the viewer does not keep up."""
        if self._waiting.qsize() < _MOST_WAITING:
            self._waiting.put(news)
        else:
            self._is_behind = True

    def take(self, most_s: float) -> News[V] | None:
        """Return the next piece of news, None after `most_s`, or where the stream is over.

        Raises:
            Behind: if some was dropped.
        """
        try:
            news = self._waiting.get(timeout=most_s)
        except Empty:
            return None
        if self._is_behind:
            self._is_behind = False
            while not self._waiting.empty():
                self._waiting.get()
            raise Behind
        return news

    def end(self) -> None:
        """Wake who waits, to end."""
        self.is_over = True
        self._waiting.put(None)


class Behind(Exception):
    """A viewer did not keep up, and has missed something."""


class Hub(Generic[V]):
    """The streams of one process.

    Args:
        feed: Where news come from.
        make_watch: Makes what the thread waits with.
        most: Streams that may be open at once.
    """

    def __init__(self, feed: Feed[V], make_watch: Callable[[], Watch], most: int) -> None:
        self.feed = feed
        self._make_watch = make_watch
        self._most = most
        self._lock = threading.Lock()
        self._streams: set[Stream[V]] = set()
        self._thread: threading.Thread | None = None
        self._linger_until = 0.0
        self._pulse_at = 0.0
        self._is_stopped = False

    @property
    def open_streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def open(self, viewer: V) -> Stream[V]:
        """Return a stream of all that is new from now on; `close` gives its place back.

        Raises:
            Full: if all places are taken, or the process is about to end.
        """
        with self._lock:
            if self._is_stopped or len(self._streams) >= self._most:
                raise Full
            self._be_awake()
            stream = Stream(viewer)
            self._streams.add(stream)
            return stream

    def close(self, stream: Stream[V]) -> None:
        """Give the place of a stream back; once more does no harm."""
        with self._lock:
            self._streams.discard(stream)
            self._linger_until = time.monotonic() + LINGER_S

    def attend(self) -> None:
        """Have the feed read for a while: somebody polls."""
        with self._lock:
            if not self._is_stopped:
                self._be_awake()

    def stop(self) -> None:
        """End all streams, and the thread within a second."""
        with self._lock:
            self._is_stopped = True
            for stream in self._streams:
                stream.end()

    def _be_awake(self) -> None:
        self._linger_until = time.monotonic() + LINGER_S
        if self._thread is None:
            watch = self._make_watch()
            self.feed.begin()
            self._thread = threading.Thread(target=self._run, args=(watch,), name="live", daemon=True)
            self._thread.start()

    def _run(self, watch: Watch) -> None:
        is_time = True
        while not self._may_rest():
            try:
                # After a find, at once again: there may be more than fits in one.
                is_time = self._look() if is_time else watch.wait(max(0.0, self._pulse_at - time.monotonic()))
                self._beat()
            except Exception as error:
                log.warning("live", error=type(error).__name__)
                is_time = True
                time.sleep(_RETRY_S)
        watch.close()

    def _may_rest(self) -> bool:
        with self._lock:
            if self._is_stopped or (not self._streams and time.monotonic() > self._linger_until):
                self._thread = None
                return True
            return False

    def _look(self) -> bool:
        """Tell what is new, and return whether something was."""
        news = self.feed.look()
        if news is not None:
            self._tell(news)
        return news is not None

    def _beat(self) -> None:
        if time.monotonic() >= self._pulse_at:
            self._pulse_at = time.monotonic() + PULSE_S
            self._tell(self.feed.pulse())

    def _tell(self, news: News[V]) -> None:
        with self._lock:
            streams = list(self._streams)
        concerned = (stream for stream in streams if news.frames(stream.viewer))
        for count, stream in enumerate(concerned, start=1):
            stream.put(news)
            if count % _SLICE == 0:
                time.sleep(_PAUSE_S)
