"""The port of a geocoder: the services on the network stand behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from dispatch.domain.address import Candidate
from dispatch.domain.errors import DispatchError
from dispatch.domain.place import Datum


class GeocoderDown(DispatchError):
    """No answer that can be used; `permanent` says that nothing will change until somebody mends it, or for hours."""

    code: ClassVar[str] = "geocoder-down"
    status: ClassVar[int] = 503

    def __init__(self, detail: str, *, permanent: bool) -> None:
        super().__init__(detail)
        self.permanent = permanent


class Geocoder(Protocol):
    """Turns words into places.

    Attributes:
        name: Short and unique, such as `amap`.
        datum: What its coordinates are measured against; those of its candidates are WGS-84 already.
    """

    name: str
    datum: Datum

    def find(self, text: str) -> Sequence[Candidate]:
        """Return what the text can mean, the best first; nothing where it is not known.

        Raises:
            GeocoderDown: where there was no answer, or none that makes sense.
        """
