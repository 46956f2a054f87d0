"""Articles, their versions, and the index over the words of what agents read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    TextClause,
    and_,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import Text

from dispatch.domain.article import State, Words
from dispatch.storage.article_tables import ArticleRow, ArticleVersionRow
from dispatch.storage.columns import table_of
from dispatch.storage.db import Tx, upsert
from dispatch.storage.tables import CallRow, UserRow

ARTICLES, VERSIONS, CALLS, USERS = (table_of(row) for row in (ArticleRow, ArticleVersionRow, CallRow, UserRow))
# SQLite: an FTS5 table whose rowid is the article. PostgreSQL: two text[] under one GIN. Both of the migration.
_TERMS = table(
    "article_terms", column("article_id"), column("rowid"), column("head", ARRAY(Text)), column("body", ARRAY(Text))
)
_PARTS = ("head", "body")
_CONTENT = ("body", "keywords", "category", "written_at", "published_at")


def add(tx: Tx, values: Mapping[str, Any]) -> int | None:
    """Insert an article and return its id; None where its title is taken."""
    new = upsert(tx.dialect, ARTICLES).on_conflict_do_nothing(index_elements=["title"]).returning(ARTICLES.c.id)
    return tx.conn.execute(new, values).scalar()


def add_version(tx: Tx, values: Mapping[str, Any]) -> None:
    """Insert a version of an article."""
    tx.conn.execute(insert(VERSIONS), values)


def lock(tx: Tx, article_id: int) -> dict[str, Any] | None:
    """Return the row of an article, locked; None where there is none."""
    row = tx.conn.execute(select(ARTICLES).where(ARTICLES.c.id == article_id).with_for_update()).mappings().first()
    return dict(row) if row else None


def change(tx: Tx, article_id: int, **values: Any) -> None:
    """Change an article, which the caller has locked."""
    tx.conn.execute(update(ARTICLES).where(ARTICLES.c.id == article_id).values(values))


def rename(tx: Tx, article_id: int, title: str) -> bool:
    """Give an article a title, and tell whether no other one has it, or takes it at this moment."""
    try:
        with tx.conn.begin_nested():
            change(tx, article_id, title=title)
    except IntegrityError:
        return False
    return True


def id_of_title(tx: Tx, title: str) -> int | None:
    """Return the id of the article whose newest version has a title, or None."""
    return tx.conn.execute(select(ARTICLES.c.id).where(ARTICLES.c.title == title)).scalar()


def mark_published(tx: Tx, article_id: int, version: int, by: int, now: datetime) -> None:
    """Write down who published a version; the first time stays."""
    of_it = and_(VERSIONS.c.article_id == article_id, VERSIONS.c.version == version, VERSIONS.c.published_at.is_(None))
    tx.conn.execute(update(VERSIONS).where(of_it).values(published_by=by, published_at=now))


def version(tx: Tx, article_id: int, number: int) -> dict[str, Any] | None:
    """Return one version, or None."""
    query = select(VERSIONS).where(VERSIONS.c.article_id == article_id, VERSIONS.c.version == number)
    row = tx.conn.execute(query).mappings().first()
    return dict(row) if row else None


def versions(tx: Tx, article_id: int) -> list[dict[str, Any]]:
    """Return all versions of an article with the name of who wrote each, newest first."""
    query = select(VERSIONS, USERS.c.name.label("writer")).outerjoin(USERS, USERS.c.id == VERSIONS.c.written_by)
    ordered = query.where(VERSIONS.c.article_id == article_id).order_by(VERSIONS.c.version.desc())
    return [dict(row) for row in tx.conn.execute(ordered).mappings()]


# ---------------------------------------------------------------- reading


def _with(shown: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Return the query of articles with the content of one version of each, and who owns it."""
    of_it = and_(VERSIONS.c.article_id == ARTICLES.c.id, VERSIONS.c.version == shown)
    columns: list[ColumnElement[Any]] = [
        *ARTICLES.c,
        *(VERSIONS.c[name] for name in _CONTENT),
        *(VERSIONS.c[name].label(f"shown_{name}") for name in ("title", "version", "review_at")),
        USERS.c.name.label("owner"),
        USERS.c.login.label("owner_login"),
    ]
    return select(*columns).select_from(
        ARTICLES.join(VERSIONS, of_it).outerjoin(USERS, USERS.c.id == ARTICLES.c.owner_id)
    )


