"""The words of an address: one way of writing for what people write in many, and its parts by their endings."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# Nobody tells where they live in more; the rest of a pasted page is not read.
MAX_CHARS = 300

_DIGITS = {digit: n for n, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SCALES = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = re.compile(r"第?([零〇一二两三四五六七八九十百千]{1,7})(?=号|栋|单元|室|楼|层|期|组|弄|房)")
_SAME = (
    (re.compile(r"号楼"), "栋"),
    (re.compile(r"(?<=街道)(?:办事处|办)"), ""),
    (re.compile(r"十字路口|交叉路口|交叉口|交汇处|交界处|交口"), "路口"),
)
_BUILDING = re.compile(r"[幢橦座]|(?<=[\d一二三四五六七八九十])#")
_NOISE = re.compile(r"[^0-9a-z\u3400-\u9fff\U00020000-\U0003ffff-]+")
_FILLER = re.compile(r"那个|这个|那边|这边|^(?:我家|我们)?(?:住|就)?在|^我家")
_REPEATED = re.compile(r"([\u3400-\u9fff][^\s]{1,11}?)\1+")
_UPPER = re.compile(r"^(?:中国)?(?P<province>湖南省?(?!路|大))?(?P<city>长沙市)?")
_PARTS = (
    ("district", re.compile(r"^([\u3400-\u9fff]{1,3}?(?:(?<!小)区|县|市))(?!委|政府|场)")),
    ("street", re.compile(r"^([\u3400-\u9fff]{1,7}?(?:街道|镇|乡))")),
    ("community", re.compile(r"^([\u3400-\u9fff]{1,9}?(?:社区居委会|社区|村委会|居委会|村(?!路|大)))")),
    ("road", re.compile(r"^([\u3400-\u9fff]{1,8}?(?:大道|路|街|巷|弄)(?!口))")),
)
_ESTATE = re.compile(r"^([\u3400-\u9fffa-z]{2,20}?)(?=\d|$|[a-z]栋)")
_NUMBER = re.compile(r"(\d+(?:-\d+)?)号")
_INSIDE = {
    "phase": re.compile(r"(\d+)期"),
    "building": re.compile(r"([0-9a-z]+)栋"),
    "unit": re.compile(r"(\d+)单元"),
    "room": re.compile(r"(\d{1,2}-\d{3,4}|\d{3,4})(?:室|房|号房|$)"),
}
_HOUSE_END = re.compile(r"(?:\d+单元|\d+[楼层]|(?<=[栋号期元-])\d{1,4}(?:室|房)?$|\d{1,4}[室房]|-?\d{3,4}$)")
_NUMBERED = re.compile(r"\d+(?:-\d+)?(?:号|期|组|栋)?院?|[a-z]栋")
_CROSSING = re.compile(r"([\u3400-\u9fff]{2,12}?[路街巷道])(?:与|和|跟|同|、)([\u3400-\u9fff]{1,12}?[路街巷道]?)路?口")
_RELATION = re.compile(r"(?:的|正|斜)*(对面|旁边|隔壁|附近|后面|前面|门口|楼下|马路边|旁|[东南西北]侧)$")


@dataclass(frozen=True, slots=True)
class Parts:
    """An address taken apart by the endings of its words; None is what it does not say.

    Attributes:
        text: The whole of it in one way of writing.
        crossing: The two roads of a 路口, in order of their names.
        relation: 对面, 旁边 and the like: near the place and not at it.
    """

    text: str
    province: str | None = None
    city: str | None = None
    district: str | None = None
    street: str | None = None
    community: str | None = None
    road: str | None = None
    number: str | None = None
    estate: str | None = None
    phase: str | None = None
    building: str | None = None
    unit: str | None = None
    room: str | None = None
    crossing: tuple[str, str] | None = None
    relation: str | None = None


def plain(text: str) -> str:
    """Return a text in one way of writing: half-width, without spaces and marks, 幢 as 栋, numerals as digits."""
    found = unicodedata.normalize("NFKC", text[:MAX_CHARS]).lower()
    found = _NOISE.sub("", _BUILDING.sub("栋", found))
    found = _NUMERAL.sub(lambda match: numeral(match[1]), found)
    for pattern, same in _SAME:
        found = pattern.sub(same, found)
    found = _FILLER.sub("", found)
    return _REPEATED.sub(r"\1", found)


def numeral(chars: str) -> str:
    """Return a Chinese numeral as digits: 十二 is 12, 一百零三 is 103, and 二零一, read digit by digit, 201."""
    if not any(char in _SCALES for char in chars):
        return "".join(str(_DIGITS[char]) for char in chars)
    total, digit = 0, 0
    for char in chars:
        if char in _SCALES:
            total += (digit or 1) * _SCALES[char]
            digit = 0
        else:
            digit = _DIGITS[char]
    return str(total + digit)


def parse(text: str) -> Parts:
    """Take an address apart by the endings of its words. It knows no place: whether there is one, others say."""
    whole = plain(text)
    relation = _RELATION.search(whole)
    rest = whole[: relation.start()] if relation else whole
    crossing = _CROSSING.search(rest)
    upper = _UPPER.match(rest)
    found: dict[str, str | None] = dict(upper.groupdict()) if upper else {}
    rest = rest[upper.end() :] if upper else rest
    for name, pattern in _PARTS:
        match = None if crossing and name == "road" else pattern.match(rest)
        if match:
            found[name] = match[1]
            rest = rest[match.end() :]
    number = _NUMBER.match(rest)
    if number:
        found["number"] = number[1]
        rest = rest[number.end() :]
    estate = None if crossing else _ESTATE.match(rest)
    found["estate"] = estate[1] if estate else None
    for name, pattern in _INSIDE.items():
        inside = pattern.search(rest)
        found[name] = inside[1] if inside else None
    return Parts(whole, **found, crossing=_pair(crossing), relation=relation[1] if relation else None)


def _pair(crossing: re.Match[str] | None) -> tuple[str, str] | None:
    if crossing is None:
        return None
    one, other = sorted(_road(found) for found in crossing.groups())
    return one, other


def _road(name: str) -> str:
    """劳动路口 names 劳动路: the last sign of the road is that of the crossing as well."""
    return name if name[-1] in "路街巷道" else f"{name}路"


def crossing_name(roads: tuple[str, str]) -> str:
    """Return the one name of a crossing, whichever road is told first."""
    return f"{roads[0]}与{roads[1]}路口"


def without_room(text: str) -> str:
    """Return a plain text up to its house: unit, floor and room left out, so that neighbours are one."""
    before = ""
    while before != text:
        before, text = text, _HOUSE_END.sub("", text)
    return text


def without_numbers(text: str) -> str:
    """Return a plain text without house numbers and buildings: what the whole estate or road is called."""
    return _NUMBERED.sub("", text).strip("-")
