"""Groups whose members refer to one another, in whatever order they were made."""

from __future__ import annotations

import pytest

from tests.sync.desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def evidence(desk, about, **parts):
    return {"type": "evidence", "record_id": desk.uuid(), "op": "put", "base": 0, "scope": "320412100", "set": {
        "sha256": "a" * 64, "bytes": 1, "media_type": "image/jpeg", "role": "scene",
        "about": {"type": "finding", "id": about}, "captured_at": "2026-11-22T00:30:00.000Z"}, **parts}


def grouped(desk, *mutations):
    group = desk.uuid()
    return [{**mutation, "group": group} for mutation in mutations]


def test_a_member_may_refer_to_a_later_one(desk):
    device, finding = desk.device(), desk.finding()
    outcomes = desk.push(device, *grouped(desk, evidence(desk, finding["record_id"]), finding))
    assert [outcome["outcome"] for outcome in outcomes] == ["applied", "applied"]
    assert desk.record(finding["record_id"]).version == 1


def test_an_edit_may_stand_before_its_creation_and_later_edits_stay_later(desk):
    device, finding = desk.device(), desk.finding(text="made")
    edits = [desk.edit(finding["record_id"], 1, set={"text": text}) for text in ("first", "second")]
    outcomes = desk.push(device, *grouped(desk, edits[0], finding, edits[1]))
    assert [outcome["outcome"] for outcome in outcomes] == ["applied"] * 3
    assert desk.record(finding["record_id"]).fields["text"] == "second"


def test_a_group_that_waits_for_another_record_is_applied_wholly_when_that_arrives(desk):
    device, finding, outside = desk.device(), desk.finding(), desk.finding()
    waiting = grouped(desk, evidence(desk, finding["record_id"]), finding, evidence(desk, outside["record_id"]))
    assert [outcome["outcome"] for outcome in desk.push(device, *waiting)] == ["held"] * 3
    assert desk.record(finding["record_id"]) is None
    desk.push(device, outside)
    assert all(desk.record(mutation["record_id"]).version == 1 for mutation in waiting)


def test_members_that_wait_for_one_another_are_held_and_block_nobody(desk):
    device, one, other = desk.device(), desk.uuid(), desk.uuid()
    circle = grouped(desk, desk.finding(one, inspection_id=other),
                     {"type": "inspection", "record_id": other, "op": "put", "base": 0, "scope": "320412100",
                      "set": {"started_at": "2026-11-22T00:30:00.000Z", "party_id": one}})
    outcomes = desk.push(device, *circle, desk.finding())
    assert [outcome["outcome"] for outcome in outcomes] == ["held", "held", "applied"]


def test_a_failing_member_that_was_moved_forward_undoes_the_whole_group(desk):
    device, finding = desk.device(), desk.finding(text="forbidden")
    outcomes = desk.push(device, *grouped(desk, evidence(desk, finding["record_id"]), finding))
    assert [outcome["problem"]["code"] for outcome in outcomes] == ["group_failed", "role_forbidden"]
    assert desk.record(finding["record_id"]) is None
