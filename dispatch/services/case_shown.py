"""How cases are shown: the brief form for whoever takes a call, and the whole story. Numbers masked, no rooms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dispatch.domain.address_text import without_room
from dispatch.domain.call import mask_phone
from dispatch.domain.case import (
    BY_HAND,
    CASE_STATUS_LABELS,
    ENTRY_LABELS,
    KIND_LABELS,
    ROOT_CAUSES,
    VISITS,
    CaseKind,
    CaseStatus,
    EntryKind,
    number_of,
)
from dispatch.domain.errors import NotFound
from dispatch.domain.policy import Policy
from dispatch.domain.states import STATUS_LABELS, Status
from dispatch.services import present
from dispatch.storage import cases
from dispatch.storage.db import Tx

_LAST = 3


def briefs(tx: Tx, policy: Policy, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the brief form of cases whose rows have been read, with the last lines of their stories."""
    ids = [row["id"] for row in rows]
    counts, stories = (cases.counts(tx, ids), cases.stories(tx, ids, _LAST)) if ids else ({}, {})
    return [
        {**_plain(row, policy), **counts[row["id"]], "last": [_entry(entry) for entry in stories[row["id"]]]}
        for row in rows
    ]


def _plain(row: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    status, kind = CaseStatus(row["status"]), CaseKind(row["kind"])
    category = policy.categories.get(row["category"])
    return {
        "id": row["id"],
        "number": number_of(row["id"]),
        "kind": kind.value,
        "kind_label": KIND_LABELS[kind],
        **{name: row[name] for name in ("title", "version", "owner", "owner_login", "rhythm_days", "category")},
        "category_label": category.label if category else row["category"],
        "status": status.value,
        "status_label": CASE_STATUS_LABELS[status],
        "phone": mask_phone(row["phone"]),
        "address": without_room(row["address"].strip()),
        "opened_at": present.time(row["opened_at"]),
        "next_follow_up_at": present.time(row["due_at"]) if status is CaseStatus.OPEN else None,
        "watched_until": present.time(row["due_at"]) if status is CaseStatus.WATCHING else None,
    }


def detail(tx: Tx, policy: Policy, case_id: int) -> dict[str, Any]:
    """Return a case with its causes, tickets, visits, neighbours and everything that happened, oldest first.

    Raises:
        NotFound: if there is none.
    """
    row = cases.find(tx, case_id)
    if row is None:
        raise NotFound(f"没有个案 {number_of(case_id)}")
    tickets, entries = cases.linked(tx, case_id), cases.entries(tx, case_id)
    cause = row["root_cause"]
    return {
        **briefs(tx, policy, [row])[0],
        "root_cause": cause,
        "root_cause_label": ROOT_CAUSES.get(cause) if cause else None,
        **{name: row[name] for name in ("root_note", "outcome")},
        "closed_at": present.time(row["closed_at"]),
        "neighbours_visited": [_visit(entry) for entry in entries if entry["kind"] == EntryKind.NEIGHBOUR],
        "linked": [_ticket(ticket, policy) for ticket in tickets],
        "timeline": _timeline(tx, row, tickets, entries),
    }


def _visit(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {"at": present.time(entry["at"]), "whom": entry["whom"], "finding": entry["text"]}


def _ticket(row: Mapping[str, Any], policy: Policy) -> dict[str, Any]:
    category = policy.categories.get(row["category"])
    return {
        **{name: row[name] for name in ("number", "status", "level", "category", "is_auto", "description")},
        "status_label": STATUS_LABELS[Status(row["status"])],
        "category_label": category.label if category else row["category"],
        "received_at": present.time(row["received_at"]),
    }


def _entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    kind = EntryKind(entry["kind"])
    return {
        "at": present.time(entry["at"]),
        "kind": kind.value,
        "label": ENTRY_LABELS[kind],
        "text": entry["text"],
        "whom": entry["whom"],
        "next_step": entry["next_step"],
        "by": entry["actor"],
        "number": None,
        "is_visit": kind in VISITS,
        "is_by_hand": kind in BY_HAND,
    }


def _timeline(
    tx: Tx, row: Mapping[str, Any], tickets: Sequence[Mapping[str, Any]], entries: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Calls, arrivals of crews and the lines of the story in the order in which they happened."""
    numbers = {ticket["id"]: ticket["number"] for ticket in tickets}
    calls = [
        _happened(call["called_at"], "call", "来电", call["description"], numbers[call["ticket_id"]])
        for call in cases.calls(tx, row["id"], row["phone"])
    ]
    arrivals = [
        _happened(one["effective_at"], "arrive", "到场", one["text"], numbers[one["ticket_id"]], is_visit=True)
        for one in cases.arrivals(tx, row["id"])
    ]
    told = [_entry(entry) for entry in entries]
    return sorted((*calls, *arrivals, *told), key=lambda item: str(item["at"]))


def _happened(at: Any, kind: str, label: str, text: str, number: str, *, is_visit: bool = False) -> dict[str, Any]:
    told = {"at": present.time(at), "kind": kind, "label": label, "text": text, "number": number}
    return {**told, "is_visit": is_visit, "is_by_hand": False, "whom": "", "next_step": "", "by": ""}
