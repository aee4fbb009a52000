"""What settling a conflict does to its record: nothing of either side is lost, and nothing is forged on the way."""

from __future__ import annotations

import pytest

from sync.audit import Audit
from sync.record_audit import check_records
from tests.sync.desk import SCOPE, Desk, PlainRules

STARTED = "2026-11-22T00:00:00Z"


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    audit = Audit()
    with desk.writing() as door:
        check_records(audit, door.session, PlainRules())
    assert audit.problems == []


def deletion(record_id, base, type="finding"):
    return {"type": type, "record_id": record_id, "op": "delete", "base": base, "set": {"reason": "误报"}}


def resolution(conflict_id, choice, **args):
    return {"type": "conflict", "record_id": conflict_id, "op": "command", "base": 1,
            "command": {"name": "resolve", "args": {"choice": choice, **args}}}


def inspection(desk, **fields):
    return {"type": "inspection", "record_id": desk.uuid(), "op": "put", "base": 0, "scope": SCOPE,
            "set": {"started_at": STARTED, **fields}}


def test_a_restored_edit_forges_no_server_field(desk):
    author, other = desk.device(), desk.device()
    [made] = desk.push(author, desk.finding(text="一"))
    desk.push(other, deletion(made["record_id"], 1))
    [late] = desk.push(author, desk.edit(made["record_id"], 1, set={
        "text": "二", "status": "closed", "inspector_id": desk.uuid(), "zone": {"zone_id": "x"}}))
    [settled] = desk.push(author, resolution(late["conflicts"][0], "mine"))
    record = desk.record(made["record_id"])
    assert (settled["outcome"], record.deleted, record.fields["text"]) == ("applied", False, "二")
    assert record.fields["status"] == "reported" and not {"inspector_id", "zone"} & set(record.fields)


def test_an_edit_that_takes_what_a_record_needs_is_not_restored(desk):
    author, other = desk.device(), desk.device()
    [made] = desk.push(author, desk.finding())
    desk.push(other, deletion(made["record_id"], 1))
    [late] = desk.push(author, desk.edit(made["record_id"], 1, set={"observed_at": None}))
    [settled] = desk.push(author, resolution(late["conflicts"][0], "mine"))
    assert settled["problem"]["code"] == "field_missing" and desk.record(made["record_id"]).deleted


def test_an_edit_that_the_rules_forbid_is_not_restored(desk):
    author, other = desk.device(), desk.device()
    [made] = desk.push(author, desk.finding())
    desk.push(other, deletion(made["record_id"], 1))
    [late] = desk.push(author, desk.edit(made["record_id"], 1, set={"text": "forbidden"}))
    [settled] = desk.push(author, resolution(late["conflicts"][0], "mine"))
    assert settled["problem"]["code"] == "role_forbidden" and desk.record(made["record_id"]).deleted


def test_a_restored_edit_merges_keys_and_members(desk):
    author, other = desk.device(), desk.device()
    [made] = desk.push(author, inspection(desk, answers={"a": {"value": "pass"}}, officers=["x"]))
    record_id = made["record_id"]
    desk.push(other, desk.edit(record_id, 1, type="inspection", set={"answers": {"b": {"value": "fail"}}},
                               add={"officers": ["y"]}))
    desk.push(other, deletion(record_id, 2, "inspection"))
    late = desk.push(author, desk.edit(record_id, 1, type="inspection", set={"answers": {"c": {"value": "pass"}}}),
                     desk.edit(record_id, 1, type="inspection", add={"officers": ["z"]}))
    assert late[0]["conflicts"] == late[1]["conflicts"]
    desk.push(author, resolution(late[0]["conflicts"][0], "mine"))
    fields = desk.record(record_id).fields
    assert sorted(fields["answers"]) == ["a", "b", "c"] and fields["officers"] == ["x", "y", "z"]


def test_a_restored_edit_takes_away_what_it_removed(desk):
    author, other = desk.device(), desk.device()
    [made] = desk.push(author, desk.finding(tags=["a", "b"]))
    desk.push(other, deletion(made["record_id"], 1))
    [late] = desk.push(author, desk.edit(made["record_id"], 1, remove={"tags": ["a"]}))
    desk.push(author, resolution(late["conflicts"][0], "mine"))
    assert desk.record(made["record_id"]).fields["tags"] == ["b"]


def test_points_that_came_late_are_all_restored(desk):
    author, other = desk.device(), desk.device()
    [made] = desk.push(author, {"type": "track", "record_id": desk.uuid(), "op": "put", "base": 0, "scope": SCOPE,
                                "set": {"points": [{"id": "1"}]}})
    desk.push(other, deletion(made["record_id"], 1, "track"))
    late = desk.push(author, *(desk.edit(made["record_id"], 1, type="track", add={"points": [{"id": point}]})
                               for point in "23"))
    desk.push(author, resolution(late[0]["conflicts"][0], "mine"))
    assert [point["id"] for point in desk.record(made["record_id"]).fields["points"]] == ["1", "2", "3"]


