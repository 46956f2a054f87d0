"""Every word on a screen, in Chinese and English: catalogue/*.toml, `[section]`, `key = ["中文", "English"]`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "catalogue"
# How a language is called in the cookie, and in `lang=` of a page.
LANGUAGES = {"zh": "zh-CN", "en": "en"}
DEFAULT = "zh"


@cache
def sections() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return all words: section -> key -> (Chinese, English)."""
    found: dict[str, Mapping[str, tuple[str, str]]] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for section, words in tomllib.loads(path.read_text("utf-8")).items():
            found[section] = {key: (chinese, english) for key, (chinese, english) in words.items()}
    return found


def language_of(told: str | None) -> str:
    """Return the language that a cookie asks for: Chinese unless it names another one."""
    return told if told in LANGUAGES else DEFAULT


def words(language: str, wanted: tuple[str, ...]) -> dict[str, str]:
    """Return the words of some sections in one language, as `section.key`.

    Raises:
        KeyError: for a section that no file has.
    """
    column = list(LANGUAGES).index(language)
    return {f"{section}.{key}": pair[column] for section in wanted for key, pair in sections()[section].items()}


def problem(language: str, code: str, field: str | None, members: Mapping[str, object]) -> str | None:
    """Return the sentence for a problem, by its field where that has one, else by its code; None where none is known.

    Args:
        language: As in `LANGUAGES`.
        code: That of the problem document, as are the two below.
        field: Name of the input field at fault.
        members: What fills the `{places}`.
    """
    names = (f"{code}:{field}", f"{code}:field" if field else code, code)
    pair = next((sections()["error"][name] for name in names if name in sections()["error"]), None)
    return pair and pair[list(LANGUAGES).index(language)].format_map({**members, "field": field})


def word(language: str, name: str, **values: object) -> str:
    """Return one word with its `{places}` filled.

    Raises:
        KeyError: for a word that no file has.
    """
    section, _, key = name.partition(".")
    return sections()[section][key][list(LANGUAGES).index(language)].format(**values)
