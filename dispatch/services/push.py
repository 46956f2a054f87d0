"""Web Push for crews: who subscribes with which browser, and what a notice becomes on a phone."""

from __future__ import annotations

import json
from datetime import datetime

from dispatch.domain.errors import InvalidInput
from dispatch.domain.push import MOST_OF_USER, check_endpoint, hide_phones
from dispatch.domain.roles import Actor, Permission, check_permitted
from dispatch.notify import webpush
from dispatch.notify.port import Parcel
from dispatch.notify.webpush import Letter, Subscription
from dispatch.services.desk import Desk
from dispatch.storage import push

# Audiences whose people carry the page on their phone.
_TO_CREW = ("crew", "backup")


def public_key(desk: Desk) -> str | None:
    """Return the key that a browser subscribes under, or None where Web Push is off."""
    return webpush.public_key(desk.settings.push_key) if desk.settings.push_key else None


def subscribe(desk: Desk, actor: Actor, told: Subscription, now: datetime) -> None:
    """Keep a browser of `actor`; one that another person used before changes hands.

    Args:
        desk: The process's desk.
        actor: Whose browser it is.
        told: What the browser got from its push service.
        now: The server's time.

    Raises:
        NotPermitted: for all but crews.
        InvalidInput: for an address that no push service has, or keys that are none.
    """
    check_permitted(actor, Permission.CREW)
    check_endpoint(told.endpoint)
    try:
        webpush.check_keys(told.p256dh, told.auth)
    except ValueError as error:
        raise InvalidInput("订阅的密钥无效, 请在浏览器中重新开启通知", field="keys") from error
    values = {"user_id": actor.user_id, "created_at": now, "endpoint": told.endpoint}
    with desk.store.write() as tx:
        push.put(tx, values | {"p256dh": told.p256dh, "auth": told.auth}, MOST_OF_USER)
        tx.audit(now, actor, "push-on", f"user {actor.user_id}")


def unsubscribe(desk: Desk, actor: Actor, endpoint: str, now: datetime) -> None:
    """Drop a browser of `actor`; one that is not there is gone already."""
    check_permitted(actor, Permission.CREW)
    with desk.store.write() as tx:
        if push.drop(tx, endpoint, actor.user_id):
            tx.audit(now, actor, "push-off", f"user {actor.user_id}")


class Browsers:
    """The book of the channel: the browsers of the crews that a parcel is for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def open(self, parcel: Parcel) -> Letter:
        """Return who gets the parcel, and what lies on the screen: no phone number, no address of the caller."""
        teams = [team for kind, _, team in (to.partition(":") for to in parcel.recipients) if kind in _TO_CREW]
        with self._desk.store.read() as tx:
            found = push.of_teams(tx, teams) if teams else []
            ticket = push.ticket_of(tx, parcel.id)
            policy = self._desk.policy(tx, ticket["policy_version"]) if ticket else None
        told = {"title": "96533", "body": hide_phones(parcel.text), "number": None, "url": "/crew"}
        is_urgent = False
        if ticket and policy:
            told |= {"title": f"{policy.levels[ticket['level']].label} {ticket['number']}", "number": ticket["number"]}
            is_urgent = policy.is_emergency(ticket["level"])
        payload = json.dumps(told, ensure_ascii=False).encode()
        return Letter([Subscription(**row) for row in found], payload, is_urgent)

    def forget(self, endpoint: str) -> None:
        """Drop a browser whose push service knows it no more."""
        with self._desk.store.write() as tx:
            push.drop(tx, endpoint)
