"""The knowledge base: articles are written, published, reviewed and withdrawn; every version is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dispatch.domain import article
from dispatch.domain.article import STATE_LABELS, Deed, NewArticle, State, check_article, check_review
from dispatch.domain.call import check_text
from dispatch.domain.errors import InvalidInput, NotFound, StaleVersion
from dispatch.domain.policy import Policy
from dispatch.domain.roles import PERMISSIONS, Actor, Permission, check_permitted
from dispatch.domain.search import index_terms
from dispatch.services import live, present
from dispatch.services.desk import Desk
from dispatch.services.setup import Conflict
from dispatch.storage import articles, directory, replies
from dispatch.storage.db import Tx

_PLAIN = (
    "id", "body", "keywords", "category", "status", "live_version", "owner", "owner_login", "answered_count",
    "is_sample",
)  # fmt: skip


def create(
    desk: Desk,
    actor: Actor,
    told: NewArticle,
    body: Mapping[str, Any],
    now: datetime,
    key: str | None = None,
    *,
    owner: str | None = None,
    is_sample: bool = False,
) -> dict[str, Any]:
    """Keep a draft and return it.

    Args:
        desk: The process's desk.
        actor: Who writes.
        told: The article.
        body: Its JSON form as it came, by which a repeated request is told from another one.
        now: The server's time.
        key: The `Idempotency-Key` of the request, if it has one.
        owner: Login of who is reminded of its review; None: who writes.
        is_sample: Whether it is a sample, and called so wherever it is shown.

    Raises:
        NotPermitted: if the role writes none.
        InvalidInput: with the field at fault.
        Conflict: if there is an article of this title.
        IdempotencyMismatch: if the key came before with another body.
    """
    check_permitted(actor, Permission.ARTICLE)
    keys = [(f"article:{actor.user_id}:{key}", "Idempotency-Key")] if key else []
    with desk.store.write() as tx:
        first = replies.claim(tx, keys, replies.fingerprint(body), now)
        if first is not None:
            return first
        policy = desk.rules(tx, now).policy
        check_article(told, policy.categories, now)
        values = {"title": told.title.strip(), "status": State.DRAFT, "version": 1, "live_version": None}
        whose = {"owner_id": _owner(tx, owner) or actor.user_id, "is_sample": is_sample, "answered_count": 0}
        times = {"review_at": told.review_at, "remind_at": None, "created_at": now, "changed_at": now}
        article_id = articles.add(tx, values | whose | times)
        if article_id is None:
            raise _taken(told.title)
        articles.add_version(tx, _content(article_id, 1, told, actor, now))
        _note(tx, actor, "article-write", article_id, now, version=1, title=told.title)
        reply = _load(tx, policy, article_id, now)
        replies.keep(tx, keys, reply)
    return reply


def edit(
    desk: Desk,
    actor: Actor,
    article_id: int,
    told: NewArticle,
    version: int,
    now: datetime,
    *,
    owner: str | None = None,
) -> dict[str, Any]:
    """Write another version and return the article; agents read the one before until this one is published.

    Args:
        desk: The process's desk.
        actor: Who writes.
        article_id: Which.
        told: What it says from now on.
        version: The version that was seen.
        now: The server's time.
        owner: Login of who is reminded of its review; None: as before.

    Raises:
        NotPermitted: if the role writes none.
        NotFound: if there is none.
        StaleVersion: if somebody has written another version meanwhile.
        InvalidInput: with the field at fault.
        Conflict: if another article has this title.
    """
    check_permitted(actor, Permission.ARTICLE)
    with desk.store.write() as tx:
        row, policy = _lock(tx, article_id), desk.rules(tx, now).policy
        _check_version(row, version)
        check_article(told, policy.categories, now)
        if not articles.rename(tx, article_id, told.title.strip()):
            raise _taken(told.title)
        newest = row["version"] + 1
        articles.add_version(tx, _content(article_id, newest, told, actor, now))
        changes: dict[str, Any] = {"version": newest, "changed_at": now}
        if row["status"] != State.PUBLISHED:
            changes["review_at"] = told.review_at  # of what agents read it moves when they read the new one
        articles.change(tx, article_id, **changes, **_new_owner(tx, owner))
        _note(tx, actor, "article-write", article_id, now, version=newest, title=told.title)
        return _load(tx, policy, article_id, now)


def publish(desk: Desk, actor: Actor, article_id: int, version: int, now: datetime) -> dict[str, Any]:
    """Let agents read the newest version and return the article.

    Raises:
        NotPermitted: if the role publishes none.
        NotFound: if there is none.
        StaleVersion: if somebody has written another version than the one that was seen.
        IllegalDeed: if it is published already.
        InvalidInput: if its review would be due at once.
    """
    check_permitted(actor, Permission.ARTICLE)
    with desk.store.write() as tx:
        row, policy = _lock(tx, article_id), desk.rules(tx, now).policy
        _check_version(row, version)
        state = article.decide(State(row["status"]), Deed.PUBLISH, is_newer=row["version"] != row["live_version"])
        content = articles.version(tx, article_id, row["version"]) or {}
        check_review(content["review_at"], now)
        articles.mark_published(tx, article_id, row["version"], actor.user_id, now)
        when = {"review_at": content["review_at"], "remind_at": content["review_at"], "changed_at": now}
        articles.change(tx, article_id, status=state, live_version=row["version"], **when)
        head = index_terms(" ".join([content["title"], *content["keywords"]]))
        articles.index(tx, article_id, head, index_terms(content["body"]))
        _note(tx, actor, "article-publish", article_id, now, version=row["version"], title=content["title"])
        return _load(tx, policy, article_id, now)


def withdraw(desk: Desk, actor: Actor, article_id: int, note: str, now: datetime) -> dict[str, Any]:
    """Let agents read an article no more, and return it.

    Raises:
        NotPermitted: if the role withdraws none.
        NotFound: if there is none.
        IllegalDeed: if agents do not read it.
        InvalidInput: without a word why.
    """
    check_permitted(actor, Permission.ARTICLE)
    check_text(note, "note")
    if not note.strip():
        raise InvalidInput("请写明撤下的原因", field="note")
    with desk.store.write() as tx:
        row, policy = _lock(tx, article_id), desk.rules(tx, now).policy
        state = article.decide(State(row["status"]), Deed.WITHDRAW)
        articles.change(tx, article_id, status=state, remind_at=None, changed_at=now)
        articles.unindex(tx, article_id)
        _note(tx, actor, "article-withdraw", article_id, now, note=note)
        return _load(tx, policy, article_id, now)


def review(desk: Desk, actor: Actor, article_id: int, review_at: datetime, now: datetime) -> dict[str, Any]:
    """Write down that an article still holds, and when to look again; return it.

    Raises:
        NotPermitted: if the role reviews none.
        NotFound: if there is none.
        IllegalDeed: if agents do not read it.
        InvalidInput: for a review that has passed.
    """
    check_permitted(actor, Permission.ARTICLE)
    check_review(review_at, now)
    with desk.store.write() as tx:
        row, policy = _lock(tx, article_id), desk.rules(tx, now).policy
        state = article.decide(State(row["status"]), Deed.REVIEW)
        articles.change(tx, article_id, status=state, review_at=review_at, remind_at=review_at, changed_at=now)
        _note(tx, actor, "article-review", article_id, now, review_at=review_at.isoformat())
        return _load(tx, policy, article_id, now)


# ---------------------------------------------------------------- reading


def listed(
    desk: Desk, actor: Actor, *, status: State | None, is_due: bool, after: int, limit: int, now: datetime
) -> dict[str, Any]:
    """Return a page of articles, newest first: `{items, next, counts}`; who writes none sees published ones alone.

    Args:
        desk: The process's desk.
        actor: Who asks.
        status: Of this status alone, or None.
        is_due: Only those whose review is due.
        after: `next` of the page before, 0 for the first.
        limit: Rows on a page.
        now: The server's time.

    Raises:
        NotPermitted: if the role may not read.
    """
    check_permitted(actor, Permission.READ)
    is_live = not _writes(actor)
    due_before = now if is_due else None
    with desk.store.read() as tx:
        policy = desk.rules(tx, now).policy
        rows = articles.page(tx, after, limit + 1, status=status, due_before=due_before, is_live=is_live)
        counts = articles.counts(tx)
    items = [shown(row, policy, now) for row in rows[:limit]]
    told = {state.value: counts.get(state, 0) for state in State if state is State.PUBLISHED or not is_live}
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None, "counts": told}


def one(desk: Desk, actor: Actor, article_id: int, now: datetime) -> dict[str, Any]:
    """Return an article with its versions: who writes sees the newest and all before, others what is published.

    Raises:
        NotPermitted: if the role may not read.
        NotFound: if there is none for this actor.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        policy = desk.rules(tx, now).policy
        row = articles.find(tx, article_id, is_live=not _writes(actor))
        if row is None or not (_writes(actor) or row["status"] == State.PUBLISHED):
            raise _missing(article_id)
        versions = articles.versions(tx, article_id) if _writes(actor) else []
    return {**shown(row, policy, now), "versions": [_version(old) for old in versions]}


