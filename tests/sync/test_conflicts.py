"""Conflict records, and conflicts of a writer with himself: there are none."""

from __future__ import annotations

import pytest

from tests.sync.desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_value_that_was_not_there_or_was_cleared_is_null_in_the_conflict(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding())
    desk.push(one, desk.edit(made["record_id"], 1, set={"condition": "a"}))
    desk.push(other, desk.edit(made["record_id"], 1, set={"condition": "b"}))
    [conflict] = desk.conflicts(made["record_id"])
    assert (conflict["base"], conflict["theirs"], conflict["mine"]) == (None, "a", "b")
    desk.push(other, desk.edit(made["record_id"], 1, set={"condition": None}))
    [conflict] = desk.conflicts(made["record_id"])
    assert (conflict["base"], conflict["theirs"], conflict["mine"]) == (None, "a", None)


def test_who_comes_round_to_the_others_value_conflicts_no_more(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding(text="a"))
    desk.push(one, desk.edit(made["record_id"], 1, set={"text": "b"}))
    desk.push(other, *(desk.edit(made["record_id"], 1, set={"text": text}) for text in "cb"))
    [conflict] = desk.conflicts(made["record_id"])
    assert (conflict["state"], conflict["theirs"], conflict["mine"]) == ("resolved", "b", "b")
    desk.push(other, desk.edit(made["record_id"], 1, set={"text": "d"}))
    [conflict] = desk.conflicts(made["record_id"])
    assert (conflict["state"], conflict["theirs"], conflict["mine"]) == ("open", "b", "d")
    assert "resolution" not in conflict


def test_after_a_settlement_nobody_conflicts_with_himself(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding(text="a"))
    desk.push(one, desk.edit(made["record_id"], 1, set={"text": "b"}))
    [outcome] = desk.push(other, desk.edit(made["record_id"], 1, set={"text": "c"}))
    desk.push(one, {"type": "conflict", "record_id": outcome["conflicts"][0], "op": "command", "base": 1,
                    "command": {"name": "resolve", "args": {"choice": "mine"}}})
    [outcome] = desk.push(other, desk.edit(made["record_id"], 1, set={"text": "d"}))
    assert (outcome["outcome"], len(desk.conflicts(made["record_id"]))) == ("merged", 1)
    assert desk.record(made["record_id"]).fields["text"] == "d"