def test_an_edit_before_a_deletion_is_restored_as_it_was_applied(desk):
    author, other = desk.device(scopes=("3204",)), desk.device(scopes=("3204",))
    [made] = desk.push(author, inspection(desk, answers={"a": {"value": "pass"}}))
    record_id = made["record_id"]
    desk.push(other, desk.edit(record_id, 1, type="inspection", set={"answers": {"b": {"value": "fail"}}},
                               scope="320412102"))
    [deleted] = desk.push(author, deletion(record_id, 1, "inspection"))
    desk.push(author, resolution(deleted["conflicts"][0], "theirs"))
    record = desk.record(record_id)
    assert not record.deleted and record.scope == "320412102"
    assert set(record.fields) == {"started_at", "answers"} and sorted(record.fields["answers"]) == ["a", "b"]


def test_no_name_of_a_unit_becomes_a_field(desk):
    author, other = desk.device(), desk.device()
    [made] = desk.push(author, desk.finding(class_code="0101", text="一"))
    desk.push(other, desk.edit(made["record_id"], 1, set={"class_code": "0504", "text": "二"}))
    [deleted] = desk.push(author, deletion(made["record_id"], 1))
    desk.push(author, resolution(deleted["conflicts"][0], "theirs"))
    record = desk.record(made["record_id"])
    assert not record.deleted and (record.fields["class_code"], record.fields["text"]) == ("0504", "二")
    assert "classification" not in record.fields


@pytest.mark.parametrize("first", [0, 1])
def test_two_late_edits_are_both_kept_whichever_is_settled_first(desk, first):
    author, other, third = desk.device(), desk.device(), desk.device()
    [made] = desk.push(author, desk.finding(text="一"))
    desk.push(third, deletion(made["record_id"], 1))
    [one] = desk.push(author, desk.edit(made["record_id"], 1, set={"text": "二"}))
    [two] = desk.push(other, desk.edit(made["record_id"], 1, set={"condition": "三"}))
    late = [(author, one), (other, two)]
    for writer, outcome in (late[first], late[1 - first]):
        [settled] = desk.push(writer, resolution(outcome["conflicts"][0], "mine"))
        assert settled["outcome"] == "applied"
    record = desk.record(made["record_id"])
    assert not record.deleted and (record.fields["text"], record.fields["condition"]) == ("二", "三")


def test_what_was_sealed_meanwhile_is_not_changed_by_settling(desk):
    author, other = desk.device(), desk.device()
    [made] = desk.push(author, {"type": "letter", "record_id": desk.uuid(), "op": "put", "base": 0, "scope": SCOPE,
                                "set": {"period": "2025"}})
    desk.push(other, desk.edit(made["record_id"], 1, type="letter", set={"period": "2026"}))
    [apart] = desk.push(author, desk.edit(made["record_id"], 1, type="letter", set={"period": "2027"}))
    desk.push(author, desk.edit(made["record_id"], 3, type="letter", set={"signed_at": STARTED}))
    refused, settled = desk.push(author, resolution(apart["conflicts"][0], "theirs"),
                                 resolution(apart["conflicts"][0], "mine"))
    assert refused["problem"]["code"] == "sealed" and settled["outcome"] == "applied"
    assert desk.record(made["record_id"]).fields["period"] == "2027"


@pytest.mark.parametrize(("choice", "lon"), [("theirs", 119.9), ("mine", 119.8), ("value", 119.7)])
def test_two_points_with_one_id_are_settled(desk, choice, lon):
    author, other = desk.device(), desk.device()
    point = {"lat": 31.7, "crs": "EPSG:4490"}
    [made] = desk.push(author, {"type": "track", "record_id": desk.uuid(), "op": "put", "base": 0, "scope": SCOPE,
                                "set": {"points": [{"id": "p.1", "lon": 119.9, **point}, {"id": "q"}]}})
    [apart] = desk.push(other, desk.edit(made["record_id"], 1, type="track",
                                         add={"points": [{"id": "p.1", "lon": 119.8, **point}]}))
    assert apart["outcome"] == "conflicted"
    [settled] = desk.push(other, resolution(apart["conflicts"][0], choice, value={"id": "p.1", "lon": 119.7, **point}))
    assert settled["outcome"] == "applied"
    points = desk.record(made["record_id"]).fields["points"]
    assert [entry.get("lon") for entry in points] == [lon, None]


def test_a_point_is_settled_by_a_point_of_that_id_only(desk):
    author, other = desk.device(), desk.device()
    [made] = desk.push(author, {"type": "track", "record_id": desk.uuid(), "op": "put", "base": 0, "scope": SCOPE,
                                "set": {"points": [{"id": "p", "lon": 119.9}]}})
    [apart] = desk.push(other, desk.edit(made["record_id"], 1, type="track", add={"points": [{"id": "p", "lon": 1}]}))
    for value in (None, {"id": "q"}, [], {"id": "p", "lon": 1, "lat": 1, "crs": "nonsense"}):
        [settled] = desk.push(other, resolution(apart["conflicts"][0], "value", value=value))
        assert settled["outcome"] == "quarantined" and settled["problem"]["code"] in ("choice_invalid", "crs_unknown")
