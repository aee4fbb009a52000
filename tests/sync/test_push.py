"""Pushes on the engine alone: numbering, replays, groups, held, quarantine, conflicts, tombstones."""

from __future__ import annotations

import pytest

from schemas.problems import Problem
from tests.sync.desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_new_finding_is_applied_as_version_one(desk):
    device = desk.device()
    [outcome] = desk.push(device, desk.finding(text="门前堆物"))
    assert (outcome["outcome"], outcome["version"]) == ("applied", 1)
    assert desk.record(outcome["record_id"]).fields["text"] == "门前堆物"


def test_pushing_twice_returns_the_first_outcome(desk):
    device = desk.device()
    batch = [desk.numbered(device, desk.finding()) for _ in range(3)]
    first = desk.push_raw(device, batch)
    again = desk.push_raw(device, batch)
    assert [outcome["replayed"] for outcome in again] == [True] * 3
    assert [{**outcome, "replayed": False} for outcome in again] == first


def test_a_gap_in_the_numbers_is_refused_with_the_expected_number(desk):
    device = desk.device()
    with pytest.raises(Problem) as refused:
        desk.push_raw(device, [{"n": 3, "id": desk.uuid(), **desk.finding()}])
    assert (refused.value.code, refused.value.extra) == ("sequence_gap", {"expect": 1})


def test_the_same_number_with_other_content_is_a_fork(desk):
    device = desk.device()
    mutation = desk.numbered(device, desk.finding())
    desk.push_raw(device, [mutation])
    with pytest.raises(Problem) as refused:
        desk.push_raw(device, [{**mutation, "id": desk.uuid()}])
    assert refused.value.code == "device_forked"


@pytest.mark.parametrize("bases", [(3, 0), (0, 3), (300, 1), (1, 300)])
def test_the_same_number_with_the_same_content_on_another_base_is_a_replay(desk, bases):
    """A device that met a server restored from an older backup and then one from a newer."""
    device, other = desk.device(), desk.device()
    record_id = desk.push(device, desk.finding())[0]["record_id"]
    desk.push(other, *(desk.edit(record_id, 1, set={"text": str(number)}) for number in range(max(bases))))
    mutation = desk.numbered(device, desk.edit(record_id, bases[0], set={"condition": "x"}))
    [first] = desk.push_raw(device, [mutation])
    seq = desk.record(record_id).seq
    assert desk.push_raw(device, [{**mutation, "base": bases[1]}]) == [{**first, "replayed": True}]
    assert desk.record(record_id).seq == seq
    with pytest.raises(Problem) as refused:
        desk.push_raw(device, [{**mutation, "base": bases[1], "set": {"condition": "y"}}])
    assert refused.value.code == "device_forked"


def test_a_re_enrolled_device_replays_its_mutations_under_new_numbers(desk):
    old = desk.device()
    mutation = desk.numbered(old, desk.finding())
    [first] = desk.push_raw(old, [mutation])
    new = desk.device(user=old.user_id)
    [again] = desk.push_raw(new, [{**mutation, "n": 1}])
    assert again["replayed"] and again["version"] == first["version"]
    assert len(desk.pull_all(new)[0]) == 1


def test_a_malformed_mutation_is_quarantined_and_its_neighbours_apply(desk):
    device = desk.device()
    outcomes = desk.push(device, desk.finding(), desk.finding(position={"lon": 1, "lat": 2}), {"nonsense": 1},
                         desk.finding())
    assert [outcome["outcome"] for outcome in outcomes] == ["applied", "quarantined", "quarantined", "applied"]
    assert outcomes[1]["problem"]["code"] == "crs_missing"


def test_a_group_is_applied_wholly_or_not_at_all(desk):
    device = desk.device()
    group = desk.uuid()
    outcomes = desk.push(device, {**desk.finding(), "group": group}, {**desk.finding(text="forbidden"), "group": group})
    assert [outcome["outcome"] for outcome in outcomes] == ["quarantined"] * 2
    assert [outcome["problem"]["code"] for outcome in outcomes] == ["group_failed", "role_forbidden"]
    assert desk.pull_all(device)[0] == []


