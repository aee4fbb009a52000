"""What a record type says of values that it does not take."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.problems import Problem
from schemas.records import RECORD_TYPES

LONG = "k" * 201
FAR = {"lon": 999, "lat": 31.8, "crs": "EPSG:4326"}


@pytest.mark.parametrize(("type", "values", "errors"), [
    ("inspection", {"answers": {"z": 5, "y": "s"}},
     {"answers.z": ["Not a valid mapping type."], "answers.y": ["Not a valid mapping type."]}),
    ("inspection", {"answers": {"value": {LONG[:41]: 1}}},
     {f"answers.value.{LONG[:41]}": ["Longer than maximum length 40."]}),
    ("inspection", {"answers": {"key": {}, LONG: 5}}, {f"answers.{LONG}": ["Longer than maximum length 200."]}),
    ("inspection", {"answers": 5, "officers": [7]},
     {"answers": ["Not a valid mapping type."], "officers": ["0: not a text of at most 200 characters"]}),
    ("track", {"points": [{"id": "a"}, {"id": "b", "crs": "EPSG:4326", **FAR}]},
     {"points.1": ["lon and lat must be degrees"]}),
    ("finding", {"class_code": 5, "position": FAR},
     {"class_code": ["Not a valid string."], "position": ["lon and lat must be degrees"]}),
])
def test_each_fault_is_told_by_the_path_of_its_field(type: str, values: dict[str, Any],
                                                     errors: dict[str, list[str]]) -> None:
    with pytest.raises(Problem) as refusal:
        RECORD_TYPES[type].load(values)
    problem = refusal.value
    assert (problem.code, problem.errors) == ("field_invalid", errors)
    assert problem.detail == "; ".join(f"{path}: {texts[0]}" for path, texts in errors.items())


def test_a_fault_with_a_code_of_its_own_keeps_it_inside_a_list() -> None:
    with pytest.raises(Problem) as refusal:
        RECORD_TYPES["track"].load({"points": [{"id": "a", "crs": "nowhere"}]})
    assert refusal.value.code == "crs_unknown"
    assert list(refusal.value.errors or ()) == ["points.0"]
