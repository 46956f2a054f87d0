"""How often somebody without a login may do something: so many times within so long."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dispatch.domain.errors import DispatchError
from dispatch.domain.signin import wait_text

# A household or a phone is given a whole network of IPv6 addresses.
_IPV6_PREFIX = 64


class TooOften(DispatchError):
    """A limit is used up; `extra["retry_after_s"]` says how long to wait."""

    code = "too-often"
    status = 429

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            f"操作过于频繁, 请在 {wait_text(wait_s)}后再试; 紧急情况请直接拨打 96533", retry_after_s=wait_s
        )


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` times within any span of `within`."""

    most: int
    within: timedelta

    def check(self, times: Sequence[datetime], now: datetime) -> None:
        """Check whether one more is allowed.

        Args:
            times: When it was done within the span before `now`, oldest first.
            now: The moment.

        Raises:
            TooOften: if not, with the seconds until it will be.
        """
        if len(times) >= self.most:
            free_at = times[-self.most] + self.within
            raise TooOften(max(1, -((now - free_at) // timedelta(seconds=1))))


def network_of(address: str) -> str:
    """Return what counts as one visitor: an IPv4 address, or the /64 network of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]  # a socket without addresses
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
