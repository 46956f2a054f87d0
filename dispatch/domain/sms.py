"""Short messages: what they cost in parts, and how a text fits a template.

Source: 3GPP TS 23.040, 9.2.3.24.1 (a part of a long message loses six of its 140 octets to its header): in UCS-2 70
characters for one part, 67 for each of several.
"""

from __future__ import annotations

_ALONE, _OF_MANY = 70, 67
_CUT = "…"


def parts(text: str) -> int:
    """Return how many messages a text is billed as; at least one."""
    units = len(text.encode("utf-16-le")) // 2
    return 1 if units <= _ALONE else -(-units // _OF_MANY)


def shorten(text: str, most: int) -> str:
    """Return a text of at most `most` characters on one line; what was cut shows."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + _CUT
