"""The port of travel times: roads, a service on the network, or an honest guess along the straight line."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from dispatch.domain.place import Wgs84Point

Kind = Literal["road", "line", "service"]


@dataclass(frozen=True, slots=True)
class Eta:
    """How long somebody takes to a place: a range, since nobody knows the traffic.

    Attributes:
        low_s: Seconds when all goes well.
        high_s: Seconds to reckon with; at least `low_s`.
        kind: What it was found on: roads, the straight line, or a service on the network.
        note: For people, in Chinese, such as `约 15–25 分, 直线估算`.
    """

    low_s: float
    high_s: float
    kind: Kind
    note: str


class EtaProvider(Protocol):
    """Tells travel times to one place from many.

    Attributes:
        name: Short and unique, such as `roads`.
    """

    name: str

    def etas(self, target: Wgs84Point, origins: Sequence[Wgs84Point]) -> Sequence[Eta | None]:
        """Return the time from each origin to the target, in their order; None where nothing can be said."""


def range_text(low_s: float, high_s: float) -> str:
    """Return a range in whole minutes, rounded outwards, as people say it: `15–25 分`."""
    low, high = int(low_s // 60), max(1, math.ceil(high_s / 60))
    return f"{low}–{high} 分" if low else f"{high} 分内"
