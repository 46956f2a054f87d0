"""A call becomes exactly one of three: a ticket, part of a ticket, or an answer. One transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from dispatch.domain.address import PlacedBy
from dispatch.domain.address_match import place_of
from dispatch.domain.call import NewCall, Outcome, check_appointment, check_call, check_place
from dispatch.domain.errors import DispatchError, InvalidInput, NotFound
from dispatch.domain.flags import Care
from dispatch.domain.place import datum_of, to_wgs84
from dispatch.domain.policy import Policy
from dispatch.domain.roles import DESK_ROLES, SYSTEM, Actor, Permission, check_permitted
from dispatch.domain.search import index_terms
from dispatch.domain.states import ACTIVE, STATUS_LABELS, Status, Verb
from dispatch.domain.ticket import Command, Notice, Ticket, decide, first_clocks
from dispatch.domain.times import shanghai_day
from dispatch.services import care, outage_answers, present, similar, watching, widening
from dispatch.services.answering import used
from dispatch.services.desk import Desk, Rules
from dispatch.services.lookup import shown_outside
from dispatch.services.numbering import number_text
from dispatch.services.outage_answers import KnownOutage
from dispatch.services.routing import Placing, guarded, place_call
from dispatch.services.watching import Heard, Known, Sighted
from dispatch.storage import calls, outages, outbox, replies, suggestions, tickets
from dispatch.storage.db import Tx


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a call: its JSON form, and whether it was given before."""

    body: dict[str, Any]
    is_repeat: bool


def register(
    desk: Desk, actor: Actor, call: NewCall, body: Mapping[str, Any], now: datetime, key: str | None = None
) -> Receipt:
    """Register a call.

    Args:
        desk: The process's desk.
        actor: Who took it.
        call: The call.
        body: Its JSON form as it came, by which a repeated request is told from another one.
        now: The server's time.
        key: The `Idempotency-Key` of the request, if it has one.

    Raises:
        NotPermitted: if the role takes no calls.
        InvalidInput: with the field at fault.
        NotFound: if the ticket to join is not there.
        IdempotencyMismatch: if the CTI call id or the key came before with another body.
    """
    check_permitted(actor, Permission.CALL)
    keys = _keys(actor, call, key)
    if call.point is None and call.address:
        guarded(desk.gazetteers.refresh)  # here, lest others wait for its reading in the transaction
    day = shanghai_day(now)
    count = desk.numbers.take(day)
    try:
        with desk.store.write() as tx:
            first = replies.claim(tx, keys, replies.fingerprint(body), now)
            reply = first or _take(tx, desk, actor, call, number_text(day, count), now)
            if first is None:
                replies.keep(tx, keys, reply)
    except DispatchError:
        desk.numbers.give_back(day, count)
        raise  # after any other error the number may be in use: who knows what the database kept
    if first is not None or reply["outcome"] != Outcome.TICKET:
        desk.numbers.give_back(day, count)
    return Receipt(reply, first is not None)


def _keys(actor: Actor, call: NewCall, key: str | None) -> Sequence[tuple[str, str]]:
    keys = []
    if call.cti_call_id:
        keys.append((f"cti:{call.cti_call_id}", "cti_call_id"))
    if key:
        keys.append((f"call:{actor.user_id}:{key}", "Idempotency-Key"))
    return keys


def _take(tx: Tx, desk: Desk, actor: Actor, call: NewCall, number: str, now: datetime) -> dict[str, Any]:
    rules = desk.rules(tx, now)
    category = rules.policy.category(call.category)
    outcome = check_call(call, category, now)
    if call.article_id is not None and outcome is not Outcome.ANSWERED:
        raise InvalidInput("只有直接答复的来电才由文章解答, 请去掉 article_id", field="article_id")
    sighted = watching.sight(tx, rules.policy, _known(call), call.called_at)
    if outcome is Outcome.ANSWERED:
        if call.article_id is not None:
            call = replace(call, article_version=used(tx, call.article_id, call.article_version))
        return _answer(tx, desk, actor, call, sighted, None, now)
    if outcome is Outcome.ATTACHED:
        return _attach(tx, desk, actor, call, sighted, now)
    return _open(tx, desk, rules, actor, call, sighted, number, now)


def _answer(
    tx: Tx, desk: Desk, actor: Actor, call: NewCall, sighted: Sighted, outage: KnownOutage | None, now: datetime
) -> dict[str, Any]:
    """Keep a call for which nobody is sent: a question, or one that a known outage explains."""
    call_id = _add_call(tx, actor, call, Outcome.ANSWERED, None, now, outage)
    _index(tx, call_id, call)
    told = {"outage": outage.id} if outage else {"article": call.article_id}
    tx.audit(now, actor, "call", f"call {call_id}", outcome=Outcome.ANSWERED, **told)
    watching.heard(tx, desk, sighted, actor, _heard(call_id, call), now)
    return _reply(call_id, Outcome.ANSWERED, None, outage=outage)


