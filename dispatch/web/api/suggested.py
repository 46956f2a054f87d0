"""The form of a ticket that may be about the same problem as another."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Water(BaseModel):
    """When water was stopped, is expected back, and came back, as far as anybody said."""

    isolated_at: str | None
    restore_expected_at: str | None
    restored_at: str | None


class SimilarTicket(BaseModel):
    """An open ticket that may be about the same problem; a person says whether it is."""

    number: str
    incident: str | None = Field(description="number of the incident that it belongs to")
    water: Water | None = Field(description="of its incident, or null")
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
