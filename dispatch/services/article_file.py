"""Articles in files: JSON or a table that people write, and back again."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from dispatch.domain.article import STATE_LABELS, NewArticle, State
from dispatch.domain.errors import DispatchError, InvalidInput
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.domain.times import SHANGHAI, shanghai_day, shanghai_midnight
from dispatch.services import articles
from dispatch.services.desk import Desk
from dispatch.services.place_file import read_rows
from dispatch.storage import articles as rows

# What people call the columns.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("title", "标题"),
    "body": ("body", "正文"),
    "keywords": ("keywords", "关键词"),
    "category": ("category", "类别"),
    "review_at": ("review_at", "复审日期"),
    "status": ("status", "状态"),
}
# Without a date of its own an article is looked at again after so long.
_REVIEW = timedelta(days=180)
_SEPARATORS = re.compile(r"[;；,，、\n]")
_PAGE = 200


@dataclass(slots=True)
class Imported:
    """What became of a file: `refused` are (row, reason)."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Entry:
    article: NewArticle
    is_published: bool


def import_articles(
    desk: Desk, actor: Actor, data: bytes, now: datetime, *, is_published: bool = False, owner: str | None = None
) -> Imported:
    """Take articles from a file. One whose title is known gets another version, where it says something else.

    Args:
        desk: The process's desk.
        actor: Who imports.
        data: JSON `{"articles": [{"title", "body", "keywords", "category", "review_at", "status"}]}` with `is_sample`
            or without, or a table (CSV, xlsx) with these columns.
        now: The server's time.
        is_published: Publish all, whatever their status says.
        owner: Login of who is reminded of their reviews.

    Raises:
        NotPermitted: if the role writes none.
        InvalidInput: if it is no such file; what is wrong with one article is told in `refused`.
    """
    check_permitted(actor, Permission.ARTICLE)
    is_sample, found = _read(data)
    done = Imported()
    for number, row in found:
        try:
            _take(desk, actor, _entry(row, now), done, now, is_published=is_published, owner=owner, is_sample=is_sample)
        except DispatchError as error:
            done.refused.append((number, f"{error.detail} ({error.field})" if error.field else error.detail))
    return done


def _read(data: bytes) -> tuple[bool, list[tuple[int, Mapping[str, Any]]]]:
    if not data.lstrip().startswith(b"{"):
        table = read_rows(data, COLUMNS)
        return False, [(number, {"title": row.pop("name"), **row}) for number, row in table]
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"不是有效的 JSON: {error}", field="file") from error
    found = raw.get("articles")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InvalidInput('应为 {"articles": [{"title": "...", "body": "..."}]}', field="file")
    return raw.get("is_sample") is True, list(enumerate(found, 1))


def _entry(row: Mapping[str, Any], now: datetime) -> _Entry:
    keywords = row.get("keywords") or []
    words = _SEPARATORS.split(keywords) if isinstance(keywords, str) else keywords
    texts = {name: row.get(name) or "" for name in ("title", "body", "category", "review_at", "status")}
    wrong = next((name for name, value in texts.items() if not isinstance(value, str)), None)
    if wrong or not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise InvalidInput("应为文字", field=wrong or "keywords")
    told = NewArticle(
        title=texts["title"],
        body=texts["body"],
        keywords=[word.strip() for word in words if word.strip()],
        category=texts["category"].strip() or None,
        review_at=_review_at(texts["review_at"].strip(), now),
    )
    return _Entry(told, texts["status"].strip() in (State.PUBLISHED, STATE_LABELS[State.PUBLISHED]))


def _review_at(text: str, now: datetime) -> datetime:
    try:
        day = date.fromisoformat(text) if text else shanghai_day(now + _REVIEW)
    except ValueError as error:
        raise InvalidInput("复审日期应写成 2027-06-01", field="review_at") from error
    return shanghai_midnight(day)


def _take(
    desk: Desk,
    actor: Actor,
    entry: _Entry,
    done: Imported,
    now: datetime,
    *,
    is_published: bool,
    owner: str | None,
    is_sample: bool,
) -> None:
    told = entry.article
    with desk.store.read() as tx:
        id_ = rows.id_of_title(tx, told.title.strip())
        known = rows.newest(tx, id_) if id_ is not None else None
    if known is None:
        body = {"title": told.title}
        kept = articles.create(desk, actor, told, body, now, owner=owner, is_sample=is_sample)
        done.added += 1
    elif _says_the_same(known, told):
        kept = {"id": known["id"], "version": known["version"], "status": known["status"]}
        done.unchanged += 1
    else:
        kept = articles.edit(desk, actor, known["id"], told, known["version"], now, owner=owner)
        done.changed += 1
    is_live = known is not None and known["live_version"] == kept["version"] and kept["status"] == State.PUBLISHED
    if (is_published or entry.is_published) and not is_live:
        articles.publish(desk, actor, kept["id"], kept["version"], now)


def _says_the_same(known: Mapping[str, Any], told: NewArticle) -> bool:
    said = known["body"], known["keywords"], known["category"]
    return said == (told.body.strip(), list(told.keywords), told.category)


def exported(desk: Desk, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """Return all articles in the form that is imported: what agents read, else the newest version.

    Raises:
        NotPermitted: if the role writes none.
    """
    check_permitted(actor, Permission.ARTICLE)
    found: list[dict[str, Any]] = []
    with desk.store.write() as tx:
        after = 0
        while page := rows.page(tx, after, _PAGE, status=None, due_before=None, is_live=False):
            after = page[-1]["id"]
            live = rows.live(tx, [row["id"] for row in page])
            found += [_exported(live.get(row["id"], row)) for row in page]
        tx.audit(now, actor, "export", "articles", count=len(found))
    return found[::-1]


def _exported(row: Mapping[str, Any]) -> dict[str, Any]:
    day = row["shown_review_at"].astimezone(SHANGHAI).date().isoformat()
    return {
        "title": row["shown_title"],
        "body": row["body"],
        "keywords": row["keywords"],
        "category": row["category"],
        "review_at": day,
        "status": row["status"],
    }


def as_json(found: list[dict[str, Any]]) -> str:
    """Return the text of a JSON file."""
    return json.dumps({"articles": found}, ensure_ascii=False, indent=2) + "\n"


def as_csv(found: list[dict[str, Any]]) -> str:
    """Return the text of a CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [names[0] for names in COLUMNS.values()]
    writer.writerow(names)
    for one in found:
        writer.writerow(["; ".join(one[name]) if name == "keywords" else one[name] for name in names])
    return out.getvalue()
