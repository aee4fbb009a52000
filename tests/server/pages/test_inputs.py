"""Which input a third value gets, and how what was typed is read."""

from __future__ import annotations

import pytest
from flask import Flask

from schemas.problems import Problem
from server.pages.inputs import Input, input_of, typed
from tests.wire import EVENT


def asked(unit: str, *values: object, record_type: str = "finding", kind: str = "value") -> Input | None:
    with Flask("inputs").test_request_context():
        return input_of(record_type, unit, kind, values, ("320412",))


HERE = {"lon": 119.95, "lat": 31.81, "crs": "EPSG:4326", "accuracy_m": 3.0}
THERE = {"lon": 119.96, "lat": 31.82, "crs": "GCJ-02"}
STALL = {"class_scheme": EVENT, "class_code": "0504", "severity": 2}
LATE = "2026-11-26T18:59:47.496Z"


@pytest.mark.parametrize(("unit", "values", "kind"), [
    ("text", ("甲", "乙"), "text"), ("text", ("甲", "乙" * 61), "long"), ("text", ("甲", "乙\n丙"), "long"),
    ("text", (None, None), "text"), ("source", ("patrol", "video"), "choice"), ("self_handled", (True, False), "flag"),
    ("observed_at", ("2026-11-22T01:00:00.000Z", LATE), "time"), ("of_a_newer_form", (LATE, None), "time"),
    ("position", (HERE, THERE), "position"), ("of_a_newer_form", (HERE, None), "position"),
    ("position", ({"lon": 1}, {"lon": 2}), "json"), ("classification", (STALL, {}), "class"),
    ("of_a_newer_form", (1, 2.5), "number"), ("of_a_newer_form", ("a", None), "text"),
    ("of_a_newer_form", (True, None), "flag"), ("of_a_newer_form", (1, "a"), "json"),
    ("of_a_newer_form", (None, None), "json"),
])
def test_each_kind_of_value_has_its_input(unit: str, values: tuple[object, ...], kind: str) -> None:
    found = asked(unit, *values)
    assert found is not None and found.kind == kind


def test_an_answer_of_a_map_is_json() -> None:
    found = asked("answers.item-1", {"value": "pass"}, {"value": "fail"}, record_type="inspection")
    assert found is not None and (found.kind, found.draft) == ("json", {"": '{"value":"fail"}'})


@pytest.mark.parametrize("kind", ["deletion", "command"])
def test_a_deletion_and_a_command_have_no_third_value(kind: str) -> None:
    assert asked("deleted", True, {"text": "x"}, kind=kind) is None


def test_a_move_is_chosen_from_the_divisions_one_works_in() -> None:
    found = asked("scope", "320412100", "320412102", kind="scope")
    assert found is not None and "320412102" in [value for value, _ in found.choices]


def read(found: Input | None, **given: str) -> object:
    """What is read of a form that was changed so; `whole` is the part without a name."""
    assert found is not None
    return typed(found, {**found.draft, **{part.removeprefix("whole"): text for part, text in given.items()}})


@pytest.mark.parametrize(("kind", "text", "value"), [
    ("text", " 甲 ", "甲"), ("long", "甲\r\n乙", "甲\n乙"), ("number", "7", 7), ("number", "2.5", 2.5),
    ("flag", "true", True), ("flag", "false", False), ("json", '{"a": 1}', {"a": 1}), ("choice", "video", "video"),
    ("day", "2026-11-22", "2026-11-22")])
def test_what_was_typed_is_read_by_its_kind(kind: str, text: str, value: object) -> None:
    assert read(Input(kind, None, {"": ""}), whole=text) == value


@pytest.mark.parametrize(("kind", "text"), [
    ("json", "{"), ("number", "seven"), ("number", "1e999"), ("number", "nan"), ("time", "2026-11-22"),
    ("time", "noon"), ("time", "2026-11-22T01:00:00Z"), ("time", "0001-01-01T00:00:00")])
def test_what_cannot_be_read_is_refused(kind: str, text: str) -> None:
    with pytest.raises(Problem, match="choice_invalid"):
        read(Input(kind, None, {"": ""}), whole=text)


@pytest.mark.parametrize("kind", ["text", "long", "number", "choice", "flag", "time", "day", "json"])
def test_a_blank_is_no_value(kind: str) -> None:
    with pytest.raises(Problem, match="Give the third value"):
        read(Input(kind, "x", {"": "x"}), whole="  ")


def test_a_text_alone_is_left_empty_by_choice() -> None:
    text = asked("text", "甲", "乙")
    assert read(text, empty="1") is None and read(text, whole="", empty="1") is None
    with pytest.raises(Problem, match="left empty"):
        read(text, whole="丙", empty="1")
    with pytest.raises(Problem, match="Give the third value"):
        read(asked("source", "patrol", "video"), whole="", empty="1")


def test_a_time_is_offered_and_read_on_the_clock_of_beijing() -> None:
    time = asked("observed_at", "2026-11-22T01:00:00.000Z", LATE)
    assert time is not None and time.draft == {"": "2026-11-27T02:59:47"}
    assert read(time) == LATE, "what was not changed keeps its milliseconds"
    assert read(time, whole="2026-11-27T08:00") == "2026-11-27T00:00:00.000Z"
    assert read(asked("observed_at", None, "2026-11-27T08:00:00.250+08:00"), whole="2026-11-27T08:00") \
        == "2026-11-27T08:00:00.250+08:00", "a browser leaves out seconds that are none"


def test_a_place_is_two_numbers_in_a_system_that_was_brought() -> None:
    place = asked("position", HERE, THERE)
    assert place is not None and [value for value, _ in place.choices] == ["EPSG:4326", "GCJ-02"]
    assert read(place) == THERE
    assert read(place, lon="119.97") == {"lon": 119.97, "lat": 31.82, "crs": "GCJ-02"}
    for broken in ("", "east"):
        with pytest.raises(Problem, match="choice_invalid"):
            read(place, lon=broken)


def test_a_class_is_chosen_from_the_list_and_keeps_its_severity() -> None:
    found = asked("classification", {**STALL, "class_code": "9999"}, STALL)
    assert found is not None
    keys = [value for value, _ in found.choices]
    assert keys[0] == f"{EVENT}|9999" and f"{EVENT}|0101" in keys, "one that was brought need not be listed"
    assert read(found, whole=f"{EVENT}|0101") == {**STALL, "class_code": "0101"}
    assert read(found, severity="重") == {**STALL, "severity": "重"}
    assert read(found, severity="") == {**STALL, "severity": None}


def test_an_offence_is_chosen_from_the_list() -> None:
    found = asked("offence_code", "PDS-01", "OWN-7", record_type="enforcement")
    assert found is not None and found.kind == "choice"
    assert {"PDS-01", "PDS-02", "OWN-7"} <= {value for value, _ in found.choices}
