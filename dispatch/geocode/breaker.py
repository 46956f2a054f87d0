"""A circuit breaker: who has failed again and again is left alone for a while, and then asked once."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

# So many in a row, or one that lasts.
FAILURES = 3
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=10)


class State(StrEnum):
    """Closed lets through, open does not, half-open has let one through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class Condition:
    """How a breaker stands.

    Attributes:
        state: As of the last question.
        fault: The last failure in words, empty after a success.
        since: When it came to this state; None where nothing was asked yet.
    """

    state: State
    fault: str
    since: datetime | None


class Breaker:
    """For one service; shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._condition = Condition(State.CLOSED, "", None)

    @property
    def condition(self) -> Condition:
        """How it stands."""
        return self._condition

    def lets_through(self, now: datetime) -> bool:
        """Tell whether the service may be asked; after the pause one may, and the others wait for what becomes of it.

        One whose end nobody reports counts as failed after another pause.
        """
        with self._lock:
            since = self._condition.since
            if self._condition.state is State.CLOSED or since is None:
                return True
            if now - since < self._pause:
                return False
            self._set(State.HALF_OPEN, self._condition.fault, now)
            return True

    def succeeded(self, now: datetime) -> None:
        """Report an answer: all is well again."""
        with self._lock:
            self._failures, self._pause = 0, FIRST_PAUSE
            if self._condition.state is not State.CLOSED or self._condition.fault or self._condition.since is None:
                self._set(State.CLOSED, "", now)

    def failed(self, fault: str, now: datetime, *, permanent: bool) -> None:
        """Report a failure in words; a permanent one opens at once, and for the longest pause."""
        with self._lock:
            self._failures += 1
            was = self._condition.state
            if permanent:
                self._pause = LONGEST_PAUSE
            elif was is State.HALF_OPEN:
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
            if permanent or was is State.HALF_OPEN or self._failures >= FAILURES:
                self._set(State.OPEN, fault, now)
            else:
                self._set(State.CLOSED, fault, now)

    def _set(self, state: State, fault: str, now: datetime) -> None:
        self._condition = Condition(state, fault, now)
