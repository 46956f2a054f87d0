"""Addresses as callers tell them, made from the code lists: with typos, homophones, parts missing and numerals.

What a text determines is worked out from the lists alone, without the gazetteer.
"""

from __future__ import annotations

import csv
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pypinyin import lazy_pinyin

DATA = Path(__file__).parents[2] / "data" / "places"
_OFFICE = re.compile(r"(社区|村)?(居委会|居民委员会|村委会|村民委员会|委员会|村民委委会)[一二]?$")
_ESTATES = ("金色花园", "御景公寓", "阳光小区", "紫薇小区", "御景花园", "金色小区")
_ROADS = ("枫林路", "劳动路", "韶山路", "人民路")
_OTHER_ROADS = ("金星路", "车站路", "湘府路")
_NOTHING = ("A", "1", "村", "我家没水了", "楼下水管爆了", "hello", "莲花村", "???", "12栋", "", "？")
_NUMERALS = "一二三四五六七八九"


@dataclass(frozen=True)
class Community:
    district: str
    street: str
    name: str

    @property
    def stem(self) -> str:
        return re.sub(r"(社区|村)$", "", self.name)


@dataclass(frozen=True)
class Case:
    """A text; the street that it determines, or None where it determines none; how it was made."""

    text: str
    district: str | None
    street: str | None
    kind: str


def _spoken(official: str) -> str:
    """As people say it: 社区 or 村 at the end."""
    found = _OFFICE.search(official)
    if not found:
        return official
    stem = official[: found.start()]
    if found[1]:
        return stem + found[1]
    return stem if stem.endswith(("村", "社区")) else stem + ("村" if found[2].startswith("村") else "社区")


def communities() -> list[Community]:
    with (DATA / "communities.csv").open(encoding="utf-8") as file:
        return [Community(row["district"], row["street"], _spoken(row["community"])) for row in csv.DictReader(file)]


