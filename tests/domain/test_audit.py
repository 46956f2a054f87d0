"""The audit chain: a change, a gap, an exchange and a cut tail all show, with the number of the first bad entry."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.domain.audit import GENESIS, first_break, link

Row = tuple[int, str, dict[str, Any]]


def chain(count: int) -> list[Row]:
    rows: list[Row] = []
    previous = GENESIS
    for seq in range(1, count + 1):
        entry = {"actor": "坐席", "verb": "accept", "n": seq}
        previous = link(previous, entry)
        rows.append((seq, previous, entry))
    return rows


def head(rows: list[Row]) -> tuple[int, str]:
    return rows[-1][:2] if rows else (0, GENESIS)


def test_the_hash_is_plain_sha_256_over_canonical_json() -> None:
    expected = hashlib.sha256((GENESIS + '{"a":1,"名":"水"}').encode()).hexdigest()
    assert link(GENESIS, {"名": "水", "a": 1}) == expected
    assert link(GENESIS, {"a": 1, "名": "水"}) == expected
    assert link(expected, {"a": 1, "名": "水"}) != expected


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_whole_chain_holds(count: int) -> None:
    rows = chain(count)
    assert first_break(rows, head(rows)) is None


def test_a_changed_entry_shows() -> None:
    rows = chain(5)
    rows[2] = (3, rows[2][1], {**rows[2][2], "actor": "别人"})
    assert first_break(rows, head(rows)) == 3


def test_a_changed_entry_with_its_hash_made_anew_shows_at_the_next() -> None:
    rows = chain(5)
    entry = {**rows[2][2], "actor": "别人"}
    rows[2] = (3, link(rows[1][1], entry), entry)
    assert first_break(rows, head(rows)) == 4


def test_the_last_entry_with_its_hash_made_anew_shows_against_the_head() -> None:
    rows = chain(5)
    kept = head(rows)
    entry = {**rows[4][2], "actor": "别人"}
    rows[4] = (5, link(rows[3][1], entry), entry)
    assert first_break(rows, kept) == 6


def test_a_removed_entry_shows() -> None:
    rows = chain(5)
    kept = head(rows)
    del rows[1]
    assert first_break(rows, kept) == 2


def test_a_removed_first_entry_shows() -> None:
    rows = chain(5)
    assert first_break(rows[1:], head(rows)) == 1


def test_a_removed_entry_shows_when_the_rest_is_numbered_anew() -> None:
    rows = chain(5)
    kept = head(rows)
    del rows[1]
    renumbered = [(seq, digest, entry) for seq, (_, digest, entry) in enumerate(rows, 1)]
    assert first_break(renumbered, kept) == 2


def test_a_gap_in_the_numbers_shows_though_every_hash_is_right() -> None:
    rows = [(seq + (seq > 2), digest, entry) for seq, digest, entry in chain(5)]
    assert first_break(rows, head(rows)) == 3


def test_exchanged_entries_show() -> None:
    rows = chain(5)
    rows[1], rows[2] = (2, *rows[2][1:]), (3, *rows[1][1:])
    assert first_break(rows, head(rows)) == 2


def test_a_cut_tail_shows() -> None:
    rows = chain(5)
    assert first_break(rows[:3], head(rows)) == 4
    assert first_break([], head(rows)) == 1


def test_an_entry_behind_the_head_shows() -> None:
    rows = chain(5)
    assert first_break(rows, head(rows[:4])) == 6


@given(st.integers(1, 8), st.data())
def test_any_single_deletion_is_found_where_it_is(count: int, data: st.DataObject) -> None:
    rows = chain(count)
    kept = head(rows)
    gone = data.draw(st.integers(0, count - 1))
    del rows[gone]
    assert first_break(rows, kept) == gone + 1
