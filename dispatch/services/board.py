"""Reading: lists, one ticket, its timeline, escalations, the audit; everyone sees what the role allows, no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatch.domain.call import mask_phone
from dispatch.domain.errors import InvalidInput
from dispatch.domain.roles import Actor, Permission, check_permitted, check_sees, team_seen
from dispatch.domain.search import query_terms
from dispatch.services import callback_queue, present, recommend, suggesting, temporary
from dispatch.services.desk import Desk
from dispatch.storage import arrivals, audit, board, callbacks, calls, directory, escalations, policies, ratings
from dispatch.storage.board import Filter


def tickets(
    desk: Desk, actor: Actor, wanted: Filter, *, text: str, after: int, limit: int, now: datetime
) -> dict[str, Any]:
    """Return a page of tickets, newest first: `{items, next}`; `next` is None on the last page.

    Args:
        desk: The process's desk.
        actor: Who asks; crews see their own and what they assist with.
        wanted: The filter.
        text: Full-text search over number, address, description and caller's name; empty for none.
        after: `next` of the page before, 0 for the first.
        limit: Rows on a page.
        now: For which moment clocks are judged.

    Raises:
        InvalidInput: if the text has no word to look for.
    """
    check_permitted(actor, Permission.READ)
    terms = query_terms(text)
    if text and not terms:
        raise InvalidInput("搜索内容须含文字或数字", field="q")
    seen = replace(wanted, terms=terms, visible_to_team=team_seen(actor))
    with desk.store.read() as tx:
        rows = board.page(tx, seen, after, limit + 1, now)
        items = present.from_rows(tx, desk, rows[:limit], now)
    return {"items": items, "next": rows[limit - 1]["id"] if len(rows) > limit else None}


def ticket(desk: Desk, actor: Actor, number: str, now: datetime) -> dict[str, Any]:
    """Return one ticket with its calls (numbers masked), timeline, escalations, its last rating, and who could go.

    Raises:
        NotFound: if there is none for this actor.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        row = present.find(tx, number)
        check_sees(actor, number, row["team_id"], tuple(row["assisting"]))
        return {
            **present.from_row(tx, desk, row, now),
            "calls": [_call(call) for call in calls.of_ticket(tx, row["id"])],
            "timeline": [_event(event) for event in board.timeline(tx, row["id"])],
            "follow_ups": temporary.shown(tx, number),
            "callbacks": callback_queue.histories(tx, callbacks.of_ticket(tx, row["id"])),
            "reworked_by": callbacks.reworked_by(tx, number),
            "suggestion": suggesting.shown(tx, row["id"]),
            "rating": present.rating(ratings.last(tx, row["id"])),
            "recommendation": recommend.stored(arrivals.last(tx, row["id"])),
            "escalations": [
                present.escalation({**step, "number": number}) for step in escalations.of_ticket(tx, row["id"])
            ],
        }


def _call(row: dict[str, Any]) -> dict[str, Any]:
    plain = ("outcome", "category", "description", "answers")
    return {
        "call_id": row["id"],
        **{name: row[name] for name in plain},
        "called_at": present.time(row["called_at"]),
        "caller_phone": mask_phone(row["caller_phone"]),
    }


def _event(row: dict[str, Any]) -> dict[str, Any]:
    plain = ("kind", "text", "from_status", "to_status", "time_source")
    times = ("at", "effective_at")
    return {**{name: row[name] for name in plain}, **{name: present.time(row[name]) for name in times}}


def fired(desk: Desk, actor: Actor, *, is_unanswered: bool, after: int, limit: int) -> dict[str, Any]:
    """Return a page of fired steps, newest first: `{items, next}`."""
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        rows = escalations.page(tx, after, limit + 1, is_unanswered=is_unanswered, team_id=team_seen(actor))
    items = [present.escalation(row) for row in rows[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None}


def audited(desk: Desk, actor: Actor, *, subject: str | None, after: int, limit: int) -> dict[str, Any]:
    """Return a page of the audit, newest first: `{items, next}`.

    Raises:
        NotPermitted: for all but auditor, supervisor and admin.
    """
    check_permitted(actor, Permission.AUDIT)
    with desk.store.read() as tx:
        rows = audit.page(tx.conn, after, limit + 1, subject)
    items = [{**row, "at": present.time(row["at"])} for row in rows[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None}


def teams(desk: Desk, actor: Actor) -> list[dict[str, Any]]:
    """Return all teams with their stewards."""
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        return directory.teams(tx)


def categories(desk: Desk, now: datetime, version: str | None = None) -> dict[str, Any]:
    """Return levels, categories with their questions, and the coded reasons of the policy valid now, or of a version.

    A ticket goes by the codes of the version that it keeps.

    Raises:
        InvalidInput: if there is no such version.
    """
    with desk.store.read() as tx:
        if version is not None and policies.find(tx, version) is None:
            raise InvalidInput(f"没有政策版本“{version[:40]}”", field="policy_version")
        policy = desk.rules(tx, now).policy if version is None else desk.policy(tx, version)
    return {
        "policy_version": policy.version,
        "levels": [{"id": level.id, "label": level.label} for level in policy.levels.values()],
        "items": [
            {
                "id": category.id,
                "label": category.label,
                "level": category.level,
                "questions": [
                    {"id": question.id, "text": question.text, "choices": list(question.choices)}
                    for question in category.questions
                ],
            }
            for category in policy.categories.values()
        ],
        "reasons": {kind: dict(codes) for kind, codes in policy.reasons.items()},
        "temporary": {kind.id: kind.label for kind in policy.temporary.values()},
    }
