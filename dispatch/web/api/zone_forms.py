"""What the routes of grid maps take in and answer with."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.place import Datum
from dispatch.domain.zone_edit import Names
from dispatch.domain.zone_export import Form
from dispatch.services.zone_ops import Edit, NewZone, Op
from dispatch.services.zone_publish import OpenTickets, Order
from dispatch.web.api.fields import Position, Text, Time, Version
from dispatch.web.api.requests import Body

Name = Annotated[Text, Field(min_length=1, max_length=60)]
Spot = Annotated[list[float], Field(min_length=2, max_length=3, description="[lon, lat], WGS-84")]
MEDIA = {
    Form.GEOJSON: "application/geo+json",
    Form.CSV: "text/csv",
    Form.KML: "application/vnd.google-earth.kml+xml",
}
_CLEARED = ("branch", "team_id")


class CopyIn(Body):
    """A draft of the version that is valid now."""

    name: Text = Field(min_length=1, max_length=100)
    source: Literal["live"] = "live"


class FileIn(BaseModel):
    """A draft of a file."""

    name: Text = Field("", max_length=100, description="of the draft; the file's by default")
    datum: Datum = Field(description="what the coordinates are measured against")
    id_field: Text = Field("", max_length=60)
    name_field: Text = Field("", max_length=60)
    team_field: Text = Field("", max_length=60)

    model_config = ConfigDict(extra="forbid")


class DraftIdIn(BaseModel):
    """A draft, by the id in the path."""

    draft_id: Position


class NamesIn(Body):
    """What people say about a grid."""

    name: Name | None = None
    branch: Name | None = None
    team_id: Name | None = None
    in_circle: bool | None = None

    def names(self) -> Names:
        """Return the names of the domain."""
        return Names(self.name, self.branch, self.team_id, self.in_circle)


class ZoneIn(NamesIn):
    """A grid to be made."""

    zone_id: Name


class EditIn(NamesIn):
    """One edit; `op` says which of the other fields it needs."""

    version: Version = Field(description="of the draft that was seen")
    op: Annotated[Op, Field(strict=False)]
    zone: ZoneIn | None = Field(None, description="draw")
    new_zone: ZoneIn | None = Field(None, description="split: the smaller part; branch and circle are inherited")
    zone_id: Name | None = Field(None, description="reshape, split, remove, properties")
    zone_ids: list[Name] = Field(default_factory=list, max_length=200, description="merge, give_overlap")
    geometry: dict[str, Any] | None = Field(None, description="draw, reshape, fill_gap: GeoJSON, WGS-84")
    line: list[Spot] = Field(default_factory=list, max_length=1000, description="split: from border to border")
    from_: Spot | None = Field(None, alias="from", description="move_vertex")
    to: Name | Spot | None = Field(None, description="move_vertex: [lon, lat]; give_overlap, fill_gap: a grid")
    into: Name | None = Field(None, description="merge")
    index: int | None = Field(None, ge=0, le=100_000, description="fill_gap: which of the problems, from 0")

    def edit(self) -> Edit:
        """Return the edit of the services."""
        cleared = frozenset(name for name in _CLEARED if name in self.model_fields_set and getattr(self, name) is None)
        made = self.zone if self.op is Op.DRAW else self.new_zone
        return Edit(
            op=self.op,
            version=self.version,
            zone=NewZone(made.zone_id, made.names()) if made else None,
            zone_id=self.zone_id,
            zone_ids=tuple(self.zone_ids),
            geometry=self.geometry,
            line=self.line,
            start=self.from_,
            end=self.to if isinstance(self.to, list) else None,
            to=self.into if self.op is Op.MERGE else self.to if isinstance(self.to, str) else None,
            index=self.index,
            names=self.names(),
            cleared=cleared,
        )


class FileWarning(BaseModel):
    """What is odd about a file."""

    feature: int | None
    id: str | None
    place: str | None
    reason: str


class DraftHead(BaseModel):
    """A draft without its grids."""

    id: int
    name: str
    version: int
    base_set_id: int | None = Field(description="the published version that it was copied from")
    zones: int
    problems: int
    warnings: list[FileWarning] = Field(description="of the file that it came from, a doubtful datum above all")
    created_by: int
    created_at: str
    changed_at: str


class ListedDraft(DraftHead):
    """A draft in the list."""

    creator: str = Field(description="name of who made it")


class Drafts(BaseModel):
    """All drafts."""

    items: list[ListedDraft]


class ZoneProblem(BaseModel):
    """One thing wrong with a grid map."""

    kind: str = Field(description="overlap, gap, sliver, unknown_team or missing_team")
    label: str
    is_grave: bool = Field(description="whether it stands in the way of publishing")
    reason: str
    area_m2: float
    zone_ids: list[str]
    geometry: dict[str, Any]


class Draft(BaseModel):
    """A draft with its grids and problems."""

    id: int
    name: str
    version: int
    base_set_id: int | None
    warnings: list[FileWarning]
    created_by: int
    created_at: str
    changed_at: str
    can_undo: bool
    features: dict[str, Any] = Field(
        description="FeatureCollection, WGS-84; properties zone_id, name, branch, team_id, in_circle"
    )
    problems: list[ZoneProblem]


class PublishIn(Body):
    """How a draft is to be published."""

    version: Version = Field(description="of the draft that was seen")
    valid_from: Time
    open_tickets: Annotated[OpenTickets, Field(strict=False)] = Field(
        description="what becomes of open tickets whose grid goes to another team"
    )
    is_sure: bool = Field(False, description="takes the doubts upon oneself")

    def order(self) -> Order:
        """Return the order of the services."""
        return Order(self.version, self.valid_from, self.open_tickets, self.is_sure)


class Published(BaseModel):
    """A version that was made."""

    zone_set_id: int
    valid_from: str
    zones: int
    moved: int | None = Field(description="open tickets reassigned at once; null where they stay or go later")


class Change(BaseModel):
    """An open ticket that would go to another team."""

    number: str
    address: str = Field(description="up to the house")
    from_team: str
    from_team_name: str | None
    to_team: str | None
    to_team_name: str | None


class OpenChanges(BaseModel):
    """Open tickets that would change team; the first 200 by name."""

    count: int
    changes: list[Change]


class Flow(BaseModel):
    """How many tickets would have gone from one team to another."""

    from_team: str
    from_team_name: str | None
    to_team: str | None
    to_team_name: str | None
    count: int


class PastChanges(BaseModel):
    """Tickets of the last 90 days that would have gone to another team."""

    count: int
    changes_by_team: list[Flow]


class ZonePreview(BaseModel):
    """What a draft would change."""

    open: OpenChanges
    last_90_days: PastChanges
    compared: int = Field(description="tickets of the last 90 days that were looked at")
    open_compared: int


class SetIdIn(BaseModel):
    """A published version, by the id in the path."""

    set_id: Position


class ExportIn(BaseModel):
    """What is written."""

    form: Form
    datum: Datum = Datum.WGS84

    model_config = ConfigDict(extra="forbid")


class Move(BaseModel):
    """How far open tickets have gone over to a version."""

    moved: int
    refused: int
    done_at: str | None


class ZoneSet(BaseModel):
    """A published version."""

    id: int
    source: str
    is_sample: bool
    is_live: bool
    zones: int
    valid_from: str
    imported_at: str
    move: Move | None = Field(description="null where open tickets stay")


class ZoneSets(BaseModel):
    """The published versions, the newest first."""

    items: list[ZoneSet]