def test_a_failed_unit_takes_no_number_with_it(desk):
    device = desk.device()
    desk.push(device, desk.finding())
    before = desk.record(desk.push(device, desk.finding())[0]["record_id"]).seq
    desk.push(device, desk.finding(text="forbidden"))
    assert desk.record(desk.push(device, desk.finding())[0]["record_id"]).seq == before + 1


def test_two_devices_disagree_and_both_values_stay(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding(text="a"))
    record_id = made["record_id"]
    desk.push(one, desk.edit(record_id, 1, set={"text": "b"}))
    [outcome] = desk.push(other, desk.edit(record_id, 1, set={"text": "c", "address": "here"}))
    assert outcome["outcome"] == "conflicted" and len(outcome["conflicts"]) == 1
    [conflict] = desk.conflicts(record_id)
    assert (conflict["base"], conflict["theirs"], conflict["mine"], conflict["winner"]) == ("a", "b", "c", "mine")
    assert desk.record(record_id).fields["text"] == "c"


def test_repeated_edits_on_the_same_base_fold_into_one_conflict(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding(text="a"))
    desk.push(one, desk.edit(made["record_id"], 1, set={"text": "b"}))
    outcomes = desk.push(other, *(desk.edit(made["record_id"], 1, set={"text": text}) for text in "cde"))
    assert len({outcome["conflicts"][0] for outcome in outcomes}) == 1
    [conflict] = desk.conflicts(made["record_id"])
    assert (conflict["theirs"], conflict["mine"]) == ("b", "e")


def test_edits_of_different_fields_merge(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding())
    desk.push(one, desk.edit(made["record_id"], 1, set={"text": "b"}))
    [outcome] = desk.push(other, desk.edit(made["record_id"], 1, set={"condition": "x"}))
    assert (outcome["outcome"], outcome["version"]) == ("merged", 3)


def evidence(desk, about):
    return {"type": "evidence", "record_id": desk.uuid(), "op": "put", "base": 0, "scope": "320412100",
            "set": {"sha256": "a" * 64, "bytes": 1, "media_type": "image/jpeg", "role": "scene",
                    "about": {"type": "finding", "id": about}, "captured_at": "2026-11-22T00:30:00Z"}}


def test_what_refers_to_a_record_that_is_not_there_is_held_and_applied_when_it_arrives(desk):
    one, other = desk.device(), desk.device()
    record_id = desk.uuid()
    [held] = desk.push(one, evidence(desk, record_id))
    assert held["outcome"] == "held"
    _, cursor = desk.pull_all(one)
    desk.push(other, desk.finding(record_id))
    page = desk.pull(one, cursor)
    assert [(settled["n"], settled["outcome"]) for settled in page["settled"]] == [(1, "applied")]
    assert {change["type"] for change in page["changes"]} == {"finding", "evidence"}


def test_parent_behind_child_in_one_push_settles_at_once(desk):
    device = desk.device()
    record_id = desk.uuid()
    child, parent = desk.push(device, evidence(desk, record_id), desk.finding(record_id))
    assert child["outcome"] == "held" and child["settled"]["outcome"] == "applied"
    assert parent["outcome"] == "applied"


def test_what_waits_too_long_is_quarantined(desk):
    from sync import held
    device = desk.device()
    desk.push(device, evidence(desk, desk.uuid()))
    desk.later(days=6)
    with desk.writing() as door:
        assert held.expire(door) == 1
    [settled] = desk.pull(device)["settled"]
    assert settled["outcome"] == "quarantined" and settled["problem"]["code"] == "record_missing"


