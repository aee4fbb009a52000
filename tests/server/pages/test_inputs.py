"""Which input a third value gets, and how what was typed is read."""

from __future__ import annotations

import pytest
from flask import Flask

from schemas.problems import Problem
from server.pages.inputs import Input, input_of, typed


def asked(unit: str, *values: object, record_type: str = "finding", kind: str = "value") -> Input | None:
    with Flask("inputs").test_request_context():
        return input_of(record_type, unit, kind, values, ("320412",))


@pytest.mark.parametrize(("unit", "values", "kind"), [
    ("text", ("甲", "乙"), "text"), ("text", ("甲", "乙" * 61), "long"), ("text", (None, None), "text"),
    ("source", ("patrol", "video"), "choice"), ("self_handled", (True, False), "flag"),
    ("observed_at", ("2026-11-22T01:00:00.000Z", "2026-11-22T02:00:00.000Z"), "time"),
    ("position", ({"lon": 1}, {"lon": 2}), "json"), ("classification", ({}, {}), "json"),
    ("of_a_newer_form", (1, 2.5), "number"), ("of_a_newer_form", ("a", None), "text"),
    ("of_a_newer_form", (True, None), "flag"), ("of_a_newer_form", (1, "a"), "json"),
    ("of_a_newer_form", (None, None), "json"),
])
def test_each_kind_of_value_has_its_input(unit: str, values: tuple[object, ...], kind: str) -> None:
    found = asked(unit, *values)
    assert found is not None and found.kind == kind


def test_an_answer_of_a_map_is_json() -> None:
    found = asked("answers.item-1", {"value": "pass"}, {"value": "fail"}, record_type="inspection")
    assert found is not None and (found.kind, found.draft) == ("json", '{"value":"fail"}')


@pytest.mark.parametrize("kind", ["deletion", "command"])
def test_a_deletion_and_a_command_have_no_third_value(kind: str) -> None:
    assert asked("deleted", True, {"text": "x"}, kind=kind) is None


def test_a_move_is_chosen_from_the_divisions_one_works_in() -> None:
    found = asked("scope", "320412100", "320412102", kind="scope")
    assert found is not None and "320412102" in [value for value, _ in found.choices]


@pytest.mark.parametrize(("kind", "text", "value"), [
    ("text", " 甲 ", "甲"), ("number", "7", 7), ("number", "2.5", 2.5), ("flag", "true", True),
    ("flag", "false", False), ("json", '{"a": 1}', {"a": 1}), ("text", "  ", None), ("choice", "video", "video")])
def test_what_was_typed_is_read_by_its_kind(kind: str, text: str, value: object) -> None:
    assert typed(Input(kind, ""), text) == value


@pytest.mark.parametrize(("kind", "text"), [("json", "{"), ("number", "seven"), ("number", "1e999"), ("number", "nan")])
def test_what_cannot_be_read_is_refused(kind: str, text: str) -> None:
    with pytest.raises(Problem, match="choice_invalid"):
        typed(Input(kind, ""), text)
