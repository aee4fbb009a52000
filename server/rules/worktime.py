"""Working time (domain.md 4.3): when a limit ends, in working hours, working days, calendar days, hours.

Days and hours are those of Beijing. A result is provisional when it rests on a day whose calendar is not loaded yet.
Pauses are intervals; a due date is derived from them. Serves lifecycle.py, notices and penalty timers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from server.reference import Workdays, WorkHours

BEIJING = timezone(timedelta(hours=8))  # no daylight saving since 1992
DAY = timedelta(days=1)
NOTHING = timedelta(0)
LONGEST_DAYS = 40_000  # beyond any limit in law; keeps a senseless amount from counting for ever
UNITS = ("working_hour", "working_day", "calendar_day", "hour")


@dataclass(frozen=True)
class Due:
    """When a limit ends, in UTC; provisional until the calendar of its days is loaded."""

    at: datetime
    provisional: bool


def due_at(
    start: datetime,
    amount: float,
    unit: str,
    calendar: Workdays,
    hours: WorkHours,
    pauses: Iterable[tuple[datetime, datetime]] = (),
) -> Due:
    """When `amount` units after `start` are over; raises ValueError for an unknown unit or a senseless amount.

    Working hours run inside the city's hours on working days; day counts leave out the day of `start` and end with
    the last day, at close of business or at 24:00 as the city has it. `pauses` are (from, to), in order, and do not
    overlap.
    """
    due = _unpaused(start, amount, unit, calendar, hours)
    for paused_at, resumed_at in pauses:
        if paused_at >= due.at:
            break
        moved = resumed(due.at, paused_at, resumed_at, unit, calendar, hours)
        due = Due(moved.at, due.provisional or moved.provisional)
    return due


def resumed(
    due: datetime, paused_at: datetime, resumed_at: datetime, unit: str, calendar: Workdays, hours: WorkHours
) -> Due:
    """The due time after one pause: what was left at the pause is left after it; what was overdue stays as late."""
    if unit == "hour" or paused_at >= due:
        return Due((due + (resumed_at - paused_at)).astimezone(UTC), False)
    if unit == "working_hour":
        left, provisional = working_time(paused_at, due, calendar, hours)
        moved = _after_working_time(resumed_at, left, calendar, hours)
    else:
        days, provisional = _days_left(_day(paused_at), _day(due), unit, calendar, hours)
        moved = _end_of(*last_day(_day(resumed_at), days, unit, calendar, every_day=hours.every_day), hours)
    return Due(moved.at, moved.provisional or provisional)


def working_time(start: datetime, end: datetime, calendar: Workdays, hours: WorkHours) -> tuple[timedelta, bool]:
    """Working time between two moments, and whether it is provisional."""
    total, provisional = NOTHING, False
    for day in _days_from(_day(start)):
        if day > _day(end):
            break
        provisional |= not calendar.is_loaded(day)
        for opens, closes in _sessions(day, calendar, hours):
            total += max(NOTHING, min(closes, end) - max(opens, start))
    return total, provisional


def last_day(
    first: date, amount: float, unit: str, calendar: Workdays, *, every_day: bool = False, rolls: bool = False
) -> tuple[date, bool]:
    """The last day of a limit in days and whether it is provisional; the day of the event is not counted.

    `every_day`: rest days count as working days (cities that run all year). `rolls`: a last day that is a rest day
    moves to the next working day (民事诉讼法 art. 85).
    """
    if unit not in ("working_day", "calendar_day"):
        raise ValueError(f"no unit of days: {unit!r}")
    day, left, provisional = first, _whole(amount), False
    worked = every_day or calendar.is_workday(first) or unit == "calendar_day"
    while left > 0 or not worked:
        day += DAY
        provisional |= not calendar.is_loaded(day)
        worked = every_day or unit == "calendar_day" or calendar.is_workday(day)
        left -= worked
    while rolls and not calendar.is_workday(day):
        day += DAY
        provisional |= not calendar.is_loaded(day)
    return day, provisional or (rolls and not calendar.is_loaded(day))


def _unpaused(start: datetime, amount: float, unit: str, calendar: Workdays, hours: WorkHours) -> Due:
    if unit not in UNITS:
        raise ValueError(f"no unit of time: {unit!r}")
    if not 0 <= amount <= LONGEST_DAYS:
        raise ValueError(f"no amount of time: {amount!r}")
    if unit == "hour":
        return Due((start + timedelta(hours=amount)).astimezone(UTC), False)
    if unit == "working_hour":
        return _after_working_time(start, timedelta(hours=amount), calendar, hours)
    return _end_of(*last_day(_day(start), amount, unit, calendar, every_day=hours.every_day), hours)


def _after_working_time(start: datetime, left: timedelta, calendar: Workdays, hours: WorkHours) -> Due:
    provisional = False
    for day in _days_from(_day(start)):
        provisional |= not calendar.is_loaded(day)
        for opens, closes in _sessions(day, calendar, hours):
            open_for = closes - max(opens, start)
            if open_for >= left and open_for >= NOTHING:
                return Due((max(opens, start) + left).astimezone(UTC), provisional)
            left -= max(NOTHING, open_for)
    raise ValueError("the working hours are too few for this limit")


def _days_left(paused: date, due: date, unit: str, calendar: Workdays, hours: WorkHours) -> tuple[int, bool]:
    days = [paused + DAY * n for n in range(1, (due - paused).days + 1)]
    counted = [day for day in days if unit == "calendar_day" or hours.every_day or calendar.is_workday(day)]
    return len(counted), any(not calendar.is_loaded(day) for day in days)


def _end_of(day: date, provisional: bool, hours: WorkHours) -> Due:
    ends = DAY if hours.day_ends == "24:00" else hours.sessions[-1][1]
    return Due((_midnight(day) + ends).astimezone(UTC), provisional)


def _sessions(day: date, calendar: Workdays, hours: WorkHours) -> list[tuple[datetime, datetime]]:
    if not (hours.every_day or calendar.is_workday(day)):
        return []
    return [(_midnight(day) + opens, _midnight(day) + closes) for opens, closes in hours.sessions]


def _days_from(day: date) -> Iterable[date]:
    return (day + DAY * n for n in range(LONGEST_DAYS))


def _day(moment: datetime) -> date:
    """The legal day: the Beijing date (domain.md 17.1)."""
    return moment.astimezone(BEIJING).date()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=BEIJING)


def _whole(amount: float) -> int:
    if amount != int(amount):
        raise ValueError(f"no whole number of days: {amount!r}")
    return int(amount)
