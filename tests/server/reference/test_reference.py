"""Reference data: complete, sourced, and read as the trade means it."""

from datetime import date

import pytest

from server import reference
from server.reference.files import FOLDER, document, table, valid_on

CSV_FILES = sorted(path.stem for path in FOLDER.glob("*.csv"))
JSON_FILES = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", CSV_FILES)
def test_every_row_names_its_source_confidence_and_validity(name):
    for row in table(name):
        assert row["source"], row
        assert row["confidence"] in {"H", "H-", "M", "L"}, row
        assert {"valid_from", "valid_to"} <= row.keys()
        assert None not in row and None not in row.values(), row


@pytest.mark.parametrize("name", JSON_FILES)
def test_every_document_names_its_source_and_confidence(name):
    whole = document(name)
    for part in whole.get("checklists") or [whole.get("properties", whole)]:
        assert part["source"] and part["confidence"] and {"valid_from", "valid_to"} <= part.keys()


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("divisions", 316),
        ("classes", 133),
        ("class_conditions", 82),
        ("workdays", 3287),
        ("states", 39),
        ("timers", 35),
        ("offences", 37),
        ("forms", 40),
        ("indicators", 25),
    ],
)
def test_no_row_is_missing(name, rows):
    assert len(table(name)) == rows


@pytest.mark.parametrize(
    "code", ["32", "3204", "320412", "320412100", "320412100999", "320405", "320412777", "360302001"]
)
def test_listed_codes_and_codes_under_a_listed_county_are_scopes(code):
    assert reference.known_scope(code)


@pytest.mark.parametrize(
    "code",
    ["", "9", "99", "3299", "329999001", "32041", "3204121x", "３２０４", None, 3204, "320412" + "1" * 99],
)
def test_other_codes_are_no_scopes(code):
    assert not reference.known_scope(code)


def test_a_class_is_known_by_scheme_kind_and_four_digits():
    assert reference.class_known("GB/T 30428.2-2013:event", "0504")
    assert reference.class_known("menqian-example-1:event", "2101")
    assert reference.classes()["GB/T 30428.2-2013:event", "0102"].name != (
        reference.classes()["GB/T 30428.2-2013:component", "0102"].name
    )
    for scheme, code in [("GB/T 30428.2-2013:event", "05"), ("GB/T 30428.2-2013", "0504"), (None, None), ({}, [])]:
        assert not reference.class_known(scheme, code)


def test_one_class_can_have_several_conditions_with_several_limits():
    found = reference.conditions("GB/T 30428.2-2013:event", "0101", of_set="city-x")
    assert [(one.limit.amount, one.limit.unit) for one in found] == [
        (4, "working_hour"),
        (7, "working_day"),
        (20, "working_day"),
    ]
    assert reference.condition("GB/T 30428.2-2013:event", "0504", "d1").closing
    assert reference.condition("GB/T 30428.2-2013:event", "0504", "none such") is None


def test_every_condition_belongs_to_a_known_class_and_every_hint_too():
    for row in table("class_conditions"):
        assert reference.class_known(row["scheme"], row["code"]), row
    for row in table("offences"):
        assert not row["class_code"] or reference.class_known(row["class_scheme"], row["class_code"]), row
    for checklist in reference.checklists().values():
        for line in checklist["items"]:
            assert "class_code" not in line or reference.class_known(line["class_scheme"], line["class_code"]), line


@pytest.mark.parametrize(("year", "worked"), [(2018, 250), (2020, 249), (2024, 251), (2025, 248), (2026, 248)])
def test_working_days_a_year_agree_with_the_notices(year, worked):
    days = [date(year, 1, 1).fromordinal(date(year, 1, 1).toordinal() + n) for n in range(366)]
    assert sum(reference.workdays().is_workday(day) for day in days if day.year == year) == worked


def test_a_make_up_sunday_is_worked_and_a_rest_day_need_not_be_statutory():
    calendar = reference.workdays()
    assert calendar.is_workday(date(2026, 9, 20))
    assert not calendar.is_workday(date(2026, 2, 15)) and not calendar.is_statutory_holiday(date(2026, 2, 15))
    assert calendar.is_statutory_holiday(date(2026, 10, 1))
    assert not calendar.is_loaded(date(2027, 1, 1)) and not calendar.is_workday(date(2027, 1, 1))


def test_the_states_table_leads_only_to_known_states():
    steps = reference.states().values()
    assert {step.next_state for step in steps} == {step.state for step in steps} - {""}
    commands = {"file", "refuse", "dispatch", "hand_back", "handle", "check_pass", "check_fail", "close", "suspend"}
    commands |= {"resume", "extend", "cancel", "reopen", "choose_zone", "create"}
    assert {step.command for step in steps} == commands


def test_templates_are_known_by_id_and_version():
    assert len(reference.checklists()) == 14
    assert reference.template_known("zone-daily", 1)
    for id, version in [("zone-daily", 2), ("zone-daily", "1"), ("zone-daily", True), (None, 1), ([], {})]:
        assert not reference.template_known(id, version)


def test_amounts_and_limits_are_numbers():
    assert all(offence.min <= offence.max for offence in reference.offences().values() if offence.min and offence.max)
    assert reference.timers()["simple_fine_citizen"]["amount"] == "200"
    assert reference.rights()["zones_import"] == {"admin"}
    assert len(reference.forms()) == 40 and len(reference.indicators()) == 25


def test_rows_hold_only_between_their_bounds():
    rows = [{"valid_from": "2020-01-01", "valid_to": ""}, {"valid_from": "", "valid_to": "2019-12-31"}]
    assert valid_on(rows, date(2019, 12, 31)) == rows[1:]
    assert valid_on(rows, date(2020, 1, 1)) == rows[:1]
    assert valid_on(rows, None) == rows
