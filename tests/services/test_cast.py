"""The cast can bring a ticket to every state, through the real services alone."""

from datetime import datetime

import pytest

from dispatch.domain.states import Status
from dispatch.services import board
from dispatch.services.desk import Desk
from tests.support.cast import Cast, ticket_at


@pytest.mark.parametrize("status", Status)
def test_a_ticket_gets_to_every_state(desk: Desk, cast: Cast, now: datetime, status: Status) -> None:
    number = ticket_at(desk, status, now)
    assert board.ticket(desk, cast.dispatcher, number, now)["status"] == status
