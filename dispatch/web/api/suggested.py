"""The form of a ticket that may be about the same problem as another."""

from __future__ import annotations

from pydantic import BaseModel, Field


class SimilarTicket(BaseModel):
    """An open ticket that may be about the same problem; a person says whether it is."""

    number: str
    incident: str | None = Field(description="number of the incident that it belongs to")
    score: float = Field(description="from the threshold of its category to 1")
    reasons: list[str] = Field(description="why, in Chinese words")
    distance_m: float | None = Field(description="null where one of the two has no point")
    status: str
    status_label: str
    category: str
    category_label: str
    address: str
    description: str
    lon: float | None = Field(description="WGS-84")
    lat: float | None
    received_at: str


class SimilarTickets(BaseModel):
    """Open tickets that may be about the same problem, the most likely first."""

    items: list[SimilarTicket]
