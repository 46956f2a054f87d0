"""Laws of the house that need no program, only its files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ["requirements.txt", "requirements-dev.txt"]
SOURCES = {".css", ".html", ".js", ".py", ".sql"}


def blocks(name: str) -> list[str]:
    """The pinned packages of a requirements file, each with its hashes on one line."""
    text = re.sub(r"\s*#.*", "", (ROOT / name).read_text()).replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("--")]


def test_no_source_file_is_longer_than_400_lines() -> None:
    files = [path for path in (ROOT / "dispatch").rglob("*") if path.suffix in SOURCES]
    assert files
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_nothing_is_called_utils() -> None:
    assert [path for path in (ROOT / "dispatch").rglob("*") if path.stem in {"util", "utils"}] == []


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    pinned = re.compile(r"[a-z0-9.-]+(\[[a-z, ]+\])?==\S+( ; .+?)?( +--hash=sha256:[0-9a-f]{64})+\s*")
    assert [line for line in blocks(name) if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_requirements_take_wheels_only_and_name_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "--only-binary :all:" in text
    assert re.findall(r"\S*(?://|file:|-index|find-links|trusted-host)\S*", text) == []


def test_tests_run_on_exactly_the_runtime_requirements() -> None:
    assert set(blocks("requirements.txt")) <= set(blocks("requirements-dev.txt"))


def test_every_make_target_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    assert phony
    assert set(phony[1].split()) == set(re.findall(r"^([a-z-]+):.*## \S", text, re.MULTILINE))


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_names_the_command(command: str) -> None:
    assert command in (ROOT / "README.md").read_text()
