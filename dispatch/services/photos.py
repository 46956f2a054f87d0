"""Photos of a ticket: taken by crews before and after the work, kept once each, seen by whoever sees the ticket."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from dispatch.domain.errors import IdempotencyMismatch, NotFound
from dispatch.domain.photo import STAGE_LABELS, Stage
from dispatch.domain.roles import Actor, Permission, can_see, check_permitted, check_sees
from dispatch.domain.ticket import Ticket
from dispatch.services import present
from dispatch.services.actions import see
from dispatch.services.desk import Desk
from dispatch.services.pictures import rewrite
from dispatch.storage import live, photos, tickets
from dispatch.storage.db import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A photo as it came in.

    Attributes:
        uuid: The phone's name for it; a repetition bears the same.
        stage: Before or after the work.
        taken_at: The phone's time, aware; None where it told none.
        data: The bytes of the picture.
    """

    uuid: str
    stage: Stage
    taken_at: datetime | None
    data: bytes


def add(desk: Desk, actor: Actor, number: str, upload: Upload, now: datetime) -> dict[str, Any]:
    """Keep a photo of ticket `number` and return its public form; a repetition changes nothing.

    Raises:
        NotPermitted: if the role takes no photos.
        NotFound: if there is no such ticket for this actor.
        InvalidInput: if it is no picture, or too large a one.
        IdempotencyMismatch: if the uuid names another photo.
    """
    check_permitted(actor, Permission.PHOTO)
    return keep(desk, actor, number, upload, now)


def keep(desk: Desk, actor: Actor, number: str, upload: Upload, now: datetime) -> dict[str, Any]:
    """Do what `add` does, for somebody whose right to it was looked at already."""
    sha256 = hashlib.sha256(upload.data).hexdigest()
    with desk.store.read() as tx:
        row = present.find(tx, number)
        check_sees(actor, number, row["team_id"], tuple(row["assisting"]))
        kept = photos.by_uuid(tx, upload.uuid)
    if kept is None:
        # Decoding takes a while: outside of any transaction.
        picture = rewrite(upload.data)
        with desk.store.write() as tx:
            kept = _keep(tx, desk, actor, number, upload, {**asdict(picture), "sha256": sha256}, now)
    wanted = {"ticket_id": row["id"], "stage": upload.stage, "sha256": sha256, "stored_by": actor.user_id}
    if any(kept[name] != value for name, value in wanted.items()):
        raise IdempotencyMismatch("该编号已用于另一张照片; 新的照片请换新的编号", field="uuid")
    return shown(kept)


def _keep(
    tx: Tx, desk: Desk, actor: Actor, number: str, upload: Upload, picture: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Write a photo down and return its row, or the one that was there first."""
    ticket = see(tx, actor, number)
    policy = desk.policy(tx, ticket.policy_version)
    device_at = upload.taken_at and upload.taken_at.astimezone(UTC)
    # It meets no clock: it may be older than the ticket's last move, though not than the ticket.
    taken_at, time_source = policy.trusted_time(device_at, now, present.find(tx, number)["received_at"])
    photo = {
        **picture,
        "ticket_id": ticket.id,
        "uuid": upload.uuid,
        "stage": upload.stage,
        "taken_at": taken_at,
        "time_source": time_source,
        "stored_at": now,
        "stored_by": actor.user_id,
    }
    if photos.add(tx, photo):
        _tell(tx, ticket, photo, actor, now)
    return photos.named(tx, upload.uuid)


def _tell(tx: Tx, ticket: Ticket, photo: Mapping[str, Any], actor: Actor, now: datetime) -> None:
    """Write timeline, audit, and what open screens hear."""
    text = f"{actor.label} 照片 ({STAGE_LABELS[photo['stage']]})"
    event = tickets.note_row(ticket, "photo", text, actor, now, at=photo["taken_at"])
    tickets.add_events(tx, [{**event, "time_source": photo["time_source"]}])
    live.add_signals(tx, [{"at": now, "topic": "photo", "key": ticket.number}])
    tx.audit(now, actor, "photo", ticket.number, text=text, sha256=photo["sha256"])


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the public form of a photo."""
    plain = ("id", "uuid", "stage", "time_source", "width", "height")
    return {
        **{name: row[name] for name in plain},
        "stage_label": STAGE_LABELS[Stage(row["stage"])],
        "taken_at": present.time(row["taken_at"]),
        "stored_at": present.time(row["stored_at"]),
        "url": f"/api/v1/photos/{row['id']}.jpg",
        "thumbnail_url": f"/api/v1/photos/{row['id']}/thumbnail.jpg",
    }


def of_ticket(desk: Desk, actor: Actor, number: str) -> list[dict[str, Any]]:
    """Return the photos of a ticket, oldest first.

    Raises:
        NotFound: if there is no such ticket for this actor.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        row = present.find(tx, number)
        check_sees(actor, number, row["team_id"], tuple(row["assisting"]))
        return [shown(photo) for photo in photos.of_ticket(tx, row["id"])]


def jpeg(desk: Desk, actor: Actor, photo_id: int, *, is_thumbnail: bool) -> bytes:
    """Return the picture itself.

    Raises:
        NotFound: if there is none for this actor.
    """
    check_permitted(actor, Permission.READ)
    with desk.store.read() as tx:
        found = photos.picture(tx, photo_id, "thumbnail" if is_thumbnail else "jpeg")
    if found is None or not can_see(actor, found["team_id"], tuple(found["assisting"])):
        raise NotFound("没有这张照片")
    return bytes(found["bytes"])