def shown(row: Mapping[str, Any], policy: Policy, now: datetime) -> dict[str, Any]:
    """Return the public form of an article with the version that was read."""
    state, category = State(row["status"]), policy.categories.get(row["category"])
    is_newer = row["shown_version"] != row["live_version"]
    return {
        **{name: row[name] for name in _PLAIN},
        "title": row["shown_title"],
        "version": row["shown_version"],
        "is_newer": is_newer,
        "status_label": STATE_LABELS[state],
        "category_label": category.label if category else row["category"],
        "review_at": present.time(row["shown_review_at"] if is_newer else row["review_at"]),
        "is_due": article.is_due(state, row["review_at"], now),
        "written_at": present.time(row["written_at"]),
        "published_at": present.time(row["published_at"]),
    }


def _version(row: Mapping[str, Any]) -> dict[str, Any]:
    plain, times = ("version", "title", "body", "keywords", "category", "writer"), ("written_at", "published_at")
    return {**{name: row[name] for name in plain}, **{name: present.time(row[name]) for name in times}}


def _writes(actor: Actor) -> bool:
    return Permission.ARTICLE in PERMISSIONS[actor.role]


def _load(tx: Tx, policy: Policy, article_id: int, now: datetime) -> dict[str, Any]:
    return {
        **shown(articles.newest(tx, article_id), policy, now),
        "versions": [_version(old) for old in articles.versions(tx, article_id)],
    }


