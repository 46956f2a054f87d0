"""Public holidays of China and the weekend days worked for them (调休), for the years that have been announced.

Source: the notices of the State Council, as kept by the package chinesecalendar. Each November it learns the next year.
"""

from __future__ import annotations

from datetime import date

from chinese_calendar.constants import holidays, workdays

HOLIDAYS: frozenset[date] = frozenset(holidays)
EXTRA: frozenset[date] = frozenset(workdays)
YEARS = frozenset(day.year for day in HOLIDAYS)
