"""From the words of other hotlines to the categories of the policy: a table that people can read and replace."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dispatch.cli import tables
from dispatch.domain.errors import InvalidInput
from dispatch.domain.policy import Policy

DEFAULT = "other"
# Looked for in "category / description", without regard to case; the first line that fits wins.
BUILT_IN = (
    ("blocked hydrant", "other"),
    ("main break", "burst"), ("爆管", "burst"),
    ("hydrant", "hydrant"), ("消火栓", "hydrant"), ("消防栓", "hydrant"),
    ("井盖", "cover"),
    ("no water", "no_water"), ("停水", "no_water"), ("没水", "no_water"), ("无水", "no_water"),
    ("pressure", "pressure"), ("水压", "pressure"),
    ("dirty water", "quality"), ("water quality", "quality"), ("lead kit", "quality"), ("水质", "quality"),
    ("water leak", "leak"), ("leak (", "leak"), ("broken/leaking", "leak"), ("漏水", "leak"),
    ("water system", "repair"), ("water conservation", "repair"), ("plumbing", "repair"), ("报修", "repair"),
    ("water bill", "billing"), ("水费", "billing"), ("水表", "billing"),
    ("noise", "noise"), ("噪音", "noise"),
    ("报装", "install"), ("过户", "transfer"), ("投诉", "complaint"), ("咨询", "inquiry"),
)  # fmt: skip


class CategoryWords:
    """Picks a category of the policy.

    Args:
        policy: The policy in force.
        lines: Words and the category that they mean, in order.

    Raises:
        InvalidInput: where a line names a category that the policy does not have.
    """

    def __init__(self, policy: Policy, lines: Sequence[tuple[str, str]] = BUILT_IN) -> None:
        for _, category in (*lines, ("", DEFAULT)):
            policy.category(category)
        self._lines = [(words.lower(), category) for words, category in lines]
        self._categories = policy.categories
        self._named = {name.lower(): id_ for id_, one in policy.categories.items() for name in (id_, one.label)}

    def is_answered(self, category: str) -> bool:
        """Whether calls of a category are answered and open no ticket."""
        return self._categories[category].level is None

    def pick(self, category: str, description: str) -> tuple[str, str]:
        """Return the category and by what it was found: its own name, words of the table, or nothing at all."""
        known = self._named.get(category.strip().lower())
        if known is not None:
            return known, "名称"
        text = f"{category} / {description}".lower()
        found = next(((meant, f"含“{words}”") for words, meant in self._lines if words in text), None)
        return found or (DEFAULT, "未识别")


def read(policy: Policy, path: Path | None) -> CategoryWords:
    """Read the table from a CSV with the columns `words` and `category`, or take the built-in one."""
    if path is None:
        return CategoryWords(policy)
    lines = []
    with tables.reading(path) as table:
        words, category = (table.find(f"列名 {name}", None, [name]) for name in ("words", "category"))
        for row in table.rows():
            if row.fault or not row.cells[words].strip():
                raise InvalidInput(f"{path.name} 第 {row.number} 行: {row.fault or '没有 words'}")
            lines.append((row.cells[words].strip(), row.cells[category].strip()))
    return CategoryWords(policy, lines)