def _known(call: NewCall) -> Known:
    at_door = to_wgs84(call.point) if call.point and not call.is_approximate else None
    return Known(phone=call.caller_phone, address=call.address, point=at_door, category=call.category)


def _heard(call_id: int, call: NewCall, ticket: Ticket | None = None) -> Heard:
    return Heard(call_id, call.description or call.answer or "", call.called_at, ticket)


def _add_call(
    tx: Tx,
    actor: Actor,
    call: NewCall,
    outcome: Outcome,
    ticket_id: int | None,
    now: datetime,
    outage: KnownOutage | None = None,
) -> int:
    point = call.point
    return calls.add(
        tx,
        {
            "cti_call_id": call.cti_call_id,
            "ticket_id": ticket_id,
            "outcome": outcome,
            "called_at": call.called_at,
            "logged_at": now,
            "taken_by": actor.user_id,
            "caller_phone": call.caller_phone,
            "caller_name": call.caller_name,
            "category": call.category,
            "description": call.description,
            "address": call.address,
            "answers": dict(call.answers),
            "raw_lon": point.lon if point else None,
            "raw_lat": point.lat if point else None,
            "datum": datum_of(point) if point else None,
            "answer": outage.text if outage and outcome is Outcome.ANSWERED else call.answer,
            "outage_id": outage.id if outage else None,
            "article_id": call.article_id,
            "article_version": call.article_version,
        },
    )


def _index(tx: Tx, call_id: int, call: NewCall, number: str = "") -> None:
    words = " ".join(filter(None, (number, call.address, call.description, call.caller_name)))
    calls.index_terms(tx, call_id, index_terms(words))


def _attach(tx: Tx, desk: Desk, actor: Actor, call: NewCall, sighted: Sighted, now: datetime) -> dict[str, Any]:
    ticket = tickets.lock(tx, call.attach_to or "")
    if ticket is None:
        raise NotFound(f"没有工单 {call.attach_to}", field="attach_to")
    if ticket.status not in ACTIVE:
        label = STATUS_LABELS[ticket.status]
        raise InvalidInput(f"工单 {ticket.number} 已{label}, 请新建工单", field="attach_to")
    others = similar.named(tx, call.not_same)
    call_id = _add_call(tx, actor, call, Outcome.ATTACHED, ticket.id, now)
    _index(tx, call_id, call)
    similar.tell_apart(tx, actor, ticket, others, now)
    text = f"{actor.label} 并入来电 {call_id}: {call.description[:80]}"
    tickets.note(tx, ticket, "call", text, actor, now, at=call.called_at)
    told = Notice(("crew",), f"{ticket.number} 又有来电: {call.description[:80]}")
    outbox.put(tx, outbox.rows_of(ticket.id, ticket, told, f"{ticket.id}:call:{call_id}", now, desk.channels))
    ticket = care.join(tx, desk, ticket, sighted.flags, f"{ticket.id}:call:{call_id}", call.called_at, now)
    watching.heard(tx, desk, sighted, actor, _heard(call_id, call, ticket), now)
    return _reply(call_id, Outcome.ATTACHED, present.load(tx, desk, ticket.number, now))


def _reply(
    call_id: int,
    outcome: Outcome,
    ticket: dict[str, Any] | None,
    suggestions: Sequence[Mapping[str, Any]] = (),
    outage: KnownOutage | None = None,
) -> dict[str, Any]:
    told = {"suggestions": list(suggestions), "outage": outage.form() if outage else None}
    return {"call_id": call_id, "outcome": outcome.value, "ticket": ticket, **told}


def _suggested(
    tx: Tx, desk: Desk, call: NewCall, placing: Placing, others: Mapping[str, int], now: datetime
) -> list[dict[str, Any]]:
    """Return what the call may be about too: it is told, and nothing is joined."""
    probe = similar.Probe(
        point=placing.point,
        address=call.address,
        category=call.category,
        description=call.description,
        caller_phone=call.caller_phone,
        called_at=call.called_at,
    )
    found = similar.find(tx, desk, probe, now, without=others.values(), most=similar.AT_INTAKE)
    return similar.shown(tx, desk, found)


