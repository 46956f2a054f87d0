"""Users as a table that people read and write (CSV): who they are and how they are reached; no password, no token."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dispatch.domain.contact import Contact, Quiet, contact_of, quiet_of
from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import Role
from dispatch.services.setup import check_user

COLUMNS = ("login", "name", "role", "team_id", "phone", "email", "wecom_id", "quiet_from", "quiet_to")
_MOST_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class User:
    """One row: what an installation knows of a person or an integration."""

    login: str
    name: str
    role: Role
    team_id: str | None
    contact: Contact
    quiet: Quiet | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot be used: its number in the file, the header being 1, its column, and why in Chinese."""

    row: int
    column: str
    text: str


def written(users: Iterable[User]) -> bytes:
    """Return users as CSV in UTF-8, with the mark by which Excel knows it."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(_cells(user) for user in users)
    return text.getvalue().encode("utf-8-sig")


def _cells(user: User) -> Iterator[str]:
    yield from (user.login, user.name, user.role.value, user.team_id or "")
    yield from (value or "" for value in (user.contact.phone, user.contact.email, user.contact.wecom_id))
    yield from (f"{at:%H:%M}" for at in (user.quiet.start, user.quiet.end)) if user.quiet else ("", "")


def read(data: bytes) -> tuple[dict[int, User], list[Fault]]:
    """Return the users of a file by row, and what is wrong with the other rows.

    Raises:
        InvalidInput: for what is no such table at all.
    """
    try:
        table = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            raise InvalidInput(f"缺少列: {', '.join(missing)}", field="第 1 行")
        rows = [(table.line_num, row) for row in table]
    except UnicodeDecodeError as error:
        raise InvalidInput("文件不是 UTF-8: 在 Excel 里请另存为“CSV UTF-8”") from error
    except csv.Error as error:
        raise InvalidInput(f"不是有效的 CSV: {error}") from error
    if len(rows) > _MOST_ROWS:
        raise InvalidInput(f"最多 {_MOST_ROWS} 行")
    return _users(rows)


def _users(rows: Sequence[tuple[int, Mapping[str, str | None]]]) -> tuple[dict[int, User], list[Fault]]:
    users: dict[int, User] = {}
    faults: list[Fault] = []
    first: dict[str, int] = {}
    for number, row in rows:
        try:
            user = _user({name: (row[name] or "").strip() for name in COLUMNS})
        except InvalidInput as error:
            faults.append(Fault(number, error.field or "", error.detail))
            continue
        if first.setdefault(user.login, number) != number:
            faults.append(Fault(number, "login", f"登录名“{user.login}”已在第 {first[user.login]} 行"))
        users[number] = user
    return users, faults


def _user(cells: Mapping[str, str]) -> User:
    login, name, team_id = cells["login"], cells["name"], cells["team_id"] or None
    try:
        role = Role(cells["role"])
    except ValueError as error:
        known = ", ".join(role.value for role in Role if role is not Role.SYSTEM)
        raise InvalidInput(f"没有角色“{cells['role']}”, 可用: {known}", field="role") from error
    check_user(login, name, role, team_id)
    contact = contact_of(cells["phone"], cells["email"], cells["wecom_id"])
    return User(login, name, role, team_id, contact, quiet_of(cells["quiet_from"], cells["quiet_to"]))
