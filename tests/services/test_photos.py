"""Photos of a ticket: once each, with the right time, for the right eyes."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from dispatch.domain.errors import IdempotencyMismatch, InvalidInput, NotFound, NotPermitted
from dispatch.domain.photo import Stage
from dispatch.domain.states import Status, Verb
from dispatch.services import board, crew, photos
from dispatch.services.desk import Desk
from dispatch.services.photos import Upload
from dispatch.storage import live
from tests.support import pictures
from tests.support.cast import TEAM_B, Cast, act, ticket_at
from tests.support.store import in_parallel


def upload(uuid: str = "p-1", taken_at: datetime | None = None, **changes: object) -> Upload:
    told = {"stage": Stage.BEFORE, "data": pictures.jpeg(), **changes}
    return Upload(uuid=uuid, taken_at=taken_at, **told)  # type: ignore[arg-type]


def test_a_photo_is_kept_told_and_audited(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ON_SITE, now)
    kept = photos.add(desk, cast.crew_a, number, upload(), now)
    assert (kept["stage_label"], kept["width"], kept["height"], kept["time_source"]) == ("处置前", 640, 480, "server")
    assert photos.of_ticket(desk, cast.dispatcher, number) == [kept]
    assert board.ticket(desk, cast.agent, number, now)["timeline"][-1]["text"] == "水管家甲 (水管家) 照片 (处置前)"
    entry = board.audited(desk, cast.auditor, subject=number, after=0, limit=1)["items"][0]
    assert (entry["action"], entry["actor"]) == ("photo", "水管家甲 (水管家)")
    with desk.store.read() as tx:
        signal = live.behind(tx, live.SIGNALS, 0, 10)[-1]
    assert (signal.topic, signal.key) == ("photo", number)
    for is_thumbnail in (False, True):
        assert photos.jpeg(desk, cast.crew_a, kept["id"], is_thumbnail=is_thumbnail).startswith(b"\xff\xd8")


def test_the_phones_own_time_counts_where_it_can_be(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.DONE, now)
    later = now + timedelta(hours=3)
    times = {
        "p-1": (now + timedelta(hours=1), now + timedelta(hours=1), "device"),
        "p-2": (now - timedelta(hours=1), later, "server"),
        "p-3": (later + timedelta(hours=1), later, "server"),
    }
    for uuid, (told, counted, source) in times.items():
        kept = photos.add(desk, cast.crew_a, number, upload(uuid, told), later)
        assert (kept["taken_at"], kept["time_source"]) == (counted.isoformat(), source)
        event = board.ticket(desk, cast.crew_a, number, later)["timeline"][-1]
        assert (event["at"], event["effective_at"], event["time_source"]) == (
            later.isoformat(),
            counted.isoformat(),
            source,
        )


def test_a_photo_sent_again_is_the_same_photo(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ON_SITE, now)
    first = photos.add(desk, cast.crew_a, number, upload(), now)
    again = photos.add(desk, cast.crew_a, number, upload(), now + timedelta(minutes=1))
    assert again == first
    at_once = in_parallel([lambda: photos.add(desk, cast.crew_a, number, upload("p-2"), now)] * 4)
    assert [photo["id"] for photo in photos.of_ticket(desk, cast.crew_a, number)] == [first["id"], at_once[0]["id"]]  # type: ignore[index]
    assert all(answer == at_once[0] for answer in at_once)
    kinds = [event["kind"] for event in board.ticket(desk, cast.crew_a, number, now)["timeline"]]
    assert kinds.count("photo") == 2


@pytest.mark.parametrize("changes", [{"stage": Stage.AFTER}, {"data": pictures.jpeg(colour="red")}])
def test_a_name_that_is_taken_names_no_other_photo(
    desk: Desk, cast: Cast, now: datetime, changes: dict[str, object]
) -> None:
    number = ticket_at(desk, Status.ON_SITE, now)
    photos.add(desk, cast.crew_a, number, upload(), now)
    with pytest.raises(IdempotencyMismatch):
        photos.add(desk, cast.crew_a, number, upload(**changes), now)  # type: ignore[arg-type]
    with pytest.raises(IdempotencyMismatch):
        photos.add(desk, cast.lead_a, number, upload(), now)
    other = ticket_at(desk, Status.ON_SITE, now, cti_call_id="2")
    with pytest.raises(IdempotencyMismatch):
        photos.add(desk, cast.crew_a, other, upload(), now)


def test_a_photo_is_for_those_who_see_the_ticket(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ON_SITE, now)
    kept = photos.add(desk, cast.crew_a, number, upload(), now)
    with pytest.raises(NotFound):
        photos.add(desk, cast.crew_b, number, upload("p-2"), now)
    with pytest.raises(NotFound):
        photos.of_ticket(desk, cast.crew_b, number)
    for photo_id in (kept["id"], 10**12):
        with pytest.raises(NotFound, match="没有这张照片"):
            photos.jpeg(desk, cast.crew_b, photo_id, is_thumbnail=False)
    with pytest.raises(NotPermitted):
        photos.add(desk, cast.agent, number, upload("p-2"), now)
    act(desk, cast.lead_a, number, Verb.ASSIST, now, team_id=TEAM_B)
    photos.add(desk, cast.crew_b, number, upload("p-2"), now)
    assert len(photos.of_ticket(desk, cast.crew_a, number)) == 2
    assert [job["photos"] for job in crew.jobs(desk, cast.crew_a, now)["items"]] == [{"before": 2, "after": 0}]


def test_a_fake_leaves_nothing_behind(desk: Desk, cast: Cast, now: datetime) -> None:
    number = ticket_at(desk, Status.ON_SITE, now)
    before = board.ticket(desk, cast.crew_a, number, now)
    with pytest.raises(InvalidInput):
        photos.add(desk, cast.crew_a, number, upload(data=b"no picture"), now)
    assert board.ticket(desk, cast.crew_a, number, now) == before
    assert photos.of_ticket(desk, cast.crew_a, number) == []
