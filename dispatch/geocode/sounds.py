"""How names sound: what a caller says and an agent hears is written with other signs, or typed as pinyin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from pypinyin import lazy_pinyin

# A city's names are a few thousand, and are indexed anew with each place that is confirmed.
_NAMES = 1 << 16
# What Changsha does not tell apart: n and l, flat and curled tongue, front and back nasals.
_ALIKE = (
    (re.compile(r"^(z|c|s)h"), r"\1"),
    (re.compile(r"^n"), "l"),
    (re.compile(r"(?<=[aeiu])ng$"), "n"),
)


@cache
def sound(char: str) -> str:
    """Return how a sign sounds to somebody on a bad line; what is no Chinese sign is itself."""
    found = lazy_pinyin(char)[0]
    for pattern, same in _ALIKE:
        found = pattern.sub(same, found)
    return found


def sounds(text: str) -> tuple[str, ...]:
    """Return the sound of each sign."""
    return tuple(map(sound, text))


def sound_key(text: str) -> str:
    """Return the sounds as one word, for a column."""
    return " ".join(sounds(text))


@lru_cache(_NAMES)
def latin(text: str) -> tuple[str, str]:
    """Return a name in pinyin, and its initials."""
    spelled: Sequence[str] = lazy_pinyin(text)
    return "".join(spelled), "".join(part[0] for part in spelled)
