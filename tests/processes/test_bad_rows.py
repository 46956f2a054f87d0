"""One row that cannot be fired holds up none of the others."""

from datetime import timedelta
from typing import NoReturn

import pytest
from sqlalchemy import update

from dispatch.services import escalation
from dispatch.services.desk import Desk
from dispatch.storage import clocks
from tests.support.due import due_steps, escalation_count, fired, seed
from tests.support.processes import utc_now

pytestmark = [pytest.mark.processes]

AGE = timedelta(minutes=11)  # acceptance is overdue, and nothing else


def turn_back(desk: Desk, ticket_id: int) -> None:
    """Damage a clock by hand: it stands before a step that has fired."""
    with desk.store.write() as tx:
        of_ticket = (clocks.CLOCKS.c.ticket_id == ticket_id, clocks.CLOCKS.c.kind == "ack")
        tx.conn.execute(
            update(clocks.CLOCKS).where(*of_ticket).values(next_step=0, next_fire_at=utc_now() - timedelta(hours=1))
        )


def test_a_step_that_has_fired_already_holds_up_nobody(desk: Desk) -> None:
    now = utc_now()
    _, damaged = seed(desk, 1, now - AGE)
    assert escalation.sweep(desk, now).fired == 1
    turn_back(desk, damaged)
    due = due_steps(desk, [damaged, *seed(desk, 10, now - AGE)], now)
    later = utc_now()
    done = escalation.sweep(desk, later)
    assert done.fired == 10
    assert len(done.errors) == 1
    assert "GD" in done.errors[0]
    found = fired(desk, due)
    assert found.is_exact, found
    assert escalation.sweep(desk, later).errors == [], "it is not looked at again at once"
    assert len(escalation.sweep(desk, later + escalation.RETRY).errors) == 1, "but in a minute"


def test_a_database_that_is_away_puts_nothing_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utc_now()
    due = due_steps(desk, seed(desk, 3, now - AGE), now)

    def write() -> NoReturn:
        raise ConnectionError("away")

    with monkeypatch.context() as patch:
        patch.setattr(desk.store, "write", write)
        with pytest.raises(ConnectionError):
            escalation.sweep(desk, now)
    assert escalation_count(desk) == 0
    assert escalation.sweep(desk, now).fired == len(due)
