"""Security headers on every answer."""

from __future__ import annotations

from flask import Flask, Response, request

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    # Pages load from here alone; the docs page styles itself.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
}


def install(app: Flask) -> None:
    """Add them to every answer of `app`; what the API says is kept by nobody unless the route says otherwise."""

    @app.after_request
    def _harden(answer: Response) -> Response:
        answer.headers.update(_ALWAYS)
        if request.path.startswith("/api/"):
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer
