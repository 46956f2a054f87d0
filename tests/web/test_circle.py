"""The route and the page of the service circle."""

from __future__ import annotations

import pytest

from tests.web.conftest import As, In
from tests.web.test_tickets import told

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


def test_the_circle_and_one_more_depot(as_: As) -> None:
    boss = as_("supervisor")
    plain = told(boss.get("/circle"))
    assert (plain["minutes"], plain["is_drawn"], plain["depots"], plain["with_extra"]) == (30, False, [], None)
    tried = told(boss.get("/circle", lon=112.99, lat=28.125))
    assert tried["depots"][0]["is_extra"]
    assert tried["with_extra"]["area"]["high"] > 0
    assert "请同时给出经度和纬度" in told(boss.get("/circle", lon=112.99), 422)["detail"]
    assert told(boss.get("/circle", lon=200, lat=1), 422)["field"] == "lon"
    assert told(as_("dispatcher").get("/circle"), 403)


def test_the_page_is_for_supervisors(in_: In) -> None:
    assert "30 分钟服务圈" in in_("supervisor").client.get("/circle").text
    assert in_("agent").client.get("/circle").status_code == 403
