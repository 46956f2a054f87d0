"""Terms of a text for full-text search: Chinese has no spaces, so single characters and pairs are the words."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

_RUN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[0-9a-z]+")


def _runs(text: str) -> list[str]:
    return _RUN.findall(unicodedata.normalize("NFKC", text).lower())


def index_terms(text: str) -> list[str]:
    """Return the terms to index: words of letters and digits, and of Chinese each character and each pair."""
    terms: dict[str, None] = {}
    for run in _runs(text):
        if run.isascii():
            terms[run] = None
            continue
        terms.update(dict.fromkeys(run))
        terms.update(dict.fromkeys(map("".join, pairwise(run))))
    return list(terms)


def query_terms(text: str) -> list[str]:
    """Return the terms that must all be there: pairs where a run has two characters or more, else the character."""
    terms: dict[str, None] = {}
    for run in _runs(text):
        if run.isascii() or len(run) == 1:
            terms[run] = None
        else:
            terms.update(dict.fromkeys(map("".join, pairwise(run))))
    return list(terms)
