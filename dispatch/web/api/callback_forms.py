"""Who called, and how a call-back is told: in the detail of its ticket, and in the list of what waits no more."""

from __future__ import annotations

from pydantic import BaseModel, Field


class CallbackTry(BaseModel):
    """One try to reach a caller, or the caller's own answer."""

    by: str
    state: str = Field(description="reached, unreached or answered_by_link")
    note: str
    at: str


class CallbackHistory(BaseModel):
    """A call-back to one caller, and every try."""

    id: int
    number: str
    round: int
    state: str = Field(description="waiting, reached, unreached, answered_by_link or void")
    state_label: str
    caller_phone: str | None = Field(description="masked; null where none was left")
    tries: int
    is_solved: bool | None
    is_satisfied: bool | None
    reason: str | None
    reason_label: str
    note: str
    due_at: str
    next_try_at: str | None
    settled_at: str | None
    settled_by: str | None
    rework: str | None = Field(description="number of the ticket under which somebody comes again")
    history: list[CallbackTry]


class Caller(BaseModel):
    """A caller in the clear."""

    call_id: int
    caller_name: str | None
    caller_phone: str | None


class Callers(BaseModel):
    """The callers of a ticket."""

    items: list[Caller]
