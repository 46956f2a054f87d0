"""docs/permissions.md is made from the rules: `DISPATCH_WRITE_DOCS=1 pytest tests/house/test_permissions_doc.py`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dispatch.domain.roles import ASSISTING, PERMISSIONS, ROLE_LABELS, TEAM_BOUND, Permission, Role
from dispatch.domain.states import VERB_LABELS

DOC = Path(__file__).parents[2] / "docs" / "permissions.md"
PEOPLE = [role for role in Role if role is not Role.SYSTEM]
HEAD = """# Who may do what

Made from `dispatch/domain/roles.py`, and a test keeps it true. A role without a permission gets 403; routes and their
permissions are in [api.md](api.md), and `tests/web/test_permissions.py` tries every route as every role.

"""


def lines() -> Iterator[str]:
    yield "| permission | " + " | ".join(ROLE_LABELS[role] for role in PEOPLE) + " |"
    yield "|---|" + ":-:|" * len(PEOPLE)
    for permission in Permission:
        held = ("✓" if permission in PERMISSIONS[role] else "" for role in PEOPLE)
        yield f"| {title(permission)} | " + " | ".join(held) + " |"
    bound = "、".join(ROLE_LABELS[role] for role in Role if role in TEAM_BOUND)
    assisting = " ".join(f"`{permission}`" for permission in Permission if permission in ASSISTING)
    own = " ".join(f"`{permission}`" for permission in sorted(PERMISSIONS[Role.SYSTEM]))
    yield ""
    yield f"{bound}: only tickets of their own team; one that they do not see looks like none (404)."
    yield f"On tickets that the team assists with (协办), of these only {assisting}."
    yield f"{ROLE_LABELS[Role.SYSTEM]}, which is no person, holds {own}."


def title(permission: Permission) -> str:
    label = {verb.value: label for verb, label in VERB_LABELS.items()}.get(permission.value, "")
    return f"`{permission}` {label}".strip()


def test_the_table_of_permissions_is_as_the_code() -> None:
    made = HEAD + "\n".join(lines()) + "\n"
    if os.environ.get("DISPATCH_WRITE_DOCS"):
        DOC.write_text(made)
    assert DOC.read_text() == made
