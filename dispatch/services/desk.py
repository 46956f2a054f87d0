"""What every use case needs: the store, the settings, and the policy and grid map of the moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch.domain import policy_file
from dispatch.domain.errors import DispatchError
from dispatch.domain.policy import Policy
from dispatch.domain.roster import Roster
from dispatch.domain.settings import Settings
from dispatch.domain.surge import Gathering, Widening
from dispatch.domain.surge_policy import SurgePolicy
from dispatch.domain.zone_index import ZoneIndex
from dispatch.services.calibration import Calibration
from dispatch.services.gazetteers import Gazetteers
from dispatch.services.numbering import Numbers
from dispatch.services.road_book import RoadBook
from dispatch.services.roster_book import RosterBook
from dispatch.services.ticket_cells import TicketCells
from dispatch.services.versions import Versions
from dispatch.storage import directory
from dispatch.storage.db import Store, Tx


class NotReady(DispatchError):
    """The installation lacks its policy or its grid map."""

    code = "not-ready"
    status = 503


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds at one moment; `roster` is None where none is published."""

    policy: Policy
    zones: ZoneIndex
    zone_set_id: int
    teams: Mapping[str, Mapping[str, Any]]
    widenings: Sequence[Widening]
    at: datetime
    roster: Roster | None


class Desk:
    """One per process; shared by its threads."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.channels = settings.channels
        self.numbers = Numbers(store)
        self.roads = RoadBook(store, settings)
        self.calibration = Calibration(store)
        self.gazetteers = Gazetteers(store)
        self.cells = TicketCells()
        self.rosters = RosterBook(store)
        self._book: directory.Book | None = None
        self._policies: Versions[str, Policy] = Versions()
        self._indexes: Versions[int, ZoneIndex] = Versions()

    def rules(self, tx: Tx, now: datetime) -> Rules:
        """Return policy and grid map that are valid at `now`.

        Raises:
            NotReady: before `init` and the first import.
        """
        book = self._open_book(tx)
        version, set_id = book.policy_at(now), book.zone_set_at(now)
        if version is None or set_id is None:
            raise NotReady("系统尚未初始化: 请运行 python run.py init")
        policy, index = self.policy(tx, version), self._index(set_id)
        return Rules(policy, index, set_id, book.teams, book.widenings, now, self.roster(tx, now))

    def roster(self, tx: Tx, at: datetime) -> Roster | None:
        """Return the roster that is published for `at`, with leave and swaps, or None."""
        book = self._open_book(tx)
        roster_id = book.roster_at(at)
        return None if roster_id is None else self.rosters.on(roster_id, book.revision, at)

    def worked(self, tx: Tx, at: datetime) -> Mapping[str, float]:
        """Return the hours that each person of the roster was on duty within the day before `at`; none without one."""
        book = self._open_book(tx)
        roster_id = book.roster_at(at)
        return {} if roster_id is None else self.rosters.worked(roster_id, book.revision, at)

    def roster_id(self, tx: Tx, at: datetime) -> int | None:
        """Return which roster is published for `at`, or None."""
        return self._open_book(tx).roster_at(at)

    def gathering(self, tx: Tx) -> Gathering | None:
        """Return what the open surge does to notices, or None; as far as this process has heard of it."""
        return self._open_book(tx).gathering

    def widenings(self, tx: Tx) -> Sequence[Widening]:
        """Return the wider clocks that hold; as far as this process has heard of it."""
        return self._open_book(tx).widenings

    def surge_policy(self, tx: Tx, now: datetime) -> SurgePolicy | None:
        """Return what the policy that is valid at `now` says of surges, or None."""
        version = self._open_book(tx).policy_at(now)
        return None if version is None else self.policy(tx, version).surge

    def _open_book(self, tx: Tx) -> directory.Book:
        """Return the book, read again only where another process, or this one, has changed a page."""
        book = self._book
        if book is None or book.revision != directory.revision(tx):
            # Only what is committed is kept: a change in an open transaction may still be taken back.
            with self.store.read() as committed:
                book = self._book = directory.book(committed)
        return book

    def policy(self, tx: Tx, version: str) -> Policy:
        """Return a policy version, the one that a ticket keeps."""

        def load() -> Policy:
            raw = directory.policy_raw(tx, version)
            if raw is None:
                raise NotReady(f"缺少政策版本 {version}")
            return policy_file.parse(raw)

        return self._policies.get_or_make(version, load)

    def _index(self, set_id: int) -> ZoneIndex:
        def build() -> ZoneIndex:
            with self.store.read() as committed:
                return ZoneIndex(directory.zones_of(committed, set_id))

        return self._indexes.get_or_make(set_id, build)