# ---------------------------------------------------------------- what all share


def _lock(tx: Tx, article_id: int) -> dict[str, Any]:
    row = articles.lock(tx, article_id)
    if row is None:
        raise _missing(article_id)
    return row


def _missing(article_id: int) -> NotFound:
    return NotFound(f"没有文章 {article_id}")


def _taken(title: str) -> Conflict:
    return Conflict(f"已有同名文章“{title.strip()}”, 请改那一篇或换个标题", field="title")


def _check_version(row: Mapping[str, Any], version: int) -> None:
    if row["version"] != version:
        raise StaleVersion(f"文章已更新到第 {row['version']} 版, 您看到的是第 {version} 版", field="version")


def _owner(tx: Tx, login: str | None) -> int | None:
    if not login:
        return None
    found = directory.user_by_login(tx, login)
    if found is None:
        raise InvalidInput(f"没有用户“{login[:40]}”", field="owner")
    return found.user_id


def _new_owner(tx: Tx, login: str | None) -> dict[str, int]:
    owner_id = _owner(tx, login)
    return {} if owner_id is None else {"owner_id": owner_id}


def _content(article_id: int, version: int, told: NewArticle, actor: Actor, now: datetime) -> dict[str, Any]:
    return {
        "article_id": article_id,
        "version": version,
        "title": told.title.strip(),
        "body": told.body.strip(),
        "keywords": list(dict.fromkeys(word.strip() for word in told.keywords)),
        "category": told.category,
        "review_at": told.review_at,
        "written_by": actor.user_id,
        "written_at": now,
        "published_by": None,
        "published_at": None,
    }


def _note(tx: Tx, actor: Actor, action: str, article_id: int, now: datetime, **detail: Any) -> None:
    tx.audit(now, actor, action, f"article {article_id}", **detail)
    live.tell(tx, "article", str(article_id), now)
