"""docs/api.md is made from the routes and the permissions: `DISPATCH_WRITE_DOCS=1 pytest tests/web/test_api_doc.py`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from apiflask import APIFlask

from dispatch.domain.roles import ASSISTING, PERMISSIONS, ROLE_LABELS, Permission, Role

DOC = Path(__file__).parents[2] / "docs" / "api.md"
HEAD = f"""# API

Made from the code, and a test keeps it true. Parameters, bodies and answers: `/docs` and `/openapi.json` of a server.

- Log in with `Authorization: Bearer <token>`; `python run.py create-token LOGIN` makes one.
- Bodies are JSON objects in UTF-8; no body counts as `{{}}`. Times are ISO 8601 with a time zone.
- `Idempotency-Key` makes a call or a verb safe to repeat: same key and same body get the first answer again.
- Without one, the same verb with the same body (`version` and `device_at` apart) by the same person, on a ticket that
  has not changed since, is one press: it gets the ticket as it is. `urge` and `callback` count again after 60 seconds.
- Errors are `application/problem+json` (RFC 9457) with `code` for machines, `detail` in Chinese, `field` and `errors`.
- Lists are pages, newest first: pass `next` of one page as `after` of the following.
- 水管家 and 班组长 see the tickets of their own team and those it assists with (协办). On the latter they may only
  {", ".join(f"`{permission}`" for permission in Permission if permission in ASSISTING)}; all else gets 403.

"""


def lines(app: APIFlask) -> Iterator[str]:
    yield "| route | what | permission | roles |"
    yield "|---|---|---|---|"
    paths: dict[str, dict[str, Any]] = cast(Any, app.spec)["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            permission = permission_of(app, path, method)
            roles = [ROLE_LABELS[role] for role in Role if role is not Role.SYSTEM and permission in PERMISSIONS[role]]
            may = f"`{permission}` | {' '.join(roles)}" if permission else "– | 公开"
            yield f"| `{method.upper()} {path}` | {operation['summary']} | {may} |"


def permission_of(app: APIFlask, path: str, method: str) -> Permission | None:
    for rule in app.url_map.iter_rules():
        if rule.rule.replace("<", "{").replace(">", "}") == path and method.upper() in (rule.methods or ()):
            return getattr(app.view_functions[rule.endpoint], "permission", None)
    raise AssertionError(f"{path} is no route")


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_table_of_routes_is_as_the_code(app: APIFlask) -> None:
    made = HEAD + "\n".join(lines(app)) + "\n"
    if os.environ.get("DISPATCH_WRITE_DOCS"):
        DOC.write_text(made)
    assert DOC.read_text() == made