def test_later_edits_of_a_quarantined_creation_wait_for_its_release(desk):
    from sync import held, quarantine
    from sync.models import Quarantined
    device = desk.device()
    record_id = desk.uuid()
    outcomes = desk.push(device, desk.finding(record_id, text="forbidden"),
                         desk.edit(record_id, 0, set={"tags": ["x"]}))
    assert [outcome["outcome"] for outcome in outcomes] == ["quarantined", "held"]
    with desk.writing() as door:
        row = door.session.query(Quarantined).one()
        before = door.gate.seq
        quarantine.release(door, row, device, device, {"set": {"text": "allowed"}})
        door.flush()
        held.settle_arrived(door, before)
    assert desk.record(record_id).fields["text"] == "allowed"
    assert desk.record(record_id).fields["tags"] == ["x"]


def test_an_edit_of_a_deleted_record_is_kept_and_opens_a_conflict(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding())
    record_id = made["record_id"]
    desk.push(one, {"type": "finding", "record_id": record_id, "op": "delete", "base": 1, "set": {"reason": "误报"}})
    [outcome] = desk.push(other, desk.edit(record_id, 1, set={"text": "late"}))
    assert outcome["outcome"] == "conflicted"
    assert desk.record(record_id).deleted
    [conflict] = desk.conflicts(record_id)
    assert conflict["mine"] == {"text": "late"} and conflict["winner"] == "theirs"


def test_a_deletion_against_an_unseen_edit_opens_a_conflict(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding())
    desk.push(other, desk.edit(made["record_id"], 1, set={"text": "new"}))
    [outcome] = desk.push(one, {"type": "finding", "record_id": made["record_id"], "op": "delete", "base": 1,
                                "set": {"reason": "误报"}})
    assert outcome["outcome"] == "conflicted" and desk.record(made["record_id"]).deleted


def test_a_command_whose_expectation_no_longer_holds_is_not_applied(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding())
    command = {"type": "finding", "record_id": made["record_id"], "op": "command", "base": 1,
               "command": {"name": "file", "expect": {"status": "reported"}}}
    assert desk.push(one, command)[0]["outcome"] == "applied"
    [outcome] = desk.push(other, command)
    assert outcome["outcome"] == "conflicted" and outcome["version"] == 2
    [conflict] = desk.conflicts(made["record_id"])
    assert conflict["winner"] == "theirs" and conflict["mine"]["command"] == "file"


def test_an_edit_of_a_signed_letter_becomes_an_amendment(desk):
    device = desk.device()
    record_id = desk.uuid()
    desk.push(device, {"type": "letter", "record_id": record_id, "op": "put", "base": 0, "scope": "320412100",
                       "set": {"signed_at": "2026-11-22T00:00:00Z", "period": "2026"}})
    [outcome] = desk.push(device, desk.edit(record_id, 1, type="letter", set={"period": "2027"}))
    letter = desk.record(record_id)
    assert outcome["outcome"] == "applied" and letter.fields["period"] == "2026"
    assert [amendment["set"] for amendment in letter.fields["amendments"]] == [{"period": "2027"}]


def test_what_lies_out_of_scope_is_quarantined(desk):
    device = desk.device()
    [outcome] = desk.push(device, desk.finding(scope="320404116"))
    assert outcome["problem"]["code"] == "out_of_scope"


def test_a_base_above_the_version_is_quarantined(desk):
    device = desk.device()
    [made] = desk.push(device, desk.finding())
    [outcome] = desk.push(device, desk.edit(made["record_id"], 9, set={"text": "x"}))
    assert outcome["problem"]["code"] == "base_ahead"


def test_resolving_restores_the_losing_value(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding(text="a"))
    desk.push(one, desk.edit(made["record_id"], 1, set={"text": "b"}))
    [outcome] = desk.push(other, desk.edit(made["record_id"], 1, set={"text": "c"}))
    desk.push(one, {"type": "conflict", "record_id": outcome["conflicts"][0], "op": "command", "base": 1,
                    "command": {"name": "resolve", "args": {"choice": "theirs"}}})
    assert desk.record(made["record_id"]).fields["text"] == "b"
    assert desk.conflicts(made["record_id"])[0]["state"] == "resolved"
