"""Whether a pair of coordinates was declared in the wrong datum, by where its address says that it is.

GCJ-02 is some 660 m off WGS-84 in Changsha, BD-09 some 1,200 m. A pair that misses the address as it is declared, and
meets it in another datum, was likely declared wrong. One that misses it in every datum is a caller who is elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from dispatch.domain.place import Datum, Point, Wgs84Point, datum_of, point_of, to_wgs84
from dispatch.domain.zone_checks import metres_outside

# A pair must miss by so much more than what an address allows: less is a gate on the other side, or an outline drawn
# roughly. The shortest shift is more than three times as long.
_MISS_M = 150.0
DATUM_LABELS = {Datum.WGS84: "WGS-84", Datum.GCJ02: "GCJ-02", Datum.BD09: "BD-09"}


@dataclass(frozen=True, slots=True)
class Landmark:
    """Where an address is known to be.

    Attributes:
        label: What people call it.
        area: Its outline, WGS-84, or the point that stands for it.
        slack_m: Its places lie in there, or within so many metres of it.
    """

    label: str
    area: BaseGeometry
    slack_m: float

    def away_m(self, here: Wgs84Point) -> float:
        """Return the metres from a place to here; 0 inside."""
        return metres_outside(here, self.area)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A datum that is likely the wrong one.

    Attributes:
        declared: The one that was told.
        better: The one in which the pair meets the address.
        label: What it was compared with.
        away_m: How far off it is as declared.
        better_m: And in the better datum; 0 inside.
    """

    declared: Datum
    better: Datum
    label: str
    away_m: float
    better_m: float

    @property
    def values(self) -> Mapping[str, str | int]:
        """What a screen of any language says it with."""
        return {
            "declared": DATUM_LABELS[self.declared],
            "better": DATUM_LABELS[self.better],
            "label": self.label,
            "away": round(self.away_m),
            "near": round(self.better_m),
        }

    @property
    def text(self) -> str:
        """It in words."""
        words = "坐标系可能不对: 按声明的 {declared} 距“{label}” {away} m, 按 {better} 只差 {near} m, 请核对"
        return words.format(**self.values)


def at_point(label: str, point: Wgs84Point, slack_m: float) -> Landmark:
    """Return a landmark of which only a point is known."""
    return Landmark(label, shapely.Point(point.lon, point.lat), slack_m)


def doubt(point: Point, landmark: Landmark) -> Doubt | None:
    """Return the doubt about the datum of a pair whose address is at a landmark, or None."""
    declared = datum_of(point)
    misses = {datum: landmark.away_m(to_wgs84(point_of(point.lon, point.lat, datum))) for datum in Datum}
    better = min(misses, key=misses.__getitem__)
    if misses[declared] <= landmark.slack_m + _MISS_M or misses[better] > landmark.slack_m:
        return None
    return Doubt(declared, better, landmark.label, misses[declared], misses[better])
