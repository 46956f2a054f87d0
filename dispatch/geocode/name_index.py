"""Where the names of places occur in a text: as they are written, as they sound, nearly, in pinyin, by initials."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from dispatch.domain.address import Level
from dispatch.geocode.places import Place, Strength, forms
from dispatch.geocode.sounds import latin, sounds

_LONGEST = 16
_LATIN = re.compile(r"[a-z]{4,}")
_LATIN_WORDS = re.compile(r"room|building|unit|street|road|district|city|changsha|hunan|china|community|near|no")
# After part of a name this begins another word: 朝阳路 is not in 朝阳社区.
_FREE_AFTER = re.compile(r"$|[^\u3400-\u9fff]|[的那附旁对斜边门隔后前东南西北]")
_CLOSED_BEFORE = re.compile(r"[区县市镇乡道村路街的在\W\da-z]$|^$")
_ROAD_AFTER = re.compile(r"[路街巷大]")
_SEGMENT = re.compile(r"[\u3400-\u9fff]{2,}?(?:街道|镇|乡|社区|村|小区|$)|[\u3400-\u9fff]{3,}")


class How(StrEnum):
    """In what way a name is in the text."""

    EXACT = "名称一致"
    SOUND = "同音"
    TYPO = "名称相近"
    LATIN = "拼音一致"
    INITIALS = "拼音首字母一致"


@dataclass(frozen=True, slots=True)
class Hit:
    """A name in a text.

    Attributes:
        start: Where it begins in the plain text.
        end: Where it ends.
        how: In what way.
        strength: How much of the name is there.
        places: What it can mean.
        form: The name as it is known.
    """

    start: int
    end: int
    how: How
    strength: Strength
    places: tuple[Place, ...]
    form: str

    @property
    def length(self) -> int:
        """How many signs it covers."""
        return self.end - self.start


class NameIndex:
    """The names of places, ready to be found. Immutable; shared by threads."""

    def __init__(self, places: Sequence[Place]) -> None:
        exact: defaultdict[str, dict[Place, Strength]] = defaultdict(dict)
        for place in places:
            for form, strength in forms(place):
                if len(form) >= 2:
                    exact[form][place] = max(strength, exact[form].get(place, strength))
        self._exact = dict(exact)
        self._by_sound: defaultdict[str, list[str]] = defaultdict(list)
        self._by_latin: defaultdict[str, list[str]] = defaultdict(list)
        self._by_initials: defaultdict[str, list[str]] = defaultdict(list)
        for form in self._exact:
            self._add_sounds(form)
        self._full = [form for form in self._exact if len(form) >= 3 and self._strength(form) is Strength.FULL]

    def _strength(self, form: str) -> Strength:
        return max(self._exact[form].values())

    def _add_sounds(self, form: str) -> None:
        if len(form) >= 3:
            self._by_sound[" ".join(sounds(form))].append(form)
        if self._strength(form) > Strength.WEAK:
            spelled, initials = latin(form)
            self._by_latin[spelled].append(form)
            if len(initials) >= 4:
                self._by_initials[initials].append(form)

    def hits(self, text: str) -> list[Hit]:
        """Return the names in a plain text, from left to right; none overlaps another."""
        found = _apart(text, [*self._written(text), *self._spoken(text)])
        found += self._nearly(text, found)
        found += self._spelled(text)
        return sorted(found, key=lambda hit: hit.start)

    def _hit(self, start: int, end: int, how: How, names: Sequence[str]) -> Hit:
        strengths: dict[Place, Strength] = {}
        for name in names:
            for place, strength in self._exact[name].items():
                strengths[place] = max(strength, strengths.get(place, strength))
        best = max(strengths.values())
        places = tuple(place for place, strength in strengths.items() if strength is best)
        return Hit(start, end, how, best, places, names[0])

    def _written(self, text: str) -> Iterator[Hit]:
        for start in range(len(text) - 1):
            for end in range(start + 2, min(len(text), start + _LONGEST) + 1):
                if text[start:end] in self._exact:
                    yield self._hit(start, end, How.EXACT, [text[start:end]])

    def _spoken(self, text: str) -> Iterator[Hit]:
        heard = sounds(text)
        for start in range(len(text) - 2):
            for end in range(start + 3, min(len(text), start + _LONGEST) + 1):
                names = self._by_sound.get(" ".join(heard[start:end]))
                if names and text[start:end] not in names:
                    yield self._hit(start, end, How.SOUND, names)

    def _nearly(self, text: str, found: Sequence[Hit]) -> list[Hit]:
        """Names with a sign wrong, missing or too many, in what is left of the text."""
        chars = list(text)
        for hit in found:
            chars[hit.start : hit.end] = " " * hit.length
        hits = []
        for segment in _SEGMENT.finditer("".join(chars)):
            word = segment[0]
            if len(word) >= 4:
                most = 1 if len(word) < 7 else 2
                near = process.extract(word, self._full, scorer=Levenshtein.distance, score_cutoff=most, limit=9)
                # 阳光小区 is no 阳光社区: the kind of place is what people get right.
                near = [one for one in near if len(one[0]) > 3 and one[0][-2:] == word[-2:]]
                names = [name for name, distance, _ in near if distance == near[0][1]]
                if names:
                    hits.append(self._hit(segment.start(), segment.end(), How.TYPO, names))
        return hits

    def _spelled(self, text: str) -> list[Hit]:
        hits = []
        for run in _LATIN.finditer(_LATIN_WORDS.sub(lambda word: " " * len(word[0]), text)):
            if run[0] in self._by_initials:
                hits.append(self._hit(run.start(), run.end(), How.INITIALS, self._by_initials[run[0]]))
            else:
                hits += self._pinyin(run[0], run.start())
        return hits

    def _pinyin(self, run: str, offset: int) -> Iterator[Hit]:
        start = 0
        while start < len(run):
            ends = range(len(run), start + 3, -1)
            end = next((end for end in ends if run[start:end] in self._by_latin), None)
            if end is not None:
                yield self._hit(offset + start, offset + end, How.LATIN, self._by_latin[run[start:end]])
            start = end or start + 1


def _apart(text: str, hits: Sequence[Hit]) -> list[Hit]:
    """Of names that overlap keep the longest, and of those the one that is written so; drop parts of other words."""
    ranked = sorted(hits, key=lambda hit: (hit.length + (hit.how is How.EXACT) * 0.5, hit.strength), reverse=True)
    kept: list[Hit] = []
    for hit in ranked:
        if all(hit.end <= one.start or one.end <= hit.start for one in kept):
            kept.append(hit)
    while True:
        free = [hit for hit in kept if _is_free(text, hit, kept)]
        if len(free) == len(kept):
            return kept
        kept = free


def _is_free(text: str, hit: Hit, others: Sequence[Hit]) -> bool:
    """Whether the name stands for itself: it is no part of a longer word that nobody knows."""
    is_led = any(one.end == hit.start for one in others) or bool(_CLOSED_BEFORE.search(text[: hit.start]))
    is_followed = any(one.start == hit.end for one in others)
    level = hit.places[0].level
    if level is Level.DISTRICT and hit.strength is Strength.WEAK:
        return is_led and is_followed
    if hit.strength is Strength.FULL:
        is_village_road = level is Level.COMMUNITY and bool(_ROAD_AFTER.match(text[hit.end :]))
        return not is_village_road and (is_led or hit.length >= 4)
    return is_led and (is_followed or bool(_FREE_AFTER.match(text[hit.end :])))


def narrowed(hit: Hit, places: Sequence[Place]) -> Hit:
    """Return the hit with fewer meanings."""
    return replace(hit, places=tuple(places))
