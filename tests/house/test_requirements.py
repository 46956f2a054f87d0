"""The lock installs as written, also on the day a newer release of one of its packages appears."""

import re
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[([^\]]+)\])?==", re.MULTILINE)


def pinned_extras() -> dict[str, set[str]]:
    """Package -> extras named beside its pin."""
    pins = PIN.findall((ROOT / "requirements-dev.txt").read_text("utf-8"))
    return {canonicalize_name(name): {extra.strip() for extra in extras.split(",") if extra} for name, extras in pins}


def test_an_extra_another_package_asks_for_is_pinned_as_an_extra() -> None:
    # pip before 23.3 looks for `name[extra]` apart from `name` and, without a pin, refuses the whole lock.
    pins = pinned_extras()
    asked = {
        (canonicalize_name(wanted.name), extra)
        for installed in metadata.distributions()
        if canonicalize_name(installed.name) in pins
        for text in installed.requires or []
        if (wanted := Requirement(text)).marker is None or wanted.marker.evaluate({"extra": ""})
        for extra in wanted.extras
    }
    assert ("coverage", "toml") in asked
    assert {(name, extra) for name, extra in asked if extra not in pins[name]} == set()
