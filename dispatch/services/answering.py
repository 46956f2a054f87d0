"""Answers without a ticket: articles found while somebody types, counted where they answer, and due for review."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from dispatch.domain.article import State, rank
from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import SYSTEM, Actor, Permission, check_permitted
from dispatch.domain.search import query_terms
from dispatch.domain.times import shanghai_text
from dispatch.services import live, present
from dispatch.services.articles import shown
from dispatch.services.desk import Desk
from dispatch.storage import articles, outbox
from dispatch.storage.db import Tx

# Each call of the period is counted: some 150,000 a month in a big city.
MOST = timedelta(days=366)
BATCH = 100
# Who is told where the owner is gone.
_OTHERWISE = "hotline_director"


def search(desk: Desk, actor: Actor, text: str, limit: int, now: datetime) -> dict[str, Any]:
    """Return the published articles that fit what is typed, the best first, each with why: `{items}`.

    Without a word to look for: those that have answered most calls.

    Raises:
        NotPermitted: if the role may not read.
    """
    check_permitted(actor, Permission.READ)
    terms = query_terms(text)
    with desk.store.read() as tx:
        policy = desk.rules(tx, now).policy
        if not terms:
            used = articles.most_used(tx, limit)
            return {"items": [{**shown(row, policy, now), "score": 0.0, "reason": ""} for row in used]}
        count = articles.counts(tx).get(State.PUBLISHED, 0)
        fits = rank(terms, articles.with_terms(tx, terms), count)[:limit]
        rows = articles.live(tx, [fit.article_id for fit in fits])
    items = [
        {**shown(rows[fit.article_id], policy, now), "score": fit.score, "reason": fit.reason}
        for fit in fits
        if fit.article_id in rows  # not withdrawn between the two looks
    ]
    return {"items": items}


def used(tx: Tx, article_id: int, version: int | None) -> int:
    """Count that a call is answered by an article, and return the version: the one that was read, or the current one.

    An article that was withdrawn while it was being read out has answered all the same.

    Raises:
        InvalidInput: if agents never read such an article or version.
    """
    current = articles.count_answer(tx, article_id)
    if current is None:
        raise InvalidInput(f"没有已发布的文章 {article_id}", field="article_id")
    if version is None or version == current:
        return current
    read = articles.version(tx, article_id, version)
    if read is None or read["published_at"] is None:
        raise InvalidInput(f"文章 {article_id} 没有发布过第 {version} 版", field="article_version")
    return version


def figures(desk: Desk, actor: Actor, start: datetime, end: datetime) -> dict[str, Any]:
    """Return how many calls logged from `start` to before `end` were answered without a ticket, and by what.

    Returns:
        `{from, to, calls, answered, by_article, items}`: all calls, those that were answered, those of them with an
        article, and the articles with `answered` each, the most first.

    Raises:
        NotPermitted: if the role may not read.
        InvalidInput: if the period is empty or longer than MOST.
    """
    check_permitted(actor, Permission.READ)
    if end <= start:
        raise InvalidInput("结束时间须晚于开始时间", field="to")
    if end - start > MOST:
        raise InvalidInput(f"一次最多统计 {MOST.days} 天", field="to")
    with desk.store.read() as tx:
        calls, found = articles.calls(tx, start, end), articles.answered(tx, start, end)
        by_article = {id_: count for id_, count in found.items() if id_ is not None}
        titles = articles.titles(tx, list(by_article))
    ordered = sorted(by_article.items(), key=lambda item: (-item[1], item[0]))
    return {
        "from": present.time(start),
        "to": present.time(end),
        "calls": calls,
        "answered": sum(found.values()),
        "by_article": sum(by_article.values()),
        "items": [{"article_id": id_, "title": titles[id_], "answered": count} for id_, count in ordered],
    }


def remind(desk: Desk, now: datetime) -> int:
    """Tell the owners of articles that are due for review, each once; return how many were told.

    Any number of processes may do so at once: who moves the deadline writes the notice, in one transaction.
    """
    told = 0
    with desk.store.read() as tx:
        due_at = articles.next_due(tx)
    while due_at is not None and due_at <= now:
        with desk.store.write() as tx:
            rows = articles.due(tx, now, BATCH)
            for row in rows:
                _remind(tx, desk, row, now)
            due_at = articles.next_due(tx)
        told += len(rows)
        if not rows:  # another process holds what is left
            break
    return told


def _remind(tx: Tx, desk: Desk, row: dict[str, Any], now: datetime) -> None:
    articles.change(tx, row["id"], remind_at=None)
    to = f"user:{row['login']}" if row["login"] and row["is_active"] else _OTHERWISE
    text = f"知识库文章“{row['title']}”已到复审日期 {shanghai_text(row['review_at'])[:10]}, 请核对后复审、修改或撤下"
    notice = {"ticket_id": None, "recipients": [to], "text": text, "state": "queued", "attempts": 0}
    key = f"article:{row['id']}:{row['review_at'].isoformat()}"
    outbox.put(
        tx,
        [
            {**notice, "channel": channel, "idempotency_key": f"{key}:{channel}", "created_at": now, "next_try_at": now}
            for channel in desk.channels
        ],
    )
    tx.audit(now, SYSTEM, "article-remind", f"article {row['id']}", to=to)
    live.tell(tx, "article", str(row["id"]), now)
