"""The working calendar (workdays.csv, State Council notices) and the working hours of cities (hours.csv)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from server.reference.files import table

FRIDAY = 5  # ISO weekday


@dataclass(frozen=True)
class Workdays:
    """Which days are worked. Outside the loaded years: Monday to Friday but for holidays of fixed date; provisional."""

    worked: frozenset[date]
    statutory: frozenset[date]
    first: date
    last: date
    fixed_holidays: Collection[tuple[int, int]]

    def is_workday(self, day: date) -> bool:
        """Worked by the notice where it is loaded, make-up Saturdays and Sundays included."""
        if self.is_loaded(day):
            return day in self.worked
        return day.isoweekday() <= FRIDAY and (day.month, day.day) not in self.fixed_holidays

    def is_statutory_holiday(self, day: date) -> bool:
        """One of the few days of the law (法定节假日), a subset of the rest days; unloaded years: fixed dates."""
        return day in self.statutory if self.is_loaded(day) else (day.month, day.day) in self.fixed_holidays

    def is_loaded(self, day: date) -> bool:
        """False for a day whose year's notice is not loaded: what is derived from it is provisional."""
        return self.first <= day <= self.last


@dataclass(frozen=True)
class WorkHours:
    """A city's hours of one clock, in local time; `day_ends` says when the last day of a limit in days ends."""

    sessions: tuple[tuple[timedelta, timedelta], ...]  # since midnight
    every_day: bool = False
    day_ends: str = "close"  # or "24:00"


@cache
def workdays() -> Workdays:
    """The loaded years as one calendar."""
    rows = [(date.fromisoformat(row["date"]), row) for row in table("workdays")]
    return Workdays(
        worked=frozenset(day for day, row in rows if row["is_workday"] == "1"),
        statutory=frozenset(day for day, row in rows if row["is_statutory_holiday"] == "1"),
        first=min(day for day, _ in rows),
        last=max(day for day, _ in rows),
        fixed_holidays=frozenset((int(row["month"]), int(row["day"])) for row in table("provisional_holidays")),
    )


@cache
def hours(scope: str = "", clock: str = "handling") -> WorkHours:
    """The hours of the narrowest listed scope that covers `scope`; the row without scope is the default."""
    rows = [row for row in table("hours") if row["clock"] == clock and scope.startswith(row["scope"])]
    row = max(rows, key=lambda one: len(one["scope"]))
    sessions = tuple(_session(text) for text in row["sessions"].split())
    return WorkHours(sessions, row["every_day"] == "1", row["day_ends"])


def _session(text: str) -> tuple[timedelta, timedelta]:
    opens, closes = (part.split(":") for part in text.split("-"))
    return (
        timedelta(hours=int(opens[0]), minutes=int(opens[1])),
        timedelta(hours=int(closes[0]), minutes=int(closes[1])),
    )
