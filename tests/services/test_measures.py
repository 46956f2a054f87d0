"""The measures against a naive recount over what each ticket tells of itself."""

import io
import random
from datetime import datetime, timedelta
from typing import Any

import openpyxl
import pytest

from dispatch.domain.callback import Answer
from dispatch.domain.definitions import Figure
from dispatch.domain.errors import InvalidInput, NotPermitted
from dispatch.domain.figures import By
from dispatch.domain.roles import SYSTEM
from dispatch.domain.states import Verb
from dispatch.services import board, calling_back, export, measures
from dispatch.services.calling_back import Told
from dispatch.services.desk import Desk
from dispatch.services.figures import Asked
from dispatch.storage.board import Filter
from tests.support.cast import TEAM_B, ZONE_A, ZONE_B, Cast, act, call, dispatched

HOUR = timedelta(hours=1)
# What the details of tickets tell; test_summing.py recounts all.
RECOUNTED = ("first_fix", "visits", "handovers", "called_back", "satisfied")


def a_day(desk: Desk, cast: Cast, now: datetime, seed: int) -> None:
    """Tickets that are passed on, come back, are rung about, and some that stay unfinished."""
    dice = random.Random(seed)
    for n in range(10):
        phone = f"130000{seed:02d}{n:03d}"
        number = dispatched(desk, now + n * timedelta(minutes=5), (ZONE_A, ZONE_B)[n % 2], caller_phone=phone)
        if dice.random() < 0.4:
            call(desk, cast.agent, now + HOUR, attach_to=number, caller_phone=phone + "1")
        if dice.random() < 0.4 and n % 2 == 0:
            act(desk, cast.dispatcher, number, Verb.REASSIGN, now + HOUR, team_id=TEAM_B)
        if n == 9:
            continue
        finish(desk, cast, number, now + HOUR)
        told = board.ticket(desk, cast.agent, number, now)["callbacks"]
        for one in told:
            if dice.random() < 0.8:
                is_solved = dice.random() < 0.7
                reason = None if is_solved else "not_fixed"
                answer = Answer(is_solved=is_solved, is_satisfied=is_solved, reason=reason)
                body = {"id": one["id"]}
                calling_back.settle(desk, cast.agent, [Told(one["id"], answer)], body, now + 2 * HOUR, None)


def finish(desk: Desk, cast: Cast, number: str, at: datetime) -> None:
    for verb in (Verb.ACCEPT, Verb.ARRIVE, Verb.DONE):
        act(desk, cast.dispatcher, number, verb, at)


def naive(desk: Desk, cast: Cast, start: datetime, end: datetime) -> dict[str, tuple[float | None, int]]:
    """The same from the detail of each ticket."""
    listed = board.tickets(desk, cast.auditor, Filter(), text="", after=0, limit=200, now=end)["items"]
    details = [board.ticket(desk, cast.auditor, one["number"], end) for one in listed]
    done = [
        one
        for one in details
        if start <= datetime.fromisoformat(one["received_at"]) < end
        and "done" in {event["kind"] for event in one["timeline"]}
    ]
    kinds = [[event["kind"] for event in one["timeline"]] for one in done]
    visits = [seen.count("arrive") for seen in kinds]
    given = [seen.count("dispatch") + seen.count("reassign") for seen in kinds]
    first = [
        times <= 1 and one["round"] == 1 and not one["reworked_by"] for times, one in zip(visits, done, strict=True)
    ]
    rung = [back for one in done for back in one["callbacks"] if back["caller_phone"] and back["state"] != "void"]
    words = [back["is_satisfied"] for back in rung if back["is_satisfied"] is not None]
    return {
        "first_fix": share(sum(first), len(done)),
        "visits": share(sum(visits), len(done)),
        "handovers": share(sum(given) - len(given), len(done)),
        "called_back": share(sum(back["state"] == "reached" for back in rung), len(rung)),
        "satisfied": share(sum(words), len(words)),
    }


def share(part: int, whole: int) -> tuple[float | None, int]:
    return (round(part / whole, 4) if whole else None), whole


def told_of(measured: dict[str, Any], which: str) -> dict[str, tuple[float | None, int]]:
    return {
        one["id"]: (one[which]["value"], one[which]["of"]) for one in measured["measures"] if one["id"] in RECOUNTED
    }


def test_measures_agree_with_a_naive_recount(desk: Desk, cast: Cast, now: datetime) -> None:
    """And so do those of the other period, and the groups add up to the whole."""
    before, end = now - 24 * HOUR, now + 24 * HOUR
    a_day(desk, cast, before, 1)
    a_day(desk, cast, now, 2)
    told = measures.compared(desk, cast.supervisor, Asked(by=By.TEAM, start=now, end=end), None, end)
    assert (told["versus_from"], told["versus_to"]) == (before.isoformat(), now.isoformat())
    assert told_of(told, "after") == naive(desk, cast, now, end)
    assert told_of(told, "before") == naive(desk, cast, before, now)
    for one in told["measures"]:
        assert one["zh"]["words"]
        assert one["en"]["formula"]
        if one["id"] not in RECOUNTED:
            continue
        assert one["change"] == pytest.approx(one["after"]["value"] / one["before"]["value"] - 1, abs=2e-3)
        assert sum(group["values"][one["id"]]["of"] for group in told["items"]) == one["after"]["of"]
    same = measures.compared(desk, cast.supervisor, Asked(by=By.ZONE, start=now, end=end), now, end)
    assert {one["change"] for one in same["measures"]} <= {0, None}


def test_fewer_hand_overs_are_seen_side_by_side(desk: Desk, cast: Cast, now: datetime) -> None:
    """Two hand-overs a ticket yesterday, one today: halved."""
    for at, times in ((now - 24 * HOUR, 2), (now, 1)):
        number = dispatched(desk, at)
        for n in range(times):
            act(desk, cast.dispatcher, number, Verb.REASSIGN, at, team_id=(TEAM_B, "tianxin-03")[n % 2])
        finish(desk, cast, number, at)
    told = measures.compared(
        desk, cast.supervisor, Asked(by=By.HOUR, start=now, end=now + 24 * HOUR), None, now + 24 * HOUR
    )
    assert {one["id"]: one["change"] for one in told["measures"]}[Figure.HANDOVERS] == -0.5
    asked = Asked(by=By.HOUR, start=now, end=now + 24 * HOUR)
    data = export.workbook(desk, cast.supervisor, asked, now + 24 * HOUR)
    _, measured, _ = openpyxl.load_workbook(io.BytesIO(data)).worksheets
    rows = {row[0]: row[2:5] for row in measured.iter_rows(values_only=True)}
    assert rows["每单转手次数"] == (2, 1, -0.5)


def test_a_period_with_nothing_in_it(desk: Desk, cast: Cast, now: datetime) -> None:
    told = measures.compared(desk, cast.crew_a, Asked(by=By.BRANCH, start=now, end=now + HOUR), None, now)
    assert {(one["after"]["value"], one["change"]) for one in told["measures"]} == {(None, None)}
    with pytest.raises(InvalidInput):
        measures.compared(desk, cast.supervisor, Asked(by=By.TEAM, start=now, end=now), None, now)
    with pytest.raises(NotPermitted):
        measures.compared(desk, SYSTEM, Asked(by=By.TEAM, start=now, end=now + HOUR), None, now)
