"""The rosters in this process: plans as they were published, with the leave and swaps of the days asked about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from dispatch.domain.roster import Plan, Roster, roster_of
from dispatch.domain.roster_file import InvalidRoster, read_plan
from dispatch.domain.roster_hours import worked_h
from dispatch.domain.times import shanghai_day, shanghai_midnight
from dispatch.services.versions import Versions
from dispatch.storage import rosters
from dispatch.storage.db import Store, Tx

_DAY = timedelta(days=1)
# Hours worked are counted anew so often: a sixth of an hour tires nobody.
_SLOT = timedelta(minutes=10)


class RosterBook:
    """One per process; shared by its threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._plans: Versions[int, Plan] = Versions()
        self._days: Versions[tuple[int, int, date], Roster] = Versions()
        self._worked: Versions[tuple[int, int, datetime], Mapping[str, float]] = Versions()

    def on(self, roster_id: int, revision: int, at: datetime) -> Roster:
        """Return a roster for an instant, kept for its day until the revision moves."""
        day = shanghai_day(at)

        def make() -> Roster:
            midnight = shanghai_midnight(day)
            with self._store.read() as committed:
                return self.between(committed, roster_id, midnight, midnight + _DAY)

        return self._days.get_or_make((roster_id, revision, day), make)

    def worked(self, roster_id: int, revision: int, at: datetime) -> Mapping[str, float]:
        """Return the hours that each person was on duty within the day before `at`, exact to ten minutes."""
        end_at = at - (at - datetime.min.replace(tzinfo=at.tzinfo)) % _SLOT

        def make() -> Mapping[str, float]:
            with self._store.read() as committed:
                return worked_h(self.between(committed, roster_id, end_at - _DAY, end_at), end_at - _DAY, end_at)

        return self._worked.get_or_make((roster_id, revision, end_at), make)

    def between(self, tx: Tx, roster_id: int, start_at: datetime, end_at: datetime) -> Roster:
        """Return a published roster with all leave and swaps that bear upon a time, read anew."""
        return self.under(tx, self.plan(tx, roster_id), start_at, end_at)

    @staticmethod
    def under(tx: Tx, plan: Plan, start_at: datetime, end_at: datetime) -> Roster:
        """Return a plan with all leave and swaps that bear upon a time."""
        # A duty may reach from the day before into the time.
        first, last = shanghai_day(start_at) - _DAY, shanghai_day(end_at)
        leaves = rosters.leave_rows(tx, start_at - 2 * _DAY, end_at + 2 * _DAY)
        swaps = rosters.swap_rows(tx, first, last)
        return roster_of(
            plan,
            [rosters.leave_of(row) for row in leaves],
            [rosters.swap_of(row) for row in swaps],
        )

    def plan(self, tx: Tx, roster_id: int) -> Plan:
        """Return a published plan."""

        def load() -> Plan:
            row = rosters.read(tx, roster_id)
            return plan_from(row["body"] if row else {})

        return self._plans.get_or_make(roster_id, load)


def plan_from(body: object) -> Plan:
    """Return the plan of a stored body.

    Raises:
        InvalidRoster: where a later version of the program reads stored rosters more strictly.
    """
    plan, findings = read_plan(body if isinstance(body, dict) else {"units": None})
    if plan is None:
        raise InvalidRoster("排班表无法读取", findings=[one.form() for one in findings])
    return plan
