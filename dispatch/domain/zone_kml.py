"""Grids in KML, as Google Earth, Ovi and most map tools of a phone write it.

Source: OGC KML 2.2. Parsed without entities or external parts, so that a small file stays small.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dispatch.domain.zone_json import MAX_VERTICES, of_file, refusal

_SHAPES = ("Polygon", "MultiGeometry", "Point", "LineString", "LinearRing", "Model", "Track")


def document_of(data: bytes) -> dict[str, Any]:
    """The placemarks as a FeatureCollection: their names and extended data are the properties.

    Raises:
        InvalidZoneFile: if it is no KML.
    """
    if data.count(b",") > 4 * MAX_VERTICES:
        raise refusal([of_file(f"文件太大: 顶点上限 {MAX_VERTICES:,} 个, 请先简化边界")])
    try:
        root = fromstring(data)
    except ParseError as error:
        line, column = error.position
        raise refusal([of_file(f"文件不是 KML: XML 第 {line} 行第 {column + 1} 列有误")]) from error
    except (DefusedXmlException, ValueError, LookupError) as error:
        raise refusal([of_file("文件不是可用的 KML: 不接受实体、DTD 或未知的编码")]) from error
    if _name(root) != "kml":
        raise refusal([of_file(f"文件是 XML 但不是 KML (根元素 {_name(root)[:40]})")])
    marks = [element for element in root.iter() if _name(element) == "Placemark"]
    return {"type": "FeatureCollection", "features": [_feature(mark) for mark in marks]}


def _name(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _children(element: Element, *names: str) -> Iterator[Element]:
    return (child for child in element if _name(child) in names)


def _feature(mark: Element) -> dict[str, Any]:
    properties: dict[str, Any] = {_name(child): child.text for child in _children(mark, "name", "description")}
    if mark.get("id"):
        properties["id"] = mark.get("id")
    for data in mark.iter():
        if _name(data) == "Data" and data.get("name"):
            properties[str(data.get("name"))] = next((value.text for value in _children(data, "value")), None)
        elif _name(data) == "SimpleData" and data.get("name"):
            properties[str(data.get("name"))] = data.text
    if properties.get("in_circle") in ("true", "false"):
        properties["in_circle"] = properties["in_circle"] == "true"
    shapes = list(_children(mark, *_SHAPES))
    return {"type": "Feature", "properties": properties, "geometry": _geometry(shapes[0]) if shapes else None}


def _geometry(shape: Element) -> dict[str, Any]:
    if _name(shape) == "Polygon":
        return {"type": "Polygon", "coordinates": _polygon(shape)}
    if _name(shape) != "MultiGeometry":
        return {"type": _name(shape)}
    parts = [child for child in shape.iter() if _name(child) in _SHAPES and _name(child) not in ("MultiGeometry",)]
    areas = [part for part in parts if _name(part) != "LinearRing"]
    if any(_name(part) != "Polygon" for part in areas):
        return {"type": "GeometryCollection"}
    return {"type": "MultiPolygon", "coordinates": [_polygon(part) for part in areas]}


def _polygon(shape: Element) -> list[list[list[Any]]]:
    """The outer ring first, then the holes; a ring that is not there is an empty one."""
    outer = [ring for border in _children(shape, "outerBoundaryIs") for ring in _rings(border)]
    inner = [ring for border in _children(shape, "innerBoundaryIs") for ring in _rings(border)]
    return [*(outer[:1] or [[]]), *inner]


def _rings(border: Element) -> Iterator[list[list[Any]]]:
    for ring in _children(border, "LinearRing"):
        text = next((child.text or "" for child in _children(ring, "coordinates")), "")
        yield [[_number(part) for part in tuple_.split(",")] for tuple_ in text.split()]


def _number(text: str) -> float | None:
    """A number, or None for what is none: the check of the rings says where."""
    try:
        return float(text)
    except ValueError:
        return None
