"""Web Push: where it may be sent, and what may lie on a locked screen."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from dispatch.domain.errors import InvalidInput

# A browser makes a subscription of its own each time it forgot the last: older ones are dropped.
MOST_OF_USER = 10
_LONGEST = 1000
# Seven digits and more, or an eleven-digit number in groups; the digits of a ticket number follow letters or a hyphen.
_PHONES = re.compile(r"(?<![A-Za-z0-9-])\+?(?:\d{3}[ -]\d{4}[ -]\d{4}|(?:\d{3,4}-)?\d{7,})(?![A-Za-z0-9])")


def check_endpoint(endpoint: str) -> None:
    """Check where a browser wants its pushes sent: the server will open connections to it.

    Args:
        endpoint: An address that a browser got from its push service.

    Raises:
        InvalidInput: unless it is https, on the usual port, of a host with a public name.
    """
    try:
        parts = urlsplit(endpoint)
        is_right = parts.scheme == "https" and parts.port in (None, 443) and "@" not in parts.netloc
    except ValueError:
        is_right = False
    if not is_right or len(endpoint) > _LONGEST or not endpoint.isascii() or not _is_public_name(parts.hostname or ""):
        raise InvalidInput("推送地址应为推送服务的 https 地址", field="endpoint")


def _is_public_name(host: str) -> bool:
    name, _, end = host.rstrip(".").rpartition(".")
    if not name or end in ("localhost", "local", "internal", "lan", "home", "arpa"):
        return False
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return not end.isdigit()  # 127.1 is an address, too
    return False


def hide_phones(text: str) -> str:
    """Return a text without the phone numbers that people may have typed into it."""
    return _PHONES.sub("***", text)