class Maker:
    """Draws cases from the lists."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.all = communities()
        self.names = Counter(one.name for one in self.all)
        self.in_district = Counter((one.district, one.name) for one in self.all)
        self.known = set(self.names) | {one.street for one in self.all}
        self.sounds = Counter(self.sound(name) for name in {(one.street, one.name) for one in self.all})
        # What a text may leave out or get wrong and still mean one place.
        self.alone = [one for one in self.all if self.names[one.name] == 1 and len(one.name) >= 4]
        self.heard = [one for one in self.alone if self.sounds[self.sound((one.street, one.name))] == 1]
        self.placed = [one for one in self.all if self.in_district[one.district, one.name] == 1 and len(one.name) >= 4]
        self.alike: dict[str, list[str]] = defaultdict(list)
        for char in sorted({char for one in self.all for char in one.name}):
            self.alike[lazy_pinyin(char)[0]].append(char)

    def sound(self, told: tuple[str, str]) -> tuple[str, ...]:
        spelled = (one.removesuffix("g") for one in lazy_pinyin(told[1]))
        return tuple(re.sub(r"^n", "l", re.sub(r"^([zcs])h", r"\1", one)) for one in spelled)

    def house(self) -> str:
        pick = self.random.randint
        return self.random.choice([
            f"{pick(1, 30)}栋{pick(1, 4)}单元{pick(101, 2801)}室", f"{pick(1, 30)}幢{pick(101, 901)}",
            f"{pick(1, 300)}号", f"{self.random.choice(_NUMERALS)}栋", f"第{self.random.choice(_NUMERALS)}栋二零一室",
            f"{pick(1, 40)}号十{self.random.choice(_NUMERALS)}楼", "",
        ])  # fmt: skip

    def homophone(self, word: str) -> str | None:
        places = [n for n, char in enumerate(word[:-1]) if len(self.alike[lazy_pinyin(char)[0]]) > 1]
        if not places:
            return None
        at = self.random.choice(places)
        other = self.random.choice([char for char in self.alike[lazy_pinyin(word[at])[0]] if char != word[at]])
        changed = word[:at] + other + word[at + 1 :]
        return None if changed in self.known else changed

    def typo(self, word: str) -> str:
        at = self.random.randrange(len(word) - 2)
        kind = self.random.randrange(3)
        other = self.random.choice("囗日木土人口目")
        return [word[:at] + other + word[at + 1 :], word[:at] + word[at + 1 :], word[:at] + other + word[at:]][kind]

    def wide(self, text: str) -> str:
        return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)

    # ---------------------------------------------------------------- what the text determines

    def determined(self) -> Iterator[Case]:
        pick = self.random.choice
        one = pick(self.all)
        yield self.case(one, f"湖南省长沙市{one.district}{one.street}{one.name}{self.house()}", "full")
        yield self.case(
            one, f"长沙市长沙市{one.district}{one.district}{one.street}{one.name}{self.house()}", "repeated"
        )
        yield self.case(one, self.wide(f"{one.district} {one.street}，{one.name} {self.house()}"), "full-width")
        yield self.case(one, f"{one.street}{pick(_ESTATES)}{self.house()}", "unknown estate")
        yield self.case(one, f"{one.street}{pick(_ROADS)}与{pick(_OTHER_ROADS)}口", "crossing")
        yield self.case(one, f"{one.street}{one.name}{pick(['对面', '旁边', '正对面', '隔壁'])}", "beside")
        one = pick(self.placed)
        yield self.case(one, f"{one.district}{one.name}{self.house()}", "no street")
        one = pick(self.alone)
        yield self.case(one, f"{one.name}{self.house()}", "community alone")
        one = pick(self.heard)
        if heard := self.homophone(one.name):
            yield self.case(one, f"{one.district}{heard}{self.house()}", "homophone")
        one = pick(self.heard)
        if heard := self.homophone(one.name):
            yield self.case(one, f"{heard}{self.house()}", "homophone alone")
        one = pick([one for one in self.all if len(one.street) >= 4])
        if heard := self.homophone(one.street):
            yield self.case(one, f"{one.district}{heard}{one.name}{self.house()}", "street misheard")
        yield self.case(one, f"{one.district}{one.street}{self.typo(one.name)}{self.house()}", "community mistyped")
        one = pick([one for one in self.alone if len(one.street) >= 4])
        yield self.case(one, f"{one.district}{self.typo(one.street)}{one.name}{self.house()}", "street mistyped")
        yield self.case(one, f"{one.district}{''.join(lazy_pinyin(one.street))}", "half in pinyin")
        yield self.case(one, " ".join(lazy_pinyin(one.street)), "pinyin")

    def case(self, one: Community, text: str, kind: str) -> Case:
        return Case(text, one.district, one.street, kind)

    # ---------------------------------------------------------------- what it does not

    def open(self) -> Iterator[Case]:
        pick = self.random.choice
        streets = defaultdict(set)
        for one in self.all:
            streets[one.name].add((one.district, one.street))
        name = pick([name for name, found in streets.items() if len(found) > 1])
        yield Case(f"{name}{self.house()}", None, None, "two of a name")
        yield Case(f"{pick(_ESTATES)}{self.house()}", None, None, "estate nobody knows")
        one = pick(self.all)
        yield Case(f"{one.district}{pick(_ESTATES)}{self.house()}", one.district, None, "district alone")
        yield Case(f"{pick(_ROADS)}{self.random.randint(1, 900)}号", None, None, "road alone")
        yield Case(f"{pick(_ROADS)}与{pick(_OTHER_ROADS)}口", None, None, "crossing alone")
        other = pick([other for other in self.all if other.district != one.district])
        yield Case(f"{other.district}{one.street}{one.name}", None, None, "contradiction")
        yield Case(pick(_NOTHING), None, None, "nothing")


def cases(seed: int, count: int) -> tuple[list[Case], list[Case]]:
    """At least `count` texts that determine a street, and half as many that do not."""
    maker = Maker(seed)
    determined: list[Case] = []
    while len(determined) < count:
        determined += maker.determined()
    undetermined: list[Case] = []
    while len(undetermined) < count // 2:
        undetermined += maker.open()
    return determined, undetermined
