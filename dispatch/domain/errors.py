"""One tree of errors. `code` is for machines, `detail` is Chinese for people; web/errors.py maps them once."""

from __future__ import annotations

from typing import Any, ClassVar


class DispatchError(Exception):
    """Something the caller can understand and act on.

    Attributes:
        code: Stable machine word, kebab-case.
        status: HTTP status that web/errors.py answers with.
        detail: Chinese sentence that says what is wrong and how to mend it.
        field: Name of the input field at fault, dotted (`location.lon`), or None.
        extra: Further members of the problem document, e.g. the current state of a ticket.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, detail: str, *, field: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.extra = extra


class InvalidInput(DispatchError):
    """A value that is missing, contradictory or out of range."""

    code = "invalid-input"
    status = 422


class InvalidCoordinate(InvalidInput):
    """A coordinate pair that no datum allows."""

    code = "invalid-coordinate"


class InvalidZoneFile(InvalidInput):
    """A zone file that is refused whole; `problems` lists feature, place and reason."""

    code = "invalid-zone-file"


class InvalidPolicy(InvalidInput):
    """A policy file that cannot be used."""

    code = "invalid-policy"


class NotAuthenticated(DispatchError):
    """No token, or one that is not known."""

    code = "not-authenticated"
    status = 401


class NotPermitted(DispatchError):
    """The role may not do this."""

    code = "not-permitted"
    status = 403


class NotFound(DispatchError):
    """Not there, or not for the eyes of who asks: the two look the same on purpose."""

    code = "not-found"
    status = 404


class IllegalTransition(DispatchError):
    """The verb does not fit the ticket's state."""

    code = "illegal-transition"
    status = 409


class StaleVersion(DispatchError):
    """Somebody else was first; the current state is in `extra`."""

    code = "stale-version"
    status = 409


class IdempotencyMismatch(DispatchError):
    """A key seen before, with another body."""

    code = "idempotency-mismatch"
    status = 422
