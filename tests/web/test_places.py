"""Addresses over the API."""

import pytest

from tests.web.conftest import As

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
TABLE = "名称,网格\n金领小区,天心-03\n错误小区,月球-01\n"


def test_a_table_comes_in_and_is_found_as_one_types(as_: As) -> None:
    admin, agent = as_("admin"), as_("agent")
    answer = admin.post("/places/import?datum=wgs84&source=a.csv", data=TABLE.encode("gbk"))
    assert answer.status_code == 200
    report = answer.get_json()
    assert report == {"taken": 1, "refused": [{"row": 3, "reason": "没有网格“月球-01”"}]}
    found = agent.get("/places", q="金领小区3栋").get_json()
    assert found["best"] == 0
    assert (found["items"][0]["zone_id"], found["items"][0]["can_place"]) == ("天心-03", True)
    items = admin.get("/places/imported").get_json()["items"]
    assert admin.post(f"/places/imported/{items[0]['id']}/remove").get_json() == {"id": items[0]["id"]}
    assert agent.get("/places", q="金领小区3栋").get_json()["best"] is None


def test_what_was_learned_is_listed(as_: As) -> None:
    admin = as_("admin")
    assert admin.get("/places/learned", is_disputed="true").get_json() == {"items": [], "next": None}
    assert admin.post("/places/learned/7/remove").status_code == 404


def test_what_cannot_be_read(as_: As) -> None:
    admin = as_("admin")
    assert admin.post("/places/import?datum=wgs84", data=b"\xff\xff").status_code == 422
    assert admin.post("/places/import?datum=mars", data=TABLE.encode()).status_code == 422
    assert admin.get("/places", q="").status_code == 422
    assert admin.get("/places", q="村" * 5000).status_code == 422
    assert admin.get("/places", q="村" * 300).get_json()["items"] == []
