"""So many times within so long, and what counts as one visitor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dispatch.domain.limits import Limit, TooOften, network_of

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
LIMIT = Limit(2, timedelta(hours=1))


def ago(*minutes: float) -> list[datetime]:
    return [NOW - timedelta(minutes=n) for n in minutes]


def test_up_to_the_limit_all_is_well() -> None:
    LIMIT.check([], NOW)
    LIMIT.check(ago(0), NOW)


@pytest.mark.parametrize(("minutes", "wait_s"), [((50, 10), 600), ((59, 50, 10), 600), ((0, 0), 3600), ((60, 0), 1)])
def test_beyond_it_one_waits_until_the_oldest_that_counts_is_gone(minutes: tuple[float, ...], wait_s: int) -> None:
    with pytest.raises(TooOften, match="96533") as caught:
        LIMIT.check(ago(*minutes), NOW)
    assert caught.value.extra == {"retry_after_s": wait_s}


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("?", "?"),
    ],
)
def test_what_counts_as_one_visitor(address: str, network: str) -> None:
    assert network_of(address) == network
