"""What the profiles show, by the table of the installation and by tables made for a test."""

import pytest

from schemas.records import RECORD_TYPES
from schemas.reviews import PROFILES
from server.reference import table
from server.rules.disclosure import Disclosure

FINDING = {"text": "电话13812345678", "class_code": "0504", "zone": {"zone_id": "z", "candidates": [{"party": "王某"}]},
           "position": {"lon": 119.95}, "odd": "unknown to us"}


def shown(profile, record_type, fields):
    return Disclosure(table("disclosure"), profile).show(record_type, fields)


def test_a_court_sees_everything():
    seen = shown("court", "finding", FINDING)
    assert (seen.fields, seen.withheld) == (FINDING, ())


def test_a_party_sees_masked_numbers_and_no_neighbours():
    seen = shown("party", "finding", FINDING)
    assert seen.fields == FINDING | {"text": "电话138****5678", "zone": {"zone_id": "z"}}
    assert seen.withheld == ("text", "zone.candidates")


def test_the_public_sees_only_what_is_named():
    seen = shown("public", "finding", FINDING)
    assert seen.fields == {"class_code": "0504"}
    assert seen.withheld == ("odd", "position", "text", "zone")


def test_a_part_of_each_member_of_a_list_is_withheld():
    seen = shown("public", "evidence", {"flags": [{"code": "late", "detail": {"lon": 1}}, {"code": "unsigned"}]})
    assert seen.fields == {"flags": [{"code": "late"}, {"code": "unsigned"}]}
    assert seen.withheld == ("flags.detail",)


@pytest.mark.parametrize(("unit", "change", "expected"), [
    ("class_code", {"from": None, "to": "0504"}, {"from": None, "to": "0504"}),
    ("text", {"from": None, "to": "secret"}, None),
    ("text", {"from": "secret", "to": None}, None),
    ("position", {"from": None, "to": {"lon": 1}}, None),
    ("@scope", {"from": "3204", "to": "3205"}, {"from": "3204", "to": "3205"}),
    ("deleted", {"from": False, "to": True}, {"from": False, "to": True}),
    ("tags.夜间", {"from": None, "to": "夜间"}, None),
    ("classification", {"from": {"class_code": "0504", "severity": None}, "to": {"class_code": "0505"}},
     {"from": {"class_code": "0504", "severity": None}, "to": {"class_code": "0505"}}),
])
def test_changes_are_shown_as_fields_are(unit, change, expected):
    seen = Disclosure(table("disclosure"), "public").show_changes("finding", {unit: change})
    assert seen.fields == ({unit: expected} if expected else {})
    assert seen.withheld == (() if expected else (unit,))


def test_a_masked_change_is_shown_and_named():
    seen = Disclosure(table("disclosure"), "party").show_changes("inspection", {
        "answers.1": {"from": None, "to": {"value": "fail", "note": "13812345678"}}})
    assert seen.fields == {"answers.1": {"from": None, "to": {"value": "fail", "note": "138****5678"}}}
    assert seen.withheld == ("answers.1",)


def test_the_table_names_only_profiles_types_and_fields_that_exist():
    besides = {"*", "history", "person", "device"}
    for row in table("disclosure"):
        assert row["profile"] in PROFILES
        assert row["treatment"] in ("shown", "masked", "withheld")
        assert row["source"] and row["confidence"] in ("H", "H-", "M", "L")
        assert row["type"] in RECORD_TYPES or row["type"] in besides
        if row["type"] not in besides:
            assert row["field"].partition(".")[0] in RECORD_TYPES[row["type"]].fields


def test_each_profile_says_what_holds_of_fields_that_no_row_names():
    assert {row["profile"] for row in table("disclosure") if (row["type"], row["field"]) == ("*", "*")} == set(PROFILES)
