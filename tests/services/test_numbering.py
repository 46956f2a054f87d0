"""Numbers come in blocks: unique over processes, none lost to a call that failed."""

from datetime import date

from dispatch.services.numbering import BLOCK, Numbers, number_text
from dispatch.storage.db import Store
from tests.support.store import in_parallel

DAY = date(2026, 11, 24)
NEXT_DAY = date(2026, 11, 25)


def test_a_number_reads_as_people_say_it() -> None:
    assert number_text(DAY, 123) == "GD20261124-000123"


def test_two_processes_take_different_blocks(store: Store) -> None:
    one, other = Numbers(store), Numbers(store)
    taken = [numbers.take(DAY) for _ in range(BLOCK + 1) for numbers in (one, other)]
    assert len(set(taken)) == 2 * (BLOCK + 1)
    assert taken[:2] == [1, BLOCK + 1]


def test_what_no_ticket_got_is_used_next(store: Store) -> None:
    numbers = Numbers(store)
    assert [numbers.take(DAY), numbers.take(DAY)] == [1, 2]
    numbers.give_back(DAY, 1)
    assert [numbers.take(DAY), numbers.take(DAY)] == [1, 3]


def test_each_day_counts_from_one(store: Store) -> None:
    numbers = Numbers(store)
    numbers.take(DAY)
    assert numbers.take(NEXT_DAY) == 1
    numbers.give_back(DAY, 1)  # of yesterday: nobody needs it
    assert numbers.take(NEXT_DAY) == 2


def test_threads_share_a_block(store: Store) -> None:
    numbers = Numbers(store)
    taken = in_parallel([lambda: numbers.take(DAY)] * 50)
    assert sorted(map(str, taken)) == sorted(str(n) for n in range(1, 51))
