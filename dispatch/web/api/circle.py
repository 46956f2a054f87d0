"""The route of the service circle."""

from __future__ import annotations

from typing import Any, Self

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from dispatch.domain.place import Wgs84Point
from dispatch.domain.roles import Permission
from dispatch.services import circle
from dispatch.services.desk import Desk
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now


class ExtraIn(BaseModel):
    """Where one more depot might be, in WGS-84; both or none."""

    lon: float | None = Field(None, ge=-180, le=180)
    lat: float | None = Field(None, ge=-90, le=90)

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.lon is None) != (self.lat is None):
            raise PydanticCustomError("pair", "请同时给出经度和纬度")
        return self

    def point(self) -> Wgs84Point | None:
        """Return the place, or None."""
        return None if self.lon is None or self.lat is None else Wgs84Point(self.lon, self.lat)


class Share(BaseModel):
    """A share: surely at least `low`, at best `high`; by road both are the same. Null where there is nothing."""

    low: float | None
    high: float | None


class Shares(BaseModel):
    """Of the area of all grids, and of the tickets of a year."""

    area: Share
    tickets: Share


class Depot(Shares):
    """A depot, and what it reaches by itself."""

    id: str
    name: str
    lon: float = Field(description="WGS-84")
    lat: float
    is_sample: bool
    is_extra: bool = Field(description="the one that is tried")


class Hole(BaseModel):
    """A grid that is not reached, or not surely."""

    zone_id: str
    name: str
    branch: str | None
    missed: Share


class Circle(BaseModel):
    """What is reached within 30 minutes."""

    minutes: int
    tickets: int = Field(description="of a year, with a place")
    is_drawn: bool = Field(description="by road; else ranges guessed along the straight line, and nothing to draw")
    depots: list[Depot]
    total: Shares
    with_extra: Shares | None
    holes: list[Hole] = Field(description="the worst first; the tried depot is counted in")
    reached: dict[str, Any] | None = Field(description="GeoJSON, WGS-84")
    missed: dict[str, Any] | None = Field(description="GeoJSON, WGS-84")


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the route over one desk."""
    api = APIBlueprint("circle", __name__, url_prefix="/api/v1", tag="circle")

    @api.get("/circle")
    @needs(api, Permission.CIRCLE)
    @api.input(ExtraIn, location="query", arg_name="extra")
    @api.output(Circle)
    @api.doc(summary="30 分钟服务圈: 各驻点覆盖、空白和增设一处的效果")
    def get_circle(extra: ExtraIn) -> dict[str, Any]:
        return circle.report(desk, actor(), extra.point(), utc_now())

    return api
