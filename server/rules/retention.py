"""How long a record is kept (保管期限), by `server/reference/retention.csv`: its class, from when, until when and why.

Pure. A period begins with the end of the case (`end`) or the receipt of the record (`receipt`), on a day of the city
(UTC+8) that does not count itself; it is over with the end of its last day (the way of 民法典 art. 201-204). Nothing
runs for what is open, permanent, or in no row of the table: that is kept.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from schemas.values import parse_time, stamp
from server.reference import table, valid_on
from server.rules.holds import is_open
from server.rules.worktime import BEIJING

MONTHS = {"month": 1, "year": 12}
FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC) for year in (1900, 9000))
"""Between these all records were received, and dates can be reckoned with."""


@dataclass(frozen=True)
class Subject:
    """A record of which the period is asked: when it was received, and when deleted, if it was."""

    type: str
    scope: str
    fields: Mapping[str, Any]
    received_at: str
    deleted_at: str | None = None


class Retention(NamedTuple):
    """The class, the time from which its period runs and the time at which it is over; `why` is `runs`, or why none
    does: `open`, `permanent`, `unlisted`, `longer` (something that is about the record keeps it)."""

    name: str | None
    runs_from: str | None
    until: str | None
    why: str

    @property
    def last_day(self) -> str | None:
        """The last day of the period in the city, ISO 8601."""
        return self.until and (parse_time(self.until).astimezone(BEIJING) - timedelta(days=1)).date().isoformat()

    def is_over(self, at: str) -> bool:
        """Is the period over at this time?"""
        return self.until is not None and self.until <= at


def retention_of(subject: Subject, on: date) -> Retention:
    """By the rows that hold on this day."""
    row = _row(subject, on)
    if row is None:
        return Retention(None, None, None, "unlisted")
    if row["unit"] == "permanent":
        return Retention(row["class"], None, None, "permanent")
    runs_from = _end(subject) if row["runs_from"] == "end" else subject.received_at
    if runs_from is None:
        return Retention(row["class"], None, None, "open")
    return Retention(row["class"], runs_from, _over(runs_from, int(row["amount"]) * MONTHS[row["unit"]]), "runs")


def longest(kept: Iterable[Retention]) -> Retention | None:
    """The one that keeps longest: what has no end before what has."""
    return max(kept, key=lambda one: (one.until is None, one.until or ""), default=None)


def shortest_months() -> dict[str, int]:
    """By type the shortest period of its classes in months: before it, none of its records is over."""
    found: dict[str, int] = {}
    for row in table("retention"):
        if row["unit"] != "permanent":
            months = int(row["amount"]) * MONTHS[row["unit"]]
            found[row["type"]] = min(found.get(row["type"], months), months)
    return found


def latest_receipt(over_at: datetime, months: int) -> str:
    """A time before which every record was received whose period of so many months is over then; by months of unequal
    length it is a few days late, never early."""
    over_at = min(max(over_at, FIRST), LAST)
    day = _months_on(over_at.astimezone(BEIJING).date(), -months) + timedelta(days=4)
    return stamp(datetime.combine(day, time(), BEIJING))


def _row(subject: Subject, on: date) -> Mapping[str, str] | None:
    """The first row of its type that fits, those of the nearest city first."""
    fitting = [row for row in valid_on(table("retention"), on) if row["type"] == subject.type
               and subject.scope.startswith(row["city"]) and _fits(row["when"], subject.fields)]
    return max(fitting, key=lambda row: len(row["city"]), default=None)


def _fits(when: str, fields: Mapping[str, Any]) -> bool:
    return all(str(fields.get(name)) in values.split("|")
               for name, _, values in (one.partition("=") for one in when.split()))


def _end(subject: Subject) -> str | None:
    """When the case was over; None while it is not. A time that the server itself wrote."""
    if subject.deleted_at is not None:
        return subject.deleted_at
    if is_open(subject.type, subject.fields.get("status")):
        return None
    said = subject.fields.get("handling") if subject.type == "finding" else subject.fields.get("conclusion")
    ended = said.get("status_at" if subject.type == "finding" else "at") if isinstance(said, Mapping) else None
    return ended if isinstance(ended, str) else None


def _over(runs_from: str, months: int) -> str:
    day = parse_time(runs_from).astimezone(BEIJING).date()
    return stamp(datetime.combine(_months_on(day, months) + timedelta(days=1), time(), BEIJING))


def _months_on(day: date, months: int) -> date:
    """The same day so many months on; the month's last where it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
