"""Drafts of grid maps on both databases: copied, imported, edited, taken back, thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
import shapely
from shapely.geometry import shape as shape_of
from sqlalchemy import select

from dispatch.domain import zone_problems
from dispatch.domain.errors import InvalidInput, InvalidZoneFile, NotFound, NotPermitted, StaleVersion
from dispatch.domain.place import Datum
from dispatch.domain.zone_edit import Names
from dispatch.services import zone_drafts
from dispatch.services.desk import Desk
from dispatch.services.districts import outlines
from dispatch.services.zone_drafts import File
from dispatch.services.zone_ops import Edit, NewZone, Op
from dispatch.storage import drafts
from dispatch.storage.audit import AUDIT
from tests.domain.zone_files import LEFT, RIGHT, document, feature
from tests.support.cast import TEAM_A, TEAM_B, Cast
from tests.support.store import DATA

OVERLAPPING = shapely.box(112.915, 28.0, 112.94, 28.1)
DISTRICTS = DATA / "districts.geojson"


def file(*areas: Any, name: str = "grids.geojson", datum: Datum = Datum.WGS84) -> File:
    zones = [feature(area, id=zone_id, team_id=TEAM_A) for zone_id, area in zip("ABCD", areas, strict=False)]
    return File(name, document(*zones), datum)


def imported(desk: Desk, cast: Cast, now: datetime, *areas: Any) -> dict[str, Any]:
    return zone_drafts.import_file(desk, cast.admin, "两格", file(*areas), {}, now)


def edit(desk: Desk, cast: Cast, draft: Mapping[str, Any], now: datetime, op: Op, **told: Any) -> dict[str, Any]:
    return zone_drafts.edit(
        desk, cast.supervisor, draft["id"], Edit(op=op, version=draft["version"], **told), now + timedelta(minutes=1)
    )


def areas(draft: Mapping[str, Any]) -> dict[str, Any]:
    return {each["properties"]["zone_id"]: shape_of(each["geometry"]) for each in draft["features"]["features"]}


def test_the_live_version_is_copied(desk: Desk, cast: Cast, now: datetime) -> None:
    draft = zone_drafts.copy_live(desk, cast.supervisor, " 秋季调整 ", now)
    assert (draft["name"], draft["version"], draft["base_set_id"], draft["can_undo"]) == ("秋季调整", 1, 1, False)
    assert len(draft["features"]["features"]) == 112
    assert draft["problems"] == draft["warnings"] == []
    (head,) = zone_drafts.listed(desk, cast.admin)
    assert (head["zones"], head["problems"], head["creator"]) == (112, 0, cast.supervisor.name)
    assert zone_drafts.get(desk, cast.admin, draft["id"]) == draft
    with pytest.raises(NotFound):
        zone_drafts.get(desk, cast.admin, 77)


def test_only_who_manages_grids_sees_drafts(desk: Desk, cast: Cast, now: datetime) -> None:
    for actor in (cast.agent, cast.dispatcher, cast.crew_a, cast.auditor):
        with pytest.raises(NotPermitted):
            zone_drafts.listed(desk, actor)
        with pytest.raises(NotPermitted):
            zone_drafts.copy_live(desk, actor, "x", now)


@pytest.mark.parametrize(("name", "why"), [(" ", "起个名字"), ("长" * 101, "最多 100"), ("a\x00", "name")])
def test_a_draft_has_a_name(desk: Desk, cast: Cast, now: datetime, name: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        zone_drafts.copy_live(desk, cast.admin, name, now)
    assert caught.value.field == "name"


def test_a_file_with_an_overlap_becomes_a_draft_that_is_mended_and_taken_back(
    desk: Desk, cast: Cast, now: datetime
) -> None:
    draft = imported(desk, cast, now, LEFT, OVERLAPPING)
    (problem,) = draft["problems"]
    assert (problem["kind"], problem["is_grave"], problem["zone_ids"]) == ("overlap", True, ["A", "B"])
    assert problem["area_m2"] == pytest.approx(5_440_000, rel=0.01)
    mended = edit(desk, cast, draft, now, Op.GIVE_OVERLAP, zone_ids=("A", "B"), to="A")
    assert (mended["version"], mended["problems"], mended["can_undo"]) == (2, [], True)
    assert zone_drafts.get(desk, cast.admin, draft["id"]) == mended
    back = edit(desk, cast, mended, now, Op.UNDO)
    assert (back["version"], back["can_undo"]) == (3, False)
    assert (back["features"], back["problems"]) == (draft["features"], draft["problems"])
    with pytest.raises(InvalidInput, match="没有可以撤销的修改"):
        edit(desk, cast, back, now, Op.UNDO)
    with desk.store.read() as tx:
        ops = [row.detail.get("op") for row in tx.conn.execute(select(AUDIT).where(AUDIT.c.action == "edit-draft"))]
    assert ops == ["give_overlap", "undo"]


def test_every_edit_can_be_done_and_taken_back(desk: Desk, cast: Cast, now: datetime) -> None:
    hole = shapely.box(112.918, 28.04, 112.922, 28.06)
    draft = imported(desk, cast, now, LEFT.difference(hole), RIGHT.difference(hole))
    square = {"type": "Polygon", "coordinates": [[[112.9, 28.1], [112.94, 28.1], [112.94, 28.2], [112.9, 28.1]]]}
    bigger = {"type": "Polygon", "coordinates": [[[112.9, 28.1], [112.94, 28.1], [112.94, 28.3], [112.9, 28.1]]]}
    steps: list[tuple[Op, dict[str, Any]]] = [
        (Op.FILL_GAP, {"index": 0, "to": "B"}),
        (Op.DRAW, {"zone": NewZone("C", Names(name="新网格")), "geometry": square}),
        (Op.RESHAPE, {"zone_id": "C", "geometry": bigger}),
        (Op.MOVE_VERTEX, {"start": [112.94, 28.3], "end": [112.94, 28.25]}),
        (Op.SPLIT, {"zone_id": "A", "line": [[112.9, 28.05], [112.95, 28.05]], "zone": NewZone("A2", Names())}),
        (Op.MERGE, {"zone_ids": ("A", "A2"), "to": "A2"}),
        (Op.PROPERTIES, {"zone_id": "B", "names": Names(name="东", branch="城北"), "cleared": frozenset({"team_id"})}),
        (Op.REMOVE, {"zone_id": "C"}),
    ]
    seen = [draft]
    for op, told in steps:
        if op is Op.SPLIT:  # only the left grid is meant to be cut
            told["line"] = [[112.9, 28.05], [112.93, 28.05]]
        seen.append(edit(desk, cast, seen[-1], now, op, **told))
    assert set(areas(seen[-1])) == {"A2", "B"}
    assert seen[1]["problems"] == []
    last = seen[-1]
    for before in reversed(seen[:-1]):
        last = edit(desk, cast, last, now, Op.UNDO)
        assert last["features"] == before["features"]
    assert not last["can_undo"]
    again = edit(desk, cast, last, now, Op.FILL_GAP, geometry=last["problems"][0]["geometry"], to="A")
    assert again["problems"] == []


@pytest.mark.parametrize(
    ("op", "told", "field"),
    [
        (Op.DRAW, {}, "zone"),
        (Op.DRAW, {"zone": NewZone("C", Names())}, "geometry"),
        (Op.DRAW, {"zone": NewZone("C", Names()), "geometry": {"type": "Point", "coordinates": [1, 2]}}, "geometry"),
        (Op.RESHAPE, {"zone_id": "A"}, "geometry"),
        (Op.RESHAPE, {"zone_id": "A", "geometry": {"type": "Polygon", "coordinates": [[[10**400, 1]]]}}, "geometry"),
        (Op.MOVE_VERTEX, {"start": [112.9, 28.0]}, "to"),
        (Op.MOVE_VERTEX, {"start": [112.9, 128.0], "end": [1, 2]}, "location.lat"),
        (Op.SPLIT, {"zone_id": "A", "line": [[112.9, 28.0], [112.9, 28.0]]}, "line"),
        (Op.SPLIT, {"zone_id": "A", "line": [[112.9, 28.0], [112.91, 28.0]]}, "new_zone"),
        (Op.MERGE, {"zone_ids": ("A", "B")}, "into"),
        (Op.FILL_GAP, {"to": "A"}, "index"),
        (Op.FILL_GAP, {"to": "A", "index": 9}, "index"),
        (Op.FILL_GAP, {"to": "A", "index": 0}, "index"),
        (Op.PROPERTIES, {"zone_id": "X"}, "zone_id"),
    ],
)
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_what_is_missing_is_named_and_nothing_changes(
    desk: Desk, cast: Cast, now: datetime, op: Op, told: dict[str, Any], field: str
) -> None:
    draft = imported(desk, cast, now, LEFT, OVERLAPPING)
    with pytest.raises(InvalidInput) as caught:
        edit(desk, cast, draft, now, op, **told)
    assert caught.value.field == field
    assert zone_drafts.get(desk, cast.admin, draft["id"]) == draft


def test_who_comes_second_is_shown_the_draft_as_it_is(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = imported(desk, cast, now, LEFT, RIGHT)
    first = edit(desk, cast, draft, now, Op.REMOVE, zone_id="A")
    for op in (Op.REMOVE, Op.UNDO):
        with pytest.raises(StaleVersion) as caught:
            edit(desk, cast, draft, now, op, zone_id="B")
        assert caught.value.extra == {"current_version": 2, "draft": first}
    # The other one writes while ours is being checked.
    real, told = zone_problems.problems_of, list[int]()

    def meanwhile(*args: Any) -> Any:
        if not told:
            told.append(1)
            edit(desk, cast, first, now, Op.UNDO)
        return real(*args)

    monkeypatch.setattr(zone_drafts, "problems_of", meanwhile)
    with pytest.raises(StaleVersion):
        edit(desk, cast, first, now, Op.REMOVE, zone_id="B")
    assert set(areas(zone_drafts.get(desk, cast.admin, draft["id"]))) == {"A", "B"}


def test_only_the_last_edits_can_be_taken_back(
    desk: Desk, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "KEPT_STEPS", 2)
    draft = imported(desk, cast, now, LEFT, RIGHT)
    for n in range(3):
        draft = edit(desk, cast, draft, now, Op.PROPERTIES, zone_id="A", names=Names(name=f"第 {n} 次"))
    for _ in range(2):
        draft = edit(desk, cast, draft, now, Op.UNDO)
    assert not draft["can_undo"]
    assert draft["features"]["features"][0]["properties"]["name"] == "第 0 次"


def test_a_broken_file_is_refused_whole(desk: Desk, cast: Cast, now: datetime) -> None:
    bow = shapely.Polygon([(112.9, 28.0), (113.0, 28.1), (113.0, 28.0), (112.9, 28.1)])
    with pytest.raises(InvalidZoneFile) as caught:
        imported(desk, cast, now, LEFT, bow)
    assert caught.value.extra["problems"][0]["feature"] == 2
    assert zone_drafts.listed(desk, cast.admin) == []


def test_a_draft_keeps_the_doubt_about_its_datum(desk: Desk, cast: Cast, now: datetime) -> None:
    sample = File("样例.geojson", (DATA / "zones.geojson").read_bytes(), Datum.GCJ02)
    draft = zone_drafts.import_file(desk, cast.admin, "误标", sample, outlines(DISTRICTS), now)
    (warning,) = draft["warnings"]
    assert "坐标系可能不对" in warning["reason"]
    assert zone_drafts.get(desk, cast.admin, draft["id"])["warnings"] == [warning]


def test_a_draft_is_thrown_away(desk: Desk, cast: Cast, now: datetime) -> None:
    draft = imported(desk, cast, now, LEFT, RIGHT)
    edit(desk, cast, draft, now, Op.REMOVE, zone_id="A")
    assert zone_drafts.drop(desk, cast.admin, draft["id"], now)["name"] == "两格"
    assert zone_drafts.listed(desk, cast.admin) == []
    with pytest.raises(NotFound):
        zone_drafts.drop(desk, cast.admin, draft["id"], now)


def test_a_team_that_the_roster_lacks_is_a_problem(desk: Desk, cast: Cast, now: datetime) -> None:
    draft = imported(desk, cast, now, LEFT, RIGHT)
    changed = edit(desk, cast, draft, now, Op.PROPERTIES, zone_id="A", names=Names(team_id="月球班"))
    assert [each["kind"] for each in changed["problems"]] == ["unknown_team"]
    changed = edit(desk, cast, changed, now, Op.PROPERTIES, zone_id="A", names=Names(team_id=TEAM_B))
    assert changed["problems"] == []
