"""Every word of a screen is there in both languages, is used, and says what the domain says."""

from __future__ import annotations

import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.exceptions import default_exceptions

import dispatch
from dispatch.domain.callback import NO_NUMBER, REASONS, reason_label
from dispatch.domain.contact import WAY_LABELS
from dispatch.domain.errors import DispatchError
from dispatch.domain.outage import OUTAGE_STATUS_LABELS, OUTAGE_VERB_LABELS
from dispatch.domain.roles import ROLE_LABELS
from dispatch.domain.roster import RANK_LABELS
from dispatch.domain.sla import CLOCK_LABELS
from dispatch.domain.states import STATUS_LABELS, VERB_LABELS
from dispatch.domain.zone_problems import KIND_LABELS
from dispatch.web import catalogue

WEB = Path(catalogue.__file__).parent
# A word by its name in a template or a script: t("agent.title").
NAMED = re.compile(r"""\bt(?:Or)?\(\s*["']([a-z_]+\.[a-z0-9_]+)["']""")
# And by a name that is made there: t(`sla.${key}`), t(`public.${kind}_met`), t('role.' ~ key).
MADE = re.compile(r"""["'`]([a-z_]+)\.((?:[a-z0-9_]|\$\{[^}]*\})*)(?:`|["'] ~)""")
PART = re.compile(r"\$\{[^}]*\}")
# Sections whose words are named by codes of the domain and the policy; other tests hold them together.
CODED = {
    "status", "verb", "clock", "sla", "role", "category", "level", "reason", "question", "choice", "stage", "error",
    "advice_kind", "advice_not", "advice_part", "zone_problem", "temporary_kind", "outage_status", "outage_verb",
    "callback_reason", "audience", "way", "rank",
}  # fmt: skip
# And the states of a call, as domain.cti.state_of tells them.
TOLD = {"agent.ringing", "agent.answered"}
# What web/ answers without an error of the tree.
ANSWERED = re.compile(r"""(?:problem|answer)\(\s*(?:[a-z_.]+|\d+), "([a-z-]+)\"""")
PLACES = re.compile(r"\{(\w+)\}")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def sources() -> Iterator[tuple[Path, str]]:
    """Every file that may say something."""
    for folder, pattern in (("templates", "*.html"), ("static", "*.js"), ("pages", "*.py")):
        for path in sorted((WEB / folder).rglob(pattern)):
            yield path, path.read_text("utf-8")


def everything() -> dict[str, tuple[str, str]]:
    return {f"{section}.{key}": pair for section, words in catalogue.sections().items() for key, pair in words.items()}


def test_every_word_that_is_said_is_there() -> None:
    known = everything()
    missing = {(path.name, name) for path, text in sources() for name in NAMED.findall(text) if name not in known}
    assert missing == set()


def nearby(path: Path, text: str) -> set[str]:
    """Every short string in a script and in those that it imports: what a name there may be made of."""
    imported = [path.parent / name for name in re.findall(r'from "(\.[^"]+\.js)"', text)]
    together = " ".join([text, *(one.read_text("utf-8") for one in imported)])
    return set(re.findall(r"""["'`]([a-z0-9_]+(?:\$\{[^}]*\})?)["'`]""", together))


def ways(path: Path, text: str) -> Iterator[str]:
    """Patterns of the names that a file says."""
    yield from (re.escape(name) for name in re.findall(r"""["'`]([a-z_]+\.[a-z0-9_]+)["'`]""", text))
    for section, rest in MADE.findall(text):
        is_bare = PART.sub("", rest) == ""
        tails = nearby(path, text) if is_bare and section not in CODED | {"screen"} else {rest or "${}"}
        yield from (rf"{section}\.{PART.sub('.+', tail)}" for tail in tails)


def test_every_word_that_is_there_is_said() -> None:
    said = re.compile("|".join({way for path, text in sources() for way in ways(path, text)}))
    assert {name for name in everything() if name not in TOLD and not said.fullmatch(name)} == set()


def tree(error: type[DispatchError]) -> Iterator[type[DispatchError]]:
    yield error
    for below in error.__subclasses__():
        yield from tree(below)


def test_every_problem_has_words_in_both_languages_and_nothing_else_has() -> None:
    for module in pkgutil.walk_packages(dispatch.__path__, "dispatch."):
        if not module.name.startswith("dispatch.storage.migrations"):
            importlib.import_module(module.name)
    coded = {error.code for error in tree(DispatchError) if error.__module__.startswith("dispatch.")}
    answered = {code for path in WEB.rglob("*.py") for code in ANSWERED.findall(path.read_text("utf-8"))}
    of_http = {default_exceptions[status]().name.lower().replace(" ", "-") for status in (400, 404, 405, 413, 415)}
    said = {code.partition(":")[0] for code in catalogue.sections()["error"]}
    missing = (coded | answered | of_http) - said
    assert missing == set(), "each code needs its words in catalogue/error.toml"
    assert said - coded - answered - of_http == set()


@pytest.mark.parametrize("name", sorted(everything()))
def test_both_languages_say_it_with_the_same_places(name: str) -> None:
    chinese, english = everything()[name]
    assert chinese.strip()
    assert english.strip()
    assert set(PLACES.findall(chinese)) == set(PLACES.findall(english))
    assert not CHINESE.search(english) or name == "common.other_language"


@pytest.mark.parametrize(
    ("section", "labels"),
    [
        ("status", STATUS_LABELS),
        ("outage_status", OUTAGE_STATUS_LABELS),
        ("outage_verb", {"draft": "起草"} | {str(verb): label for verb, label in OUTAGE_VERB_LABELS.items()}),
        ("verb", VERB_LABELS),
        ("clock", CLOCK_LABELS),
        ("role", ROLE_LABELS),
        ("zone_problem", KIND_LABELS),
        ("way", WAY_LABELS),
        ("rank", RANK_LABELS),
    ],
)
def test_the_words_of_the_domain_are_its_own(section: str, labels: dict[str, str]) -> None:
    shown = {key: chinese for key, (chinese, _) in catalogue.sections()[section].items()}
    assert shown == {str(key): label for key, label in labels.items()}


def test_no_screen_speaks_chinese_past_the_catalogue() -> None:
    spoken = {
        f"{path.name}:{number}"
        for path, text in sources()
        for number, line in enumerate(text.splitlines(), 1)
        if path.suffix in (".html", ".js") and CHINESE.search(re.sub(r"//.*|/\*.*|^\s*\*.*|\{#.*#\}", "", line))
    }
    assert spoken == set()


def test_the_words_of_the_shipped_policy_are_its_own() -> None:
    policy = tomllib.loads((WEB.parents[1] / "data" / "policy.toml").read_text("utf-8"))
    expected = {
        "category": {key: told["label"] for key, told in policy["categories"].items()},
        "level": {key: told["label"] for key, told in policy["levels"].items()},
        "temporary_kind": {code: told["label"] for code, told in policy["temporary"].items()},
        "reason": {code: label for codes in policy["reasons"].values() for code, label in codes.items()},
    }
    shown = {
        section: {key: chinese for key, (chinese, _) in catalogue.sections()[section].items()} for section in expected
    }
    assert shown == expected


def test_reasons_are_called_the_same_everywhere() -> None:
    words = {code: chinese for code, (chinese, _) in catalogue.sections()["callback_reason"].items()}
    assert words == {code: reason_label(code) for code in (*REASONS, NO_NUMBER)}
