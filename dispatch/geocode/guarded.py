"""A geocoder behind a circuit breaker and a cache; the same port."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from dispatch.domain.address import Candidate
from dispatch.geocode.breaker import Breaker, Condition
from dispatch.geocode.cache import Cache
from dispatch.geocode.port import Geocoder, GeocoderDown


class Guarded:
    """Asks only who is worth asking.

    Args:
        geocoder: The one behind.
        clock: Reads the time.
    """

    def __init__(self, geocoder: Geocoder, clock: Callable[[], datetime]) -> None:
        self.name, self.datum = geocoder.name, geocoder.datum
        self._geocoder, self._clock = geocoder, clock
        self._breaker, self._cache = Breaker(), Cache()

    @property
    def condition(self) -> Condition:
        """How the breaker stands."""
        return self._breaker.condition

    def find(self, text: str) -> Sequence[Candidate]:
        """Return what is kept, or ask; see the port.

        Raises:
            GeocoderDown: where it does not answer, or is left alone because it did not.
        """
        known = self._cache.get(text, self._clock())
        if known is not None:
            return known
        if not self._breaker.lets_through(self._clock()):
            raise GeocoderDown(f"暂停使用 ({self.condition.fault})", permanent=False)
        try:
            found = self._geocoder.find(text)
        except GeocoderDown as error:
            self._breaker.failed(error.detail, self._clock(), permanent=error.permanent)
            raise
        except Exception as error:  # its own fault, such as a name that cannot be looked up: it must not stay half-open
            self._breaker.failed("服务故障", self._clock(), permanent=False)
            raise GeocoderDown("服务故障", permanent=False) from error
        self._breaker.succeeded(self._clock())
        self._cache.put(text, found, self._clock())
        return found
