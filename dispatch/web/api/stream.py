"""Live data: an event stream that is told what changes, and the same by asking again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import cast

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from dispatch.domain.roles import Actor, Permission
from dispatch.realtime.hub import Behind, Full, Hub, Stream
from dispatch.services import live
from dispatch.services.live import Feed, Viewer
from dispatch.web import auth
from dispatch.web.errors import problem

MARK = r"^[0-9]{1,18}\.[0-9]{1,18}$"
# A page that finds no place polls, and asks again after so long.
RETRY_AFTER_S = 15
# Something is sent so often, be it a comment: a proxy keeps the connection, and who has gone is found out.
_SILENT_AT_MOST_S = 2.5
_CHECK_EVERY_S = 10.0
# Tells who holds the token or the session, if it still is one.
_Holder = Callable[[], Actor | None]


class ChangesIn(BaseModel):
    """From where on."""

    after: str | None = Field(None, pattern=MARK, description="`next` of the answer before; none to begin now")


class StreamIn(BaseModel):
    """From where on, as the header says it that a browser sends by itself."""

    last_event_id: str | None = Field(None, pattern=MARK, alias="Last-Event-ID")

    model_config = ConfigDict(populate_by_name=True)


class Message(BaseModel):
    """A ticket as it is now, a signal, a ticket that the team has lost, a pulse, or the request to load all again."""

    kind: str = Field(description="ticket, signal, gone, pulse or reload")

    model_config = ConfigDict(extra="allow")


class Changes(BaseModel):
    """What has changed, the latest state of each thing once."""

    messages: list[Message]
    next: str


def blueprint(feed: Feed, hub: Hub[Viewer]) -> APIBlueprint:
    """Return the routes over the hub of a process."""
    api = APIBlueprint("live", __name__, url_prefix="/api/v1", tag="live")

    @api.get("/changes")
    @auth.needs(api, Permission.READ)
    @api.input(ChangesIn, location="query", arg_name="query")
    @api.output(Changes)
    @api.doc(summary="自某处起的变化 (轮询)", description="What `/stream` would have sent since `after`.")
    def changes(query: ChangesIn) -> Response:
        hub.attend()
        told = live.changes(feed, auth.actor(), query.after)
        body = b'{"messages":[%s],"next":"%s"}' % (b",".join(told["messages"]), told["next"].encode())
        return Response(body, content_type="application/json")

    @api.get("/stream")
    @auth.needs(api, Permission.READ)
    @api.input(StreamIn, location="headers", arg_name="header")
    @api.input(ChangesIn, location="query", arg_name="query")
    @api.output({}, content_type="text/event-stream")
    @api.doc(summary="实时变化 (事件流)", description="Server-sent events; each is a message as in `/changes`.")
    def stream(header: StreamIn, query: ChangesIn) -> Response:
        try:
            opened = hub.open(live.viewer_of(auth.actor()))
        except Full:
            return _full()
        body = _Body(hub, feed, opened, header.last_event_id or query.after, auth.holder())
        return Response(cast(Iterator[bytes], body), content_type="text/event-stream", headers=_HEADERS)

    return api


_HEADERS = {"X-Accel-Buffering": "no"}


def _full() -> Response:
    answer = problem(503, "streams-full", "实时连接已满, 页面改为定时刷新")
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


class _Body:
    """The bytes of one stream; its place is given back by `close`, which the server calls however it ends."""

    def __init__(
        self, hub: Hub[Viewer], feed: Feed, stream: Stream[Viewer], after: str | None, holder: _Holder
    ) -> None:
        self._hub = hub
        self._stream = stream
        self._pieces = self._run(feed, after, holder)

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Give the place back."""
        self._hub.close(self._stream)

    def _run(self, feed: Feed, after: str | None, holder: _Holder) -> Iterator[bytes]:
        viewer = self._stream.viewer
        yield b"retry: 2000\n\n"
        if after is not None and (missed := feed.since(viewer, after).frames(viewer)):
            yield missed
        yield feed.pulse().frames(viewer)
        check_at = time.monotonic() + _CHECK_EVERY_S
        while not self._stream.is_over:
            yield self._next(feed)
            if time.monotonic() >= check_at:
                check_at = time.monotonic() + _CHECK_EVERY_S
                who = holder()
                if who is None:
                    return
                if live.viewer_of(who) != viewer:  # other rights, which see another list
                    yield feed.reload().frames(viewer)
                    return

    def _next(self, feed: Feed) -> bytes:
        viewer = self._stream.viewer
        try:
            news = self._stream.take(_SILENT_AT_MOST_S)
        except Behind:
            news = feed.reload()
        return b":\n\n" if news is None else news.frames(viewer)
