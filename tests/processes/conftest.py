"""A site for every test: a furnished database, and processes that end with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatch.services.desk import Desk
from tests.support.processes import Site


@pytest.fixture
def site(desk: Desk, tmp_path: Path) -> Iterator[Site]:
    with Site(desk, tmp_path) as opened:
        yield opened
