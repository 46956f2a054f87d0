"""How alike two texts of callers are. The tools for it, rapidfuzz and the sounds of signs, live in this room."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from rapidfuzz import fuzz

from dispatch.domain.address_text import plain
from dispatch.geocode.sounds import sounds


@lru_cache(maxsize=8192)
def _read(text: str) -> tuple[str, frozenset[str]]:
    """Return a text in one way of writing, and its pairs of signs: the words of Chinese, near enough."""
    told = plain(text)
    return told, frozenset(map("".join, pairwise(told)))


def likeness(one: str, other: str) -> float | None:
    """Return how alike two descriptions are, from 0 to 1, by signs and by words; None where one says nothing."""
    (a, pairs_a), (b, pairs_b) = _read(one), _read(other)
    if not pairs_a or not pairs_b:
        return None
    by_signs = fuzz.token_ratio(a, b) / 100
    by_words = len(pairs_a & pairs_b) / min(len(pairs_a), len(pairs_b))
    return (by_signs + by_words) / 2


def sound_alike(one: str | None, other: str | None) -> bool:
    """Whether two names are heard as one, though they are written differently."""
    return bool(one and other and len(one) == len(other) >= 3 and sounds(one) == sounds(other))
