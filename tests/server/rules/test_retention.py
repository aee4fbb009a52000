"""How long records are kept, by class, from the end of the case or the receipt."""

from datetime import UTC, date, datetime

import pytest

from schemas.records import RECORD_TYPES
from server.reference import table
from server.rules.retention import Retention, Subject, latest_receipt, longest, retention_of
from server.trade.statuses import statuses

ON = date(2026, 11, 27)
RECEIVED = "2026-03-31T15:00:00.000Z"  # 23:00 of the same day in the city
LATE = "2026-03-31T16:30:00.000Z"  # half past midnight of the next


def kept(type_, *, deleted_at=None, received_at=RECEIVED, scope="320412100", **fields):
    return retention_of(Subject(type_, scope, fields, received_at, deleted_at), ON)


@pytest.mark.parametrize(("fields", "expected"), [
    ({"status": "closed", "handling": {"status_at": RECEIVED}}, ("case", RECEIVED, "2036-03-31T16:00:00.000Z", "runs")),
    ({"status": "closed", "handling": {"status_at": LATE}}, ("case", LATE, "2036-04-01T16:00:00.000Z", "runs")),
    ({"status": "cancelled", "handling": {"status_at": RECEIVED}},
     ("unfiled", RECEIVED, "2031-03-31T16:00:00.000Z", "runs")),
    ({"status": "checking", "handling": {"status_at": RECEIVED}}, ("case", None, None, "open")),
    ({"status": "brand_new"}, ("case", None, None, "open"))])
def test_a_finding_is_kept_from_the_day_after_its_end(fields, expected):
    assert kept("finding", **fields) == expected


@pytest.mark.parametrize(("kind", "name", "year"), [
    ("persuade", "persuasion", 2031), ("simple_penalty", "penalty", 2036), ("order_now", "order", 2036),
    ("record", "enforcement", 2056)])
def test_an_enforcement_record_is_kept_by_its_kind_once_it_is_concluded(kind, name, year):
    assert kept("enforcement", kind=kind, status="issued") == (name, None, None, "open")
    concluded = kept("enforcement", kind=kind, status="concluded", conclusion={"state": "concluded", "at": RECEIVED})
    assert concluded == (name, RECEIVED, f"{year}-03-31T16:00:00.000Z", "runs")


def test_months_end_where_their_month_does_and_a_deletion_is_an_end():
    received = "2026-08-31T02:00:00.000Z"
    assert kept("track", received_at=received).until == "2027-02-28T16:00:00.000Z"
    assert kept("finding", status="reported", deleted_at=RECEIVED).runs_from == RECEIVED


def test_what_has_no_row_or_no_end_is_kept():
    assert kept("party") == (None, None, None, "unlisted")
    assert kept("zone") == ("zone_register", None, None, "permanent")
    assert not kept("party").is_over("9999-01-01T00:00:00.000Z")


def test_a_period_is_over_with_its_last_day():
    runs = kept("inspection")
    assert runs.last_day == "2031-03-31" and kept("party").last_day is None
    assert not runs.is_over("2031-03-31T15:59:59.999Z") and runs.is_over("2031-03-31T16:00:00.000Z")


def test_the_longest_counts_and_nothing_outlasts_what_has_no_end():
    short, long, open_ = (Retention("a", RECEIVED, until, "runs") for until in ("2030", "2040", None))
    assert longest([short, long]) == long and longest([long, open_, short]) == open_ and longest([]) is None


@pytest.mark.parametrize("received", [f"2{day}T12:00:00.000Z" for day in ("026-01-31", "024-02-29", "026-05-31")])
@pytest.mark.parametrize("type_", ["track", "inspection"])
def test_what_a_query_leaves_out_is_not_over(type_, received):
    until = kept(type_, received_at=received).until
    months = {"track": 6, "inspection": 60}[type_]
    assert received < latest_receipt(datetime.fromisoformat(until).astimezone(UTC), months)


@pytest.mark.parametrize("months", [6, 12 * 100])
def test_any_time_can_be_asked_about(months):
    first, last = (datetime.fromisoformat(at) for at in ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999+00:00"))
    assert latest_receipt(first, months) < RECEIVED < latest_receipt(last, months)


def test_the_table_names_types_fields_states_and_units_that_there_are():
    for row in table("retention"):
        assert row["unit"] in ("month", "year", "permanent") and row["runs_from"] in ("end", "receipt")
        assert row["confidence"] == "L" and row["source"]
        for one in row["when"].split():
            name, _, values = one.partition("=")
            assert name in RECORD_TYPES[row["type"]].fields
            assert name != "status" or set(values.split("|")) <= statuses()[row["type"]]
