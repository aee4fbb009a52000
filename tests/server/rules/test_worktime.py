"""Working time against the computed vectors of 2026 and its own laws."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.reference import hours, workdays
from server.reference.calendar import WorkHours
from server.rules.worktime import due_at, last_day, resumed, working_time

BEIJING = timezone(timedelta(hours=8))
CALENDAR, HOURS = workdays(), hours()
ALL_YEAR = WorkHours(((timedelta(hours=7), timedelta(hours=21)),), every_day=True)
TO_MIDNIGHT = WorkHours(HOURS.sessions, day_ends="24:00")


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def due(start, amount, unit, of=HOURS, pauses=()):
    return due_at(at(start), amount, unit, CALENDAR, of, pauses)


@pytest.mark.parametrize(
    ("start", "amount", "end"),
    [
        ("2026-09-18 16:30", 4, "2026-09-20 11:30"),
        ("2026-09-24 17:00", 2, "2026-09-28 10:00"),
        ("2026-09-30 15:00", 4, "2026-10-08 10:00"),
        ("2026-02-13 16:00", 4, "2026-02-14 11:00"),
        ("2026-11-20 12:30", 2, "2026-11-20 15:30"),
        ("2026-11-21 10:00", 4, "2026-11-23 14:00"),
        ("2026-11-20 08:30", 3.5, "2026-11-20 12:00"),
    ],
)
def test_working_hours_run_inside_the_hours_of_working_days(start, amount, end):
    found = due(start, amount, "working_hour")
    assert (found.at, found.provisional) == (at(end), False)
    assert found.at.tzinfo is UTC


@pytest.mark.parametrize(
    ("start", "amount", "end"),
    [
        ("2026-09-30 09:00", 3, "2026-10-10"),
        ("2026-09-30 23:59", 3, "2026-10-10"),
        ("2026-02-13 12:00", 2, "2026-02-24"),
        ("2026-04-03 12:00", 1, "2026-04-07"),
    ],
)
def test_working_days_leave_out_the_first_day(start, amount, end):
    assert due(start, amount, "working_day").at == at(f"{end} 17:30")
    assert due(start, amount, "working_day", TO_MIDNIGHT).at == at(f"{end} 00:00") + timedelta(days=1)


def test_beyond_the_loaded_calendar_a_due_date_is_provisional_and_no_new_year():
    found = due("2026-12-31 10:00", 1, "working_day")
    assert found.provisional and found.at == at("2027-01-04 17:30")
    assert due("2026-12-31 17:00", 1, "working_hour").provisional
    assert not due("2026-12-31 10:00", 1, "working_hour").provisional
    assert not due("2026-12-31 10:00", 48, "hour").provisional


def test_emergencies_run_on_the_wall_clock():
    assert due("2026-10-01 23:30", 1, "hour").at == at("2026-10-02 00:30")


def test_a_city_that_runs_all_year_counts_rest_days():
    assert due("2026-10-01 20:00", 2, "working_hour", ALL_YEAR).at == at("2026-10-02 08:00")
    assert due("2026-10-01 20:00", 2, "working_day", ALL_YEAR).at == at("2026-10-03 21:00")


@pytest.mark.parametrize(
    ("first", "amount", "unit", "rolls", "last"),
    [
        ("2026-09-23", 5, "working_day", False, "2026-10-08"),
        ("2026-09-23", 7, "working_day", False, "2026-10-10"),
        ("2026-09-23", 90, "calendar_day", False, "2026-12-22"),
        ("2026-09-16", 15, "calendar_day", True, "2026-10-08"),
        ("2026-09-30", 2, "working_day", False, "2026-10-09"),
    ],
)
def test_penalty_timers_end_as_computed(first, amount, unit, rolls, last):
    found = last_day(date.fromisoformat(first), amount, unit, CALENDAR, rolls=rolls)
    assert found == (date.fromisoformat(last), False)


def test_the_day_is_that_of_beijing():
    assert due_at(datetime(2026, 4, 2, 17, tzinfo=UTC), 1, "working_day", CALENDAR, HOURS).at == at("2026-04-07 17:30")


def test_a_pause_moves_what_was_left():
    start = "2026-11-16 09:00"
    paused = [(at("2026-11-16 10:00"), at("2026-11-18 15:00"))]
    assert due(start, 4, "working_hour", pauses=paused).at == at("2026-11-19 09:00")
    assert due(start, 3, "working_day", pauses=paused).at == at("2026-11-23 17:30")
    assert due(start, 4, "hour", pauses=paused).at == at("2026-11-18 18:00")


def test_a_pause_after_the_end_moves_nothing():
    paused = [(at("2026-11-17 10:00"), at("2026-11-18 15:00"))]
    assert due("2026-11-16 09:00", 1, "working_hour", pauses=paused).at == at("2026-11-16 10:00")


def test_what_was_overdue_at_the_pause_stays_as_late():
    moved = resumed(
        at("2026-11-16 10:00"), at("2026-11-16 12:00"), at("2026-11-20 12:00"), "working_hour", CALENDAR, HOURS
    )
    assert moved.at == at("2026-11-20 10:00")


def test_a_limit_of_days_paused_on_its_last_day_ends_on_the_day_of_resumption():
    moved = resumed(
        at("2026-11-16 17:30"), at("2026-11-16 12:00"), at("2026-11-21 12:00"), "working_day", CALENDAR, HOURS
    )
    assert moved.at == at("2026-11-23 17:30")  # the 21st is a Saturday


@pytest.mark.parametrize(("amount", "unit"), [(1, "week"), (-1, "hour"), (1e9, "working_day"), (0.5, "working_day")])
def test_senseless_limits_are_refused(amount, unit):
    with pytest.raises(ValueError, match="no "):
        due("2026-11-16 09:00", amount, unit)


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 10, 1)).map(lambda one: one.replace(tzinfo=BEIJING))


@given(MOMENTS, st.integers(0, 100))
def test_the_working_time_until_a_due_time_is_the_limit(start, amount):
    found = due_at(start, amount, "working_hour", CALENDAR, HOURS)
    assert working_time(start, found.at, CALENDAR, HOURS) == (timedelta(hours=amount), False)


@given(MOMENTS, st.sampled_from(["working_hour", "working_day", "calendar_day", "hour"]), st.integers(0, 30))
def test_a_longer_limit_never_ends_earlier(start, unit, amount):
    assert due_at(start, amount, unit, CALENDAR, HOURS).at <= due_at(start, amount + 1, unit, CALENDAR, HOURS).at


@given(MOMENTS, st.sampled_from(["working_hour", "working_day", "hour"]), st.integers(1, 20), st.integers(0, 20))
def test_a_pause_of_no_length_moves_nothing(start, unit, amount, later):
    plain = due_at(start, amount, unit, CALENDAR, HOURS)
    moment = start + timedelta(hours=later)
    assert due_at(start, amount, unit, CALENDAR, HOURS, [(moment, moment)]).at == plain.at
