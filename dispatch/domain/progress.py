"""Long work says how far it is to whoever asks for it; what it tells and where is not its business."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Counted(Protocol[T_co]):
    """Items of which it is known how many there are before the first one is made."""

    def __len__(self) -> int:
        """How many."""

    def __iter__(self) -> Iterator[T_co]:
        """The items in their order."""


class Track(Protocol):
    """Iterates, and may tell meanwhile how far it is."""

    def __call__(self, label: str, items: Counted[T], /) -> Iterable[T]:
        """Return what yields all items in their order; the label is Chinese, for people."""


def untold(_label: str, items: Counted[T]) -> Iterable[T]:
    """Tell nothing."""
    return items
