"""What is open near a place is asked of the index over places."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from dispatch.domain.place import Wgs84Point
from dispatch.services.desk import Desk
from dispatch.storage import callers


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_question_is_answered_by_the_partial_index(desk: Desk) -> None:
    """Not by the table: ten years of tickets lie in it."""
    query = callers._in_box(Wgs84Point(112.9, 28.1), Wgs84Point(113.0, 28.2))
    with desk.store.read() as tx:
        sql = str(query.compile(tx.conn, compile_kwargs={"literal_binds": True}))
        plan = [row.detail for row in tx.conn.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]
    assert ["ix_tickets_place" in step for step in plan] == [True]
