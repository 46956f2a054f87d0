"""Routes of Web Push: the key to subscribe under, and a browser that does."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from dispatch.domain.roles import Permission
from dispatch.notify.webpush import Subscription
from dispatch.services import push
from dispatch.services.desk import Desk
from dispatch.web.api.fields import Text
from dispatch.web.api.requests import Body
from dispatch.web.auth import actor, needs
from dispatch.web.now import utc_now

Endpoint = Annotated[Text, Field(min_length=1, max_length=1000)]


class Keys(Body):
    """The keys of a browser, base64url."""

    p256dh: Text = Field(min_length=1, max_length=100)
    auth: Text = Field(min_length=1, max_length=40)


class SubscriptionIn(Body):
    """A browser, as its push service named it."""

    endpoint: Endpoint
    keys: Keys


class EndpointIn(Body):
    """A browser that wants no more."""

    endpoint: Endpoint


class PushKey(BaseModel):
    """The key to subscribe under."""

    key: str | None = Field(description="base64url; null where Web Push is off")


class PushState(BaseModel):
    """Whether the browser is subscribed."""

    is_on: bool


def blueprint(desk: Desk) -> APIBlueprint:
    """Return the routes over one desk."""
    api = APIBlueprint("push", __name__, url_prefix="/api/v1", tag="push")

    @api.get("/push/key")
    @needs(api, Permission.CREW)
    @api.output(PushKey)
    @api.doc(summary="推送的公钥")
    def get_push_key() -> dict[str, Any]:
        return {"key": push.public_key(desk)}

    @api.post("/push/subscriptions")
    @needs(api, Permission.CREW)
    @api.input(SubscriptionIn, arg_name="body")
    @api.output(PushState)
    @api.doc(summary="本浏览器接收推送", description="Once more changes nothing; ten browsers of a person are kept.")
    def subscribe(body: SubscriptionIn) -> dict[str, Any]:
        told = Subscription(body.endpoint, body.keys.p256dh, body.keys.auth)
        push.subscribe(desk, actor(), told, utc_now())
        return {"is_on": True}

    @api.delete("/push/subscriptions")
    @needs(api, Permission.CREW)
    @api.input(EndpointIn, arg_name="body")
    @api.output(PushState)
    @api.doc(summary="本浏览器不再接收推送")
    def unsubscribe(body: EndpointIn) -> dict[str, Any]:
        push.unsubscribe(desk, actor(), body.endpoint, utc_now())
        return {"is_on": False}

    return api
