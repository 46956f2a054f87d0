"""Security headers on every answer."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from dispatch.domain.settings import Settings

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Owners of map tiles ask who shows them: they hear the origin, and never a path.
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_HTTPS = {"Strict-Transport-Security": "max-age=31536000"}
_POLICY = {
    "default-src": "'self'",
    "worker-src": "'self'",
    "style-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}
# Swagger UI styles itself.
_DOCS_STYLE = "'self' 'unsafe-inline'"


def install(app: Flask, settings: Settings) -> None:
    """Add them to every answer of `app`; what the API says is kept by nobody unless the route says otherwise."""
    always = _ALWAYS | (_HTTPS if settings.address.startswith("https:") else {})
    pages = _policy({"img-src": f"'self' data: blob: {_tile_hosts(settings.tiles_url or '')}".strip()})
    docs = _policy({"img-src": "'self' data:", "style-src": _DOCS_STYLE})

    @app.after_request
    def _harden(answer: Response) -> Response:
        for name, value in always.items():
            answer.headers.setdefault(name, value)
        is_docs = request.path == "/docs" or request.path.startswith("/docs/")
        answer.headers["Content-Security-Policy"] = docs if is_docs else pages
        if request.path.startswith("/api/"):
            answer.headers.setdefault("Cache-Control", "no-store")
        elif answer.mimetype == "text/html":
            answer.headers.setdefault("Cache-Control", "private, no-cache")
        return answer


def _policy(more: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in (_POLICY | more).items())


def _tile_hosts(template: str) -> str:
    """Return where tiles come from, as the policy writes it: `https://{s}.tile.example/…` → `https://*.tile.example`."""
    parts = urlsplit(template.replace("{s}", "*"))
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
