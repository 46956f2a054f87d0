"""Customer flags on both databases: a table comes in, calls are known by it, and what is personal stays masked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dispatch.domain.errors import InvalidInput, NotFound
from dispatch.domain.place import Datum, Wgs84Point
from dispatch.domain.roles import Actor
from dispatch.domain.states import Verb
from dispatch.services import board, cases, customers, escalation
from dispatch.services.customers import Imported
from dispatch.services.desk import Desk
from dispatch.services.watching import Known
from dispatch.storage.outbox import OUTBOX
from tests.support.cast import BRANCH, CALLER_PHONE, TEAM_B, ZONE_A, Cast, act, dispatched, received, spot

DAY = timedelta(days=1)
HEAD = "标记,名称,电话,地址,经度,纬度,半径,备注,联系人,有效期\n"


def bring(desk: Desk, actor: Actor, rows: str, now: datetime, source: str = "重点用户.csv") -> Imported:
    data = (HEAD + rows).encode()
    return customers.import_customers(desk, actor, data, source=source, datum=Datum.WGS84, now=now)


def hospital(desk: Desk, now: datetime) -> str:
    here = spot(desk, ZONE_A, now)
    return f"医院,样例医院,,,{here.lon},{here.lat},200,,,\n"


def ticket(desk: Desk, cast: Cast, number: str, now: datetime) -> dict[str, Any]:
    return board.ticket(desk, cast.dispatcher, number, now)


def recipients(desk: Desk, text: str) -> list[list[str]]:
    query = select(OUTBOX.c.recipients).where(OUTBOX.c.text.contains(text)).order_by(OUTBOX.c.id)
    with desk.store.read() as tx:
        return list(tx.conn.execute(query).scalars())


def test_a_hospital_raises_the_level_and_tells_its_people(desk: Desk, cast: Cast, now: datetime) -> None:
    assert bring(desk, cast.supervisor, hospital(desk, now), now) == Imported(1, 0, [])
    here = spot(desk, ZONE_A, now)
    number = dispatched(desk, now, point=here, is_approximate=False, address="", caller_phone=None)
    shown = ticket(desk, cast, number, now)
    assert (shown["level"], shown["flags"]) == ("P1", ["医院"])
    (line,) = [one for one in shown["timeline"] if one["kind"] == "customer"]
    assert line["text"] == "医院: 由 P2 提为 P1"
    assert recipients(desk, "涉及重点保障用户") == [[f"branch_duty:{BRANCH}", "hotline_director"]]
    act(desk, cast.dispatcher, number, Verb.REASSIGN, now, team_id=TEAM_B)
    assert len(recipients(desk, "涉及重点保障用户")) == 2
    escalation.sweep(desk, now + timedelta(minutes=6))
    (step,) = [one for one in ticket(desk, cast, number, now)["escalations"] if one["clock"] == "ack"]
    assert {f"branch_duty:{BRANCH}", "hotline_director", "dispatcher"} <= set(step["recipients"])


def test_who_is_not_there_changes_nothing(desk: Desk, cast: Cast, now: datetime) -> None:
    bring(desk, cast.supervisor, hospital(desk, now), now)
    here = spot(desk, ZONE_A, now)
    away = Wgs84Point(here.lon, here.lat + 0.0022)  # some 240 m
    for changes in ({"point": away, "is_approximate": False, "address": ""}, {"point": here}):
        number = dispatched(desk, now, caller_phone=None, **changes)
        shown = ticket(desk, cast, number, now)
        assert (shown["level"], shown["flags"]) == ("P2", [])
        assert [one for one in shown["timeline"] if one["kind"] == "customer"] == []


def test_a_caller_is_known_by_number_or_house_until_the_last_day(desk: Desk, cast: Cast, now: datetime) -> None:
    rows = f"dialysis,李娭毑,{CALLER_PHONE[:3]} {CALLER_PHONE[3:]},,,,,每周三次,女儿,2026/11/24\n"
    rows += "老弱病残,王爹,,天心区坡子街12号,,,,,,\n"
    assert bring(desk, cast.admin, rows, now).count == 2
    told = cases.known(desk, cast.agent, Known(phone=None, category="pressure"), CALLER_PHONE, now)
    assert told["flags"] == [{"label": "居家透析", "group": "vulnerable"}]
    shown = ticket(desk, cast, received(desk, now, category="pressure", address="坡子街 12 号 3 楼"), now)
    assert (shown["level"], shown["flags"]) == ("P1", ["居家透析", "老弱病残"])
    later = ticket(desk, cast, received(desk, now + DAY, address="坡子街 12 号", category="pressure"), now + DAY)
    assert (later["level"], later["flags"]) == ("P2", ["老弱病残"])
    elsewhere = received(desk, now + DAY, address="雨花区坡子街 12 号", category="pressure")
    assert ticket(desk, cast, elsewhere, now + DAY)["flags"] == []


def test_a_file_of_the_same_name_replaces_what_came_before(desk: Desk, cast: Cast, now: datetime) -> None:
    bring(desk, cast.supervisor, f"医院,甲,{CALLER_PHONE},,,,,,,\n学校,乙,13000000009,,,,,,,\n", now)
    assert bring(desk, cast.supervisor, f"酒店,甲,{CALLER_PHONE},,,,,,,\n", now) == Imported(1, 2, [])
    listed = customers.listed(desk, cast.supervisor, flag=None, after=0, limit=9, now=now)
    assert [(one["flag_label"], one["group_label"], one["phone"]) for one in listed["items"]] == [
        ("酒店", "重点用户", "130****0001")
    ]
    bring(desk, cast.supervisor, "工厂,丙,13000000003,,,,,,,\n", now, source="另一份.csv")
    page = customers.listed(desk, cast.supervisor, flag=None, after=0, limit=1, now=now)
    assert page["items"][0]["name"] == "丙"
    rest = customers.listed(desk, cast.supervisor, flag=None, after=page["next"], limit=1, now=now)
    assert (rest["items"], rest["next"]) == (listed["items"], None)
    assert customers.listed(desk, cast.supervisor, flag="hotel", after=0, limit=9, now=now) == listed


def test_what_is_personal_is_shown_for_a_reason_and_taken_out(desk: Desk, cast: Cast, now: datetime) -> None:
    bring(desk, cast.supervisor, f"医院,甲,{CALLER_PHONE},坡子街12号302室,,,,,陈主任 13000000008,\n", now)
    (one,) = customers.listed(desk, cast.admin, flag=None, after=0, limit=9, now=now)["items"]
    assert "302" not in repr(one)
    assert CALLER_PHONE not in repr(one)
    with pytest.raises(InvalidInput):
        customers.reveal(desk, cast.supervisor, one["id"], " ", now)
    told = customers.reveal(desk, cast.supervisor, one["id"], "通知停水", now)
    assert (told["phone"], told["contact"]) == (CALLER_PHONE, "陈主任 13000000008")
    audited = board.audited(desk, cast.auditor, subject=f"customer {one['id']}", after=0, limit=9)["items"]
    assert [(entry["action"], entry["detail"]) for entry in audited] == [("reveal-customer", {"reason": "通知停水"})]
    customers.remove(desk, cast.supervisor, one["id"], now)
    assert cases.known(desk, cast.agent, Known(phone=None), CALLER_PHONE, now)["flags"] == []
    for gone in (
        lambda: customers.remove(desk, cast.supervisor, one["id"], now),
        lambda: customers.reveal(desk, cast.supervisor, one["id"], "再看", now),
    ):
        with pytest.raises(NotFound):
            gone()


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_wrong_rows_are_told_and_the_others_taken(desk: Desk, cast: Cast, now: datetime) -> None:
    rows = [
        "医院,甲,13000000005,,,,,,,2027-12-31", "教堂,乙,13000000005,,,,,,,", "医院,,13000000005,,,,,,,",
        "医院,丁,abc,,,,,,,", "医院,戊,,坡子街,,,,,,", "医院,己,,,x,28.1,,,,", "医院,庚,,,0,0,,,,",
        "医院,辛,,,112.97,28.19,大,,,", "医院,壬,,,112.97,28.19,9000,,,", "医院,癸,13000000005,,,,,,,明年",
        f"医院,{'长' * 101},13000000005,,,,,,,",
    ]  # fmt: skip
    done = bring(desk, cast.supervisor, "\n".join(rows), now)
    assert (done.count, [row for row, _ in done.refused]) == (1, list(range(3, 13)))
    words = ["不认识", "名称", "电话号码", "门牌", "不是数字", "", "不是数字", "0–500", "2027-12-31", "超过"]
    assert all(word in why for word, (_, why) in zip(words, done.refused, strict=True))
    with pytest.raises(InvalidInput, match="列"):
        customers.import_customers(desk, cast.admin, b"a,b\n1,2", source="x", datum=Datum.WGS84, now=now)
