"""A grid map as a file that can be read in again: GeoJSON, KML or CSV with WKT, in the datum that is asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import shapely
from shapely.geometry import mapping

from dispatch.domain.place import Datum, lonlats_from_wgs84
from dispatch.domain.zone_csv import listed
from dispatch.domain.zones import Zone

# A nanodegree is a tenth of a millimetre; more digits are noise of the last addition.
_DIGITS = 9


class Form(StrEnum):
    """What is written."""

    GEOJSON = "geojson"
    CSV = "csv"
    KML = "kml"


def written(zones: Sequence[Zone], form: Form, *, datum: Datum = Datum.WGS84, is_sample: bool = False) -> bytes:
    """Return the zones as a file in UTF-8, each with its datum; a sample says so wherever the form can."""
    moved = [
        replace(zone, geometry=shapely.transform(zone.geometry, lambda lonlats: lonlats_from_wgs84(lonlats, datum)))
        for zone in zones
    ]
    return _WRITERS[form](zones if datum is Datum.WGS84 else moved, datum, is_sample).encode()


def collection(zones: Sequence[Zone]) -> dict[str, Any]:
    """Return the zones as a FeatureCollection, their borders to the last digit."""
    return {"type": "FeatureCollection", "features": [_feature(zone) for zone in zones]}


def geojson_of(shape: Any) -> dict[str, Any]:
    """Return a geometry as GeoJSON."""
    told: dict[str, Any] = mapping(shape)
    return {"type": told["type"], "coordinates": listed(told["coordinates"])}


def _feature(zone: Zone, **more: str) -> dict[str, Any]:
    return {"type": "Feature", "properties": _properties(zone) | more, "geometry": geojson_of(zone.geometry)}


def _properties(zone: Zone) -> dict[str, Any]:
    return {
        "zone_id": zone.zone_id,
        "name": zone.name,
        "branch": zone.branch,
        "team_id": zone.team_id,
        "in_circle": zone.is_in_circle,
    }


def _geojson(zones: Sequence[Zone], datum: Datum, is_sample: bool) -> str:
    features = [_feature(zone, datum=datum) for zone in zones]
    told = {"type": "FeatureCollection", **({"is_sample": True} if is_sample else {}), "features": features}
    return json.dumps(told, ensure_ascii=False)


def _csv(zones: Sequence[Zone], datum: Datum, _is_sample: bool) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["zone_id", "name", "branch", "team_id", "in_circle", "datum", "wkt"])
    for zone in zones:
        told = _properties(zone) | {"in_circle": "true" if zone.is_in_circle else "false"}
        wkt = shapely.to_wkt(zone.geometry, rounding_precision=_DIGITS, trim=True)
        writer.writerow([*("" if value is None else value for value in told.values()), datum, wkt])
    return "\ufeff" + text.getvalue()


def _kml(zones: Sequence[Zone], datum: Datum, is_sample: bool) -> str:
    title = "供水服务网格" + (" (样例)" if is_sample else "")
    marks = "\n".join(_placemark(zone, datum) for zone in zones)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n'
        f"<name>{escape(title)}</name>\n{marks}\n</Document></kml>\n"
    )


def _placemark(zone: Zone, datum: Datum) -> str:
    told = _properties(zone) | {"datum": datum, "in_circle": "true" if zone.is_in_circle else "false"}
    data = "".join(
        f"<Data name={quoteattr(name)}><value>{escape(str(value))}</value></Data>"
        for name, value in told.items()
        if value is not None and name != "name"
    )
    areas = "".join(_kml_polygon(part) for part in shapely.get_parts(zone.geometry))
    return (
        f"<Placemark><name>{escape(zone.name)}</name><ExtendedData>{data}</ExtendedData>"
        f"<MultiGeometry>{areas}</MultiGeometry></Placemark>"
    )


def _kml_polygon(part: Any) -> str:
    holes = "".join(f"<innerBoundaryIs>{_ring(ring)}</innerBoundaryIs>" for ring in part.interiors)
    return f"<Polygon><outerBoundaryIs>{_ring(part.exterior)}</outerBoundaryIs>{holes}</Polygon>"


def _ring(ring: Any) -> str:
    spots = " ".join(f"{lon:.{_DIGITS}f},{lat:.{_DIGITS}f}" for lon, lat, *_ in ring.coords)
    return f"<LinearRing><coordinates>{spots}</coordinates></LinearRing>"


_WRITERS: dict[Form, Callable[[Sequence[Zone], Datum, bool], str]] = {
    Form.GEOJSON: _geojson,
    Form.CSV: _csv,
    Form.KML: _kml,
}
