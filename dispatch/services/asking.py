"""Hold and extension: a crew asks, somebody who may decides; what is granted is done in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from dispatch.domain.call import check_text
from dispatch.domain.errors import DispatchError, NotFound
from dispatch.domain.roles import (
    Actor,
    Permission,
    check_owns,
    check_permitted,
    check_sees,
    team_seen,
)
from dispatch.domain.states import VERB_LABELS, Verb
from dispatch.domain.ticket import Notice, Ticket, decide
from dispatch.domain.times import shanghai_text
from dispatch.services import present
from dispatch.services.actions import Action, Scene, carry_out, command_of, see, unchanged
from dispatch.services.desk import Desk
from dispatch.storage import asked, outbox, replies, tickets
from dispatch.storage.db import Tx

VERBS = (Verb.HOLD, Verb.EXTEND)


class AlreadyAsked(DispatchError):
    """The same is asked for already and not decided yet."""

    code = "already-asked"
    status = 409


class AlreadyDecided(DispatchError):
    """Somebody else has decided; how is in the detail."""

    code = "already-decided"
    status = 409


def ask(desk: Desk, actor: Actor, number: str, action: Action, now: datetime) -> dict[str, Any]:
    """Ask for the hold or the extension that `action` describes, and return the request.

    Only what could be done now is taken. A repeated key gets the first answer again.

    Raises:
        NotPermitted: if the role asks for nothing, or the ticket is another team's.
        NotFound: if there is no such ticket for this actor.
        AlreadyAsked: if the ticket has an open request for the same verb.
        IllegalTransition: if the verb does not fit the state.
        InvalidInput: if something is missing or wrong.
        IdempotencyMismatch: if the key came before with another request.
    """
    check_permitted(actor, Permission.ASK)
    check_text(action.note, "note")
    keys = [(f"ask:{actor.user_id}:{action.key}", "Idempotency-Key")] if action.key else []
    told = {"number": number, "verb": action.verb, "body": action.body}
    with desk.store.write() as tx:
        first = replies.claim(tx, keys, replies.fingerprint(told), now)
        if first is not None:
            return first
        ticket = see(tx, actor, number)
        check_owns(actor, Permission.ASK, ticket.team_id)
        if asked.open_of(tx, ticket.id, action.verb) is not None:
            raise AlreadyAsked(f"已有待批的{VERB_LABELS[action.verb]}申请, 请等待批复")
        reply = _load(tx, desk, _take(tx, desk, actor, ticket, action, now))
        replies.keep(tx, keys, reply)
    return reply


def _take(tx: Tx, desk: Desk, actor: Actor, ticket: Ticket, action: Action, now: datetime) -> int:
    policy = desk.policy(tx, ticket.policy_version)
    asked_at, _ = policy.trusted_time(action.device_at, now, ticket.moved_at)
    tried = decide(ticket, replace(command_of(action, now), asked_at=asked_at), actor, policy)
    row = {
        "ticket_id": ticket.id,
        "verb": action.verb,
        "reason": action.reason,
        "note": action.note,
        "until": action.until,
        "asked_by": actor.user_id,
        "asked_at": asked_at,
    }
    request_id = asked.add(tx, row)
    text = f"{actor.label} 申请{tried.text.removeprefix(f'{actor.label} ')}"
    tickets.note(tx, ticket, "ask", text, actor, now, at=asked_at)
    _tell(tx, desk, ticket, ("dispatcher",), f"{ticket.number} {text}", f"ask:{request_id}", now)
    return request_id


def _tell(tx: Tx, desk: Desk, ticket: Ticket, to: tuple[str, ...], text: str, key: str, now: datetime) -> None:
    outbox.put(tx, outbox.rows_of(ticket.id, ticket, Notice(to, text), key, now, desk.channels))


def rule(desk: Desk, actor: Actor, request_id: int, *, is_granted: bool, answer: str, now: datetime) -> dict[str, Any]:
    """Grant or refuse a request and return it; what is granted is done at once, or nothing is written at all.

    The same word from the same person again changes nothing.

    Raises:
        NotPermitted: if the role decides nothing, or may not do itself what is asked for.
        NotFound: if there is no such request for this actor.
        AlreadyDecided: if somebody has decided otherwise, or before.
        IllegalTransition: if the ticket has moved on, and the verb does not fit any more.
        InvalidInput: if the time asked for has passed.
    """
    check_permitted(actor, Permission.DECIDE)
    check_text(answer, "answer")
    with desk.store.write() as tx:
        found = _find(tx, request_id)
        ticket, *carried = tickets.lock_job(tx, found["ticket_id"])
        check_sees(actor, ticket.number, ticket.team_id, ticket.assisting)
        found = _find(tx, request_id)  # once more: whoever held the lock may have decided
        if found["decided_at"] is None:
            scene = Scene(tx, desk, actor, ticket, Action(verb=Verb(found["verb"])), tuple(carried))
            _settle(scene, found, now, is_granted=is_granted, answer=answer)
        elif (found["decided_by"], found["is_granted"]) != (actor.user_id, is_granted):
            word = "批准" if found["is_granted"] else "驳回"
            raise AlreadyDecided(f"{found['decider']} 已于 {shanghai_text(found['decided_at'])} {word}")
        return _load(tx, desk, request_id)


def _settle(scene: Scene, found: Mapping[str, Any], now: datetime, *, is_granted: bool, answer: str) -> None:
    tx, actor, ticket, verb, request_id = scene.tx, scene.actor, scene.ticket, scene.action.verb, found["id"]
    if is_granted:
        check_permitted(actor, Permission(verb))
    word = f"{'批准' if is_granted else '驳回'}{VERB_LABELS[verb]}申请" + (f": {answer}" if answer else "")
    kind = "grant" if is_granted else "refuse"
    tickets.note(tx, ticket, kind, f"{actor.label} {word} ({found['asker']} 申请)", actor, now, at=now)
    asked.decide(tx, request_id, {"decided_by": actor.user_id, "is_granted": is_granted, "answer": answer or None}, now)
    _tell(tx, scene.desk, ticket, ("crew",), f"{ticket.number} {word}", f"decide:{request_id}", now)
    if is_granted:
        wanted = {name: found[name] for name in ("reason", "note", "until", "asked_at")}
        carry_out(replace(scene, action=replace(scene.action, **wanted)), now, unchanged)


def requests(desk: Desk, actor: Actor, *, is_open: bool, number: str | None, after: int, limit: int) -> dict[str, Any]:
    """Return a page of requests, newest first: `{items, next}`; crews see those of their team's tickets.

    Raises:
        NotPermitted: if the role may not read.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        rows = asked.page(tx, after, limit + 1, is_open=is_open, number=number, team_id=team_seen(actor))
        items = [_shown(tx, desk, row) for row in rows[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None}


def _find(tx: Tx, request_id: int) -> dict[str, Any]:
    found = asked.find(tx, request_id)
    if found is None:
        raise NotFound(f"没有申请 {request_id}")
    return found


def _load(tx: Tx, desk: Desk, request_id: int) -> dict[str, Any]:
    return _shown(tx, desk, _find(tx, request_id))


def _shown(tx: Tx, desk: Desk, row: Mapping[str, Any]) -> dict[str, Any]:
    reasons = desk.policy(tx, row["policy_version"]).reasons[row["verb"]]
    plain = ("id", "number", "team_id", "verb", "reason", "note", "asker", "decider", "is_granted", "answer")
    times = ("until", "asked_at", "decided_at")
    return {
        **{name: row[name] for name in plain},
        **{name: present.time(row[name]) for name in times},
        "verb_label": VERB_LABELS[Verb(row["verb"])],
        "reason_label": reasons.get(row["reason"]),
    }
