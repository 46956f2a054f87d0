"""The forms in which people keep grid maps, each brought to the one that is checked: a GeoJSON FeatureCollection.

The content tells the form, not the name of the file: a zip archive holds a Shapefile or KML, markup is KML, a table
with a column of WKT is CSV, and all else must be GeoJSON.
"""

from __future__ import annotations

from typing import Any

from dispatch.domain import zone_archive, zone_csv, zone_kml
from dispatch.domain.zone_json import check_size, load

_ZIP, _BOM = b"PK\x03\x04", b"\xef\xbb\xbf"
_HEAD = 4096


def document_of(data: bytes) -> Any:
    """The file as JSON would have it; whether that is a good FeatureCollection is yet to be seen.

    Raises:
        InvalidZoneFile: if it cannot be read, with the row, line or member at fault.
    """
    check_size(len(data))
    if data.startswith(_ZIP):
        return zone_archive.document_of(data)
    head = data[:_HEAD].removeprefix(_BOM).lstrip()
    if head.startswith(b"<"):
        return zone_kml.document_of(data)
    if not head.startswith((b"{", b"[")) and zone_csv.has_wkt(data):
        return zone_csv.document_of(data)
    return load(data)