def _open(
    tx: Tx,
    desk: Desk,
    rules: Rules,
    actor: Actor,
    call: NewCall,
    sighted: Sighted,
    number: str,
    now: datetime,
    **more: Any,
) -> dict[str, Any]:
    policy = rules.policy
    level = policy.level_of(policy.category(call.category), call.answers)
    check_place(call, policy.levels[level])
    check_appointment(call, policy.levels[level])
    cared = sighted.care(policy, call.category, level)
    is_pinned = actor.role in DESK_ROLES and not call.is_approximate
    by = PlacedBy.PIN if is_pinned else PlacedBy.APPROXIMATE
    placing = place_call(desk, tx, rules, call.point, call.address, by)
    outage = _outage(tx, desk, rules, call, placing)
    if outage and not call.override_outage:
        answered = _answer(tx, desk, actor, call, sighted, outage, now)
        if cared.notify:
            care.tell_answered(tx, desk, cared, placing, outage, answered["call_id"], now)
        return answered
    fresh = _fresh(number, cared, call, placing, policy)
    fresh, why_wide = _with_clocks(fresh, rules, call.called_at, now)
    others = similar.named(tx, call.not_same)
    suggestions = _suggested(tx, desk, call, placing, others, now)
    dispatch = None
    if placing.assignment:
        dispatch = decide(fresh, Command(verb=Verb.DISPATCH, at=now, assignment=placing.assignment), SYSTEM, policy)
    told = {
        "received_at": call.called_at,
        "address": call.address,
        "description": call.description,
        "place_key": place_of(call.address).key or None,
        **watching.columns(sighted, cared, placing.point, desk.settings.frequent_calls),
        **placing.columns(rules),
        **more,
    }
    row = tickets.create(tx, fresh, told, dispatch)
    call_id = _add_call(tx, actor, call, Outcome.TICKET, row["id"], now, outage)
    ticket = replace(fresh, id=row["id"])
    opened = replace(ticket, status=Status(row["status"]))
    said = f"{actor.label} 受理来电 {call_id}{outage.overridden() if outage else ''}"
    said = "; ".join(filter(None, (said, why_wide)))
    received = tickets.note_row(ticket, "receive", said, actor, now, call.called_at)
    with tx.together():
        _index(tx, call_id, call, ticket.number)
        tickets.begin(tx, ticket, received, actor, dispatch, SYSTEM, now, desk.channels)
        if placing.note:
            tickets.note(tx, ticket, "locate", placing.note, SYSTEM, now, at=now)
        if placing.point is None:
            _ask_where(tx, desk, ticket.id, call.address, now)
        if cared.text:
            tickets.note(tx, opened, "customer", cared.text, SYSTEM, now, at=call.called_at)
    watching.heard(tx, desk, sighted, actor, _heard(call_id, call, opened), now)
    similar.tell_apart(tx, actor, ticket, others, now)
    return _reply(call_id, Outcome.TICKET, present.ticket(row, ticket.clocks, policy, now), suggestions)


def open_again(tx: Tx, desk: Desk, actor: Actor, call: NewCall, number: str, now: datetime, *, rework_of: str) -> None:
    """Open a ticket of her own for a caller whom another one did not help, in the transaction of whoever heard it."""
    rules = desk.rules(tx, now)
    sighted = watching.sight(tx, rules.policy, _known(call), call.called_at)
    _open(tx, desk, rules, actor, call, sighted, number, now, rework_of=rework_of)


def _outage(tx: Tx, desk: Desk, rules: Rules, call: NewCall, placing: Placing) -> KnownOutage | None:
    """Return the notice that explains the call, held until the end of the transaction: water may come back just now."""
    known = outage_answers.covering(
        tx, desk, rules, call.category, placing, call.address, is_exact=not call.is_approximate, at=call.called_at
    )
    return known if known and outages.hold(tx, known.id) else None


def _ask_where(tx: Tx, desk: Desk, ticket_id: int, address: str, now: datetime) -> None:
    """Queue the question for the geocoders on the network, where they are on: nobody waits for them here."""
    text = shown_outside(address)
    if text and desk.settings.geocoder_names:
        suggestions.put(tx, ticket_id, text, now)


def _with_clocks(fresh: Ticket, rules: Rules, called_at: datetime, now: datetime) -> tuple[Ticket, str]:
    """Start the first clocks of a ticket; return it, and why some are wider than promised, or nothing."""
    first = first_clocks(fresh, rules.policy, called_at)
    clocks, why = widening.apply(first, fresh.level, rules.policy, rules.widenings, now)
    return replace(fresh, clocks=clocks), why


def _fresh(number: str, cared: Care, call: NewCall, placing: Placing, policy: Policy) -> Ticket:
    return Ticket(
        id=0,
        number=number,
        status=Status.RECEIVED,
        version=1,
        round=1,
        level=cared.level,
        category=call.category,
        area=placing.area,
        policy_version=policy.version,
        moved_at=call.called_at,
        branch=placing.assignment.branch if placing.assignment else None,
        pipe_dn=call.pipe_dn,
        appointment_at=call.appointment_at,
        notify=cared.notify,
    )
