"""The route by which an agent asks the online geocoders herself."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.roles import Permission
from dispatch.services import lookup as geocoding
from dispatch.services.desk import Desk
from dispatch.services.lookup import Lookup
from dispatch.web.api.fields import Text
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class AskedIn(BaseModel):
    """An address."""

    q: Text = Field(min_length=1, max_length=200)

    model_config = ConfigDict(extra="forbid")


class OnlinePlace(BaseModel):
    """A place that an online geocoder gave and that passed the checks."""

    label: str
    level: str
    lon: float | None = Field(description="WGS-84")
    lat: float | None
    radius_m: float | None
    zone_id: str | None
    district: str | None
    street: str | None
    community: str | None
    confidence: float
    reason: str
    source: str


class Said(BaseModel):
    """What a geocoder had to say."""

    source: str
    label: str
    words: str


class OnlinePlaces(BaseModel):
    """At most one place, and what each that was asked had to say."""

    is_on: bool = Field(description="false where no online geocoder is set")
    items: list[OnlinePlace]
    said: list[Said]


def blueprint(desk: Desk, lookup: Lookup) -> APIBlueprint:
    """Return the route over one desk and its geocoders."""
    api = APIBlueprint("online", __name__, url_prefix="/api/v1", tag="online")

    @api.get("/places/online")
    @needs(api, Permission.CALL)
    @api.input(AskedIn, location="query", arg_name="query")
    @api.output(OnlinePlaces)
    @api.doc(summary="在线定位: 地址在哪里", description="Without the room; nothing is saved, and nothing routed.")
    def find_online(query: AskedIn) -> dict[str, Any]:
        return geocoding.find(desk, lookup, actor(), query.q, utc_now)

    return api
