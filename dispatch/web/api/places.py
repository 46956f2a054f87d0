"""Routes of addresses in words: candidates as one types, tables of places, and what confirmed tickets have taught."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import request
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.place import Datum
from dispatch.domain.roles import Permission
from dispatch.services import place_import, places
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Position, Text
from dispatch.web.api.requests import PageIn
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class PlacesIn(BaseModel):
    """An address as far as it is typed."""

    q: Text = Field(min_length=1, max_length=300)

    model_config = ConfigDict(extra="forbid")


class PlaceFileIn(BaseModel):
    """How to read a table of places."""

    datum: Datum = Field(description="what its coordinates are measured against")
    source: Text = Field("", max_length=200, description="name of the file")

    model_config = ConfigDict(extra="forbid")


class LearnedIn(PageIn):
    """A page of learned addresses."""

    is_disputed: bool = Field(False, description="only addresses with several places")


class EntryIn(BaseModel):
    """An entry, by the id in the path."""

    entry_id: Position


class PlaceCandidate(BaseModel):
    """One meaning of an address."""

    label: str
    level: str = Field(description="room, number, estate, road, community, street, district or city")
    level_label: str
    lon: float | None = Field(description="WGS-84")
    lat: float | None
    radius_m: float | None = Field(description="the place lies within so many metres of the point")
    zone_id: str | None
    district: str | None
    street: str | None
    community: str | None
    confidence: float = Field(description="0 to 1")
    reason: str
    source: str
    can_place: bool = Field(description="whether a ticket goes by it without anybody's asking")


class PlaceCandidates(BaseModel):
    """Meanings of an address, the best first."""

    items: list[PlaceCandidate]
    best: int | None = Field(description="position of the one that is meant; null where it is ambiguous or unknown")
    note: str


class RefusedRow(BaseModel):
    """A row that was not taken."""

    row: int = Field(description="as a spreadsheet counts: the header is 1")
    reason: str


class PlaceReport(BaseModel):
    """What became of a table."""

    taken: int
    refused: list[RefusedRow]


class LearnedPlace(BaseModel):
    """An address with the place at which people pinned it and crews found it."""

    id: int
    key: str
    name: str
    district: str
    lon: float = Field(description="WGS-84")
    lat: float
    count: int = Field(description="tickets that confirmed it")
    last_ticket: str
    first_at: str
    last_at: str


class LearnedPlaces(BaseModel):
    """A page of learned addresses."""

    items: list[LearnedPlace]
    next: int | None


class ImportedPlace(BaseModel):
    """A place that staff imported."""

    id: int
    kind: str
    name: str
    district: str
    street: str
    community: str
    lon: float | None = Field(description="WGS-84")
    lat: float | None
    zone_id: str | None
    target: str
    source: str


class ImportedPlaces(BaseModel):
    """A page of imported places."""

    items: list[ImportedPlace]
    next: int | None


class Removed(BaseModel):
    """What is no more."""

    id: int


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("places", __name__, url_prefix="/api/v1", tag="places")

    @api.get("/places")
    @needs(api, Permission.CALL)
    @api.input(PlacesIn, location="query", arg_name="query")
    @api.output(PlaceCandidates)
    @api.doc(summary="地址候选", description="Offline; what is ambiguous stays so. Nothing is saved.")
    def find_places(query: PlacesIn) -> dict[str, Any]:
        return places.search(desk, actor(), query.q, utc_now())

    _tables(api, desk)
    _learned(api, desk)
    return api


def _tables(api: APIBlueprint, desk: Desk) -> None:
    @api.post("/places/import")
    @needs(api, Permission.PLACES)
    @api.input(PlaceFileIn, location="query", arg_name="query")
    @api.output(PlaceReport)
    @api.doc(summary="导入地名", description="The body is a CSV (UTF-8 or GBK) or xlsx; wrong rows are told.")
    def import_places(query: PlaceFileIn) -> dict[str, Any]:
        request.max_content_length = place_import.MAX_BYTES
        source, data = query.source or "API", request.get_data()
        done = place_import.import_places(desk, actor(), data, source=source, datum=query.datum, now=utc_now())
        return {"taken": done.count, "refused": [{"row": row, "reason": reason} for row, reason in done.refused]}

    @api.get("/places/imported")
    @needs(api, Permission.PLACES)
    @api.input(PageIn, location="query", arg_name="query")
    @api.output(ImportedPlaces)
    @api.doc(summary="已导入的地名")
    def list_imported_places(query: PageIn) -> dict[str, Any]:
        return places.imported(desk, actor(), after=query.after, limit=query.limit)

    @api.post("/places/imported/<entry_id>/remove")
    @needs(api, Permission.PLACES)
    @api.input(EntryIn, location="path", arg_name="path")
    @api.output(Removed)
    @api.doc(summary="删除导入的地名")
    def remove_imported_place(entry_id: str, path: EntryIn) -> dict[str, Any]:
        places.remove(desk, actor(), path.entry_id, utc_now())
        return {"id": path.entry_id}


def _learned(api: APIBlueprint, desk: Desk) -> None:
    @api.get("/places/learned")
    @needs(api, Permission.PLACES)
    @api.input(LearnedIn, location="query", arg_name="query")
    @api.output(LearnedPlaces)
    @api.doc(summary="从工单学到的地址", description="`is_disputed`: only those that contradict each other.")
    def list_learned_places(query: LearnedIn) -> dict[str, Any]:
        page = {"after": query.after, "limit": query.limit}
        return places.learned(desk, actor(), **page, is_disputed=query.is_disputed)

    @api.post("/places/learned/<entry_id>/remove")
    @needs(api, Permission.PLACES)
    @api.input(EntryIn, location="path", arg_name="path")
    @api.output(Removed)
    @api.doc(summary="删除学到的地址", description="It places no ticket any more; kept in the audit.")
    def remove_learned_place(entry_id: str, path: EntryIn) -> dict[str, Any]:
        places.forget(desk, actor(), path.entry_id, utc_now())
        return {"id": path.entry_id}
