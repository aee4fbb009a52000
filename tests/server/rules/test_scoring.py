"""Scores: full points less what failed, never below nothing, and nothing claimed of what was not looked at."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rules.scoring import score

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "checklists.json"


def checklist(*items, full_points=100):
    return {"full_points": full_points, "items": [
        {"id": f"i{number}", "points": points, "answer": kind} | rest
        for number, (kind, points, rest) in enumerate(items, start=1)]}


def answers(*values):
    return {f"i{number}": {"value": value} for number, value in enumerate(values, start=1)}


DAILY = checklist(("pass_fail", 60, {}), ("pass_fail", 30, {}), ("pass_fail", 10, {}))


@pytest.mark.parametrize(("given_answers", "points"), [
    (answers("pass", "pass", "pass"), 100),
    (answers("pass", "fail", "pass"), 70),
    (answers("fail", "fail", "fail"), 0),
    (answers(True, False, "na"), 70),
])
def test_failed_items_lose_their_points(given_answers, points):
    assert score(DAILY, given_answers).points == points


def test_a_score_never_falls_below_nothing():
    assert score({**DAILY, "full_points": 50}, answers("fail", "fail", "pass")).points == 0


def test_a_score_says_why():
    result = score(DAILY, answers("pass", "fail"))
    assert result.deductions == {"i2": 30}
    assert result.unanswered == ("i3",)
    assert result.passed


def test_points_are_exact_decimals():
    tenths = checklist(*[("pass_fail", 0.1, {})] * 3, full_points=0.3)
    assert score(tenths, answers("fail", "fail", "fail")).points == Decimal(0)
    assert score(tenths, answers("fail", "pass", "pass")).points == Decimal("0.2")


def test_one_fatal_fail_fails_the_whole_whatever_is_left():
    case_file = checklist(("pass_fail_fatal", 10, {}), ("pass_fail_fatal", 0, {}), ("pass_fail", 90, {}))
    failed = score(case_file, answers("fail", "fail", "pass"))
    assert (failed.points, failed.fatal, failed.passed) == (90, ("i1", "i2"), False)
    assert score(case_file, answers("pass", "pass", "fail")).passed


def test_a_record_without_full_points_has_no_score():
    assert score(checklist(("text", 0, {}), full_points=0), answers("a house")).points is None


def test_nothing_answered_is_not_full_marks():
    empty = score(DAILY, {})
    assert empty.points is None
    assert empty.unanswered == ("i1", "i2", "i3")


@pytest.mark.parametrize("answer", [
    None, {}, {"value": None}, {"value": "perhaps"}, {"value": 0}, "fail", {"note": "x"}, {"value": ["fail"]},
])
def test_an_answer_that_cannot_be_read_counts_as_none(answer):
    assert score(DAILY, answers("pass") | {"i2": answer}).unanswered == ("i2", "i3")


def test_measures_cost_nothing_until_a_city_sets_thresholds():
    kinds = ("number", "percent", "date", "text", "choice", "photo")
    measured = checklist(*[(kind, 10, {}) for kind in kinds])
    result = score(measured, answers(7, 99.5, "2026-11-22", "x", "y", "z"))
    assert (result.points, result.unanswered) == (100, ())
    assert score(measured, answers("7", None, "", None, None)).unanswered == tuple(f"i{n}" for n in range(1, 7))


@pytest.mark.parametrize(("value", "points"), [(5, 100), (5.1, 96), (10, 96), (11, 92), (1e6, 92)])
def test_the_heaviest_crossed_threshold_counts(value, points):
    thresholds = [{"above": 5, "deduct": 4}, {"above": 10, "deduct": 8}]
    assert score(checklist(("number", 16, {"thresholds": thresholds})), answers(value)).points == points


def test_a_threshold_takes_no_more_than_its_item_has():
    thresholds = [{"below": 100, "deduct": 50}]
    assert score(checklist(("percent", 17, {"thresholds": thresholds})), answers(99)).points == 83


def test_answers_to_other_checklists_are_passed_over():
    assert score(DAILY, answers("pass", "pass", "pass") | {"x9": {"value": "fail"}}).points == 100


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(["pass", "fail", "na", None]))))
def test_a_score_lies_between_nothing_and_full(lines):
    made = checklist(*[("pass_fail", points, {}) for points, _ in lines])
    result = score(made, answers(*[value for _, value in lines]))
    lost = sum(points for points, value in lines if value == "fail")
    assert result.points == (max(0, 100 - lost) if any(value for _, value in lines) else None)


@pytest.mark.skipif(not SHARED.exists(), reason="shared/data is not beside the repository")
def test_each_starter_checklist_scores_full_marks_when_all_is_well():
    for starter in json.loads(SHARED.read_text())["checklists"]:
        sound = {"pass_fail": "pass", "pass_fail_fatal": "pass", "number": 0, "percent": 100}
        result = score(starter, {line["id"]: {"value": sound.get(line["answer"], "x")} for line in starter["items"]})
        assert result.points == (starter["full_points"] or None)
        assert result.unanswered == ()