_NEWEST, _LIVE = _with(ARTICLES.c.version), _with(ARTICLES.c.live_version)
_PUBLISHED = ARTICLES.c.status == State.PUBLISHED


def find(tx: Tx, article_id: int, *, is_live: bool) -> dict[str, Any] | None:
    """Return an article with what agents read of it, or with its newest version; None where there is none."""
    query = (_LIVE if is_live else _NEWEST).where(ARTICLES.c.id == article_id)
    row = tx.conn.execute(query).mappings().first()
    return dict(row) if row else None


def newest(tx: Tx, article_id: int) -> dict[str, Any]:
    """Return an article that there is with its newest version."""
    return dict(tx.conn.execute(_NEWEST.where(ARTICLES.c.id == article_id)).mappings().one())


def page(
    tx: Tx, after: int, limit: int, *, status: str | None, due_before: datetime | None, is_live: bool
) -> list[dict[str, Any]]:
    """Return articles with id below `after` (0: from the newest), newest first.

    Args:
        tx: The transaction.
        after: The id of the last one of the page before, or 0.
        limit: Rows at most.
        status: Of this status alone, or None.
        due_before: Published ones alone whose review was due by then, or None.
        is_live: Published ones alone, as agents read them.
    """
    query = (_LIVE.where(_PUBLISHED) if is_live else _NEWEST).order_by(ARTICLES.c.id.desc()).limit(limit)
    if after:
        query = query.where(ARTICLES.c.id < after)
    if status is not None:
        query = query.where(ARTICLES.c.status == status)
    if due_before is not None:
        query = query.where(_PUBLISHED, ARTICLES.c.review_at <= due_before)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def live(tx: Tx, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return published articles by id, as agents read them."""
    rows = tx.conn.execute(_LIVE.where(_PUBLISHED, ARTICLES.c.id.in_(ids))).mappings()
    return {row["id"]: dict(row) for row in rows}


def most_used(tx: Tx, limit: int) -> list[dict[str, Any]]:
    """Return the published articles that answered most calls."""
    query = _LIVE.where(_PUBLISHED).order_by(ARTICLES.c.answered_count.desc(), ARTICLES.c.id).limit(limit)
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def counts(tx: Tx) -> dict[str, int]:
    """Return how many articles are in each status."""
    query = select(ARTICLES.c.status, func.count()).group_by(ARTICLES.c.status)
    return dict(list(tx.conn.execute(query)))


# ---------------------------------------------------------------- the index


def index(tx: Tx, article_id: int, head: Sequence[str], body: Sequence[str]) -> None:
    """Index an article under its terms, in the place of those before."""
    unindex(tx, article_id)
    if tx.dialect == "sqlite":
        values = {"rowid": article_id, "head": " ".join(head), "body": " ".join(body)}
        new = "INSERT INTO article_terms (rowid, head, body) VALUES (:rowid, :head, :body)"
    else:
        values = {"article_id": article_id, "head": list(head), "body": list(body)}
        new = "INSERT INTO article_terms (article_id, head, body) VALUES (:article_id, :head, :body)"
    tx.conn.execute(text(new), values)


def unindex(tx: Tx, article_id: int) -> None:
    """Take an article out of the index."""
    key = _TERMS.c.rowid if tx.dialect == "sqlite" else _TERMS.c.article_id
    tx.conn.execute(delete(_TERMS).where(key == article_id))


def with_terms(tx: Tx, terms: Sequence[str]) -> dict[int, Words]:
    """Return which of `terms` each indexed article has, for those that have one at least, by id.

    The index is asked for each term, so that no article's own words are read.
    """
    found: dict[int, tuple[set[str], set[str]]] = {}
    query, told = (_of_sqlite if tx.dialect == "sqlite" else _of_pg)(terms)
    for article_id, term, is_head in tx.conn.execute(query, told):
        found.setdefault(article_id, (set(), set()))[0 if is_head else 1].add(term)
    return {article_id: Words(frozenset(head), frozenset(body)) for article_id, (head, body) in found.items()}


def _of_sqlite(terms: Sequence[str]) -> tuple[TextClause, dict[str, Any]]:
    # Terms are letters, digits and Chinese signs: a quote ends none of them.
    told = {f"{part}_{n}": f'{part} : "{term}"' for n, term in enumerate(terms) for part in _PARTS}
    told |= {f"term_{n}": term for n, term in enumerate(terms)}
    one = "SELECT rowid, :term_{n}, {is_head} FROM article_terms WHERE article_terms MATCH :{part}_{n}"
    parts = [one.format(n=n, part=part, is_head=int(part == "head")) for n in range(len(terms)) for part in _PARTS]
    return text(" UNION ALL ".join(parts)), told


def _of_pg(terms: Sequence[str]) -> tuple[TextClause, dict[str, Any]]:
    return text(
        "SELECT a.article_id, t.term, t.term = ANY (a.head) FROM unnest(CAST(:terms AS text[])) AS t (term)"
        " JOIN article_terms AS a ON (a.head || a.body) @> ARRAY[t.term]"
    ), {"terms": list(terms)}


# ---------------------------------------------------------------- used, due


_COUNT = (
    update(ARTICLES)
    .where(ARTICLES.c.id == bindparam("wanted"), ARTICLES.c.live_version.is_not(None))
    .values(answered_count=ARTICLES.c.answered_count + 1)
    .returning(ARTICLES.c.live_version)
)


def count_answer(tx: Tx, article_id: int) -> int | None:
    """Count a call that an article answered; return the version that agents read, None where there is no such one."""
    return tx.conn.execute(_COUNT, {"wanted": article_id}).scalar()


def due(tx: Tx, now: datetime, batch: int) -> list[dict[str, Any]]:
    """Return articles of which the owner is to be reminded, locked; those that another process holds are left out."""
    query = (
        select(ARTICLES, USERS.c.login, USERS.c.is_active)
        .join(USERS, USERS.c.id == ARTICLES.c.owner_id, isouter=True)
        .where(ARTICLES.c.remind_at <= now)
        .order_by(ARTICLES.c.remind_at)
        .limit(batch)
        .with_for_update(skip_locked=True, of=ARTICLES)
    )
    return [dict(row) for row in tx.conn.execute(query).mappings()]


def next_due(tx: Tx) -> datetime | None:
    """Return when the next reminder is due."""
    return tx.conn.execute(select(func.min(ARTICLES.c.remind_at)).where(ARTICLES.c.remind_at.is_not(None))).scalar()


def answered(tx: Tx, start: datetime, end: datetime) -> dict[int | None, int]:
    """Return how many calls logged from `start` to before `end` were answered, by article; None: without one."""
    query = (
        select(CALLS.c.article_id, func.count())
        .where(CALLS.c.outcome == literal_column("'answered'"), CALLS.c.logged_at >= start, CALLS.c.logged_at < end)
        .group_by(CALLS.c.article_id)
    )
    return dict(list(tx.conn.execute(query)))


def calls(tx: Tx, start: datetime, end: datetime) -> int:
    """Return how many calls were logged from `start` to before `end`."""
    query = select(func.count()).select_from(CALLS).where(CALLS.c.logged_at >= start, CALLS.c.logged_at < end)
    return int(tx.conn.execute(query).scalar_one())


def titles(tx: Tx, ids: Sequence[int]) -> dict[int, str]:
    """Return the titles of articles by id."""
    rows = tx.conn.execute(select(ARTICLES.c.id, ARTICLES.c.title).where(ARTICLES.c.id.in_(ids)))
    return {row.id: row.title for row in rows}
