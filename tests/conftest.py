"""What every test shares. Fixtures live in tests/support/, one file each; name the file here."""

import os

import pytest

from tests.support.memory import fast_folder

pytest_plugins = [
    "tests.support.pg",
    "tests.support.cast",
    "tests.support.store",
    "tests.support.processes",
    "tests.support.browser",
]

LOOPBACK = ["127.0.0.1", "::1"]


def pytest_configure() -> None:
    """Keep `tmp_path` on a memory disk: thousands of small databases wait for no real one."""
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(fast_folder()))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the markers `network`, `browser` and `processes` their meaning."""
    for item in items:
        if item.get_closest_marker("network") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
        if item.get_closest_marker("processes"):
            item.add_marker(pytest.mark.xdist_group("processes"))
