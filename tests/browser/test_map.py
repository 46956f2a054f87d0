"""The map's own conversion agrees with the server's, so that a pin lies where it was set."""

from __future__ import annotations

import pytest

from dispatch.domain.place import Datum, Wgs84Point, to_bd09, to_gcj02
from tests.support.browser import Pages

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]

PLACES = [(112.9834, 28.1127), (113.0, 28.2), (112.5501, 28.4499), (121.47, 31.23), (2.35, 48.85)]
CONVERT = """async ([places, datum]) => {
  const { fromWgs84, toWgs84 } = await import("/static/common/datum.js");
  return places.map((place) => [fromWgs84(place, datum), toWgs84(fromWgs84(place, datum), datum)]);
}"""


@pytest.mark.parametrize(("datum", "convert"), [(Datum.GCJ02, to_gcj02), (Datum.BD09, to_bd09)])
def test_the_map_converts_as_the_server_does(pages: Pages, datum: Datum, convert: object) -> None:
    page = pages.visitor()
    page.goto("/signin")
    found = page.evaluate(CONVERT, [PLACES, datum])
    for place, (there, back) in zip(PLACES, found, strict=True):
        expected = convert(Wgs84Point(*place))  # type: ignore[operator]
        # 1e-9 degrees are 0.1 mm.
        assert there == pytest.approx([expected.lon, expected.lat], abs=1e-9)
        assert back == pytest.approx(place, abs=1e-9)
