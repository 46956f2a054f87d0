"""Notices as people publish them: an emergency by one person, a planned one by two."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dispatch.domain.outage import NewOutage, OutageVerb
from dispatch.services import outages
from dispatch.services.desk import Desk
from dispatch.services.outages import Deed
from tests.support.cast import cast_of


def announce(desk: Desk, told: NewOutage, now: datetime) -> dict[str, Any]:
    """Publish a notice: written by the dispatcher, approved by the supervisor where it is planned."""
    cast = cast_of(desk)
    if not told.is_planned:
        return outages.publish(desk, cast.dispatcher, told, {"title": told.title}, now)
    kept = outages.draft(desk, cast.dispatcher, told, {"title": told.title}, now)
    outages.act(desk, cast.supervisor, kept["id"], Deed(verb=OutageVerb.APPROVE, note="样例"), {}, now)
    return outages.act(desk, cast.dispatcher, kept["id"], Deed(verb=OutageVerb.PUBLISH), {}, now)
