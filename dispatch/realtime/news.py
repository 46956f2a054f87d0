"""What one look found: messages, rendered once, and the share of each kind of viewer, put together once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

V = TypeVar("V", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Item(Generic[V]):
    """One message: a JSON object in UTF-8 on one line, and who may have it."""

    json: bytes
    is_for: Callable[[V], bool]


class News(Generic[V]):
    """Messages in their order; who has had them and asks again names `mark`."""

    def __init__(self, mark: str, items: Sequence[Item[V]]) -> None:
        self.mark = mark
        self.items = items
        self._frames: dict[V, bytes] = {}

    def messages(self, viewer: V) -> list[bytes]:
        """Return what a viewer may have."""
        return [item.json for item in self.items if item.is_for(viewer)]

    def frames(self, viewer: V) -> bytes:
        """Return the same as text/event-stream; the mark comes with the last, so that half of it counts as nothing.

        Empty where nothing is for this viewer.
        """
        found = self._frames.get(viewer)
        if found is None:
            told = self.messages(viewer)
            if told:
                told[-1] += b"\nid: " + self.mark.encode()
            found = self._frames[viewer] = b"".join(b"data: " + one + b"\n\n" for one in told)
        return found
