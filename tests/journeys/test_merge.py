"""Merge rules (protocol section 5): two devices disagree, the rule decides, and nothing is lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import granted, moment, new_id, position, refused, sha256

SCOPE = "320412103"


@pytest.fixture
def left(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


@pytest.fixture
def right(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE, who="right")


def fields_of(device: Handheld, id: str, type: str = "finding") -> dict[str, Any]:
    return device.owner.record(type, id)["fields"]


def conflict_of(device: Handheld, outcome: dict[str, Any]) -> dict[str, Any]:
    """The one open conflict record that an outcome names."""
    assert outcome["outcome"] == "conflicted", outcome
    conflict_id, = outcome["conflicts"]
    return device.owner.record("conflict", conflict_id)


def test_changes_of_different_fields_are_merged(left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE)
    assert right.deliver(right.edit("finding", finding, 1, set={"address": "右边的地址"}))[0]["outcome"] == "applied"
    outcome, = left.deliver(left.edit("finding", finding, 1, set={"text": "左边的说明"}))
    assert (outcome["outcome"], outcome["version"], outcome["conflicts"]) == ("merged", 3, [])
    fields = fields_of(left, finding)
    assert (fields["address"], fields["text"]) == ("右边的地址", "左边的说明")


def test_the_same_value_twice_is_no_conflict(left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE)
    right.deliver(right.edit("finding", finding, 1, set={"text": "一样"}))
    outcome, = left.deliver(left.edit("finding", finding, 1, set={"text": "一样"}))
    assert outcome["outcome"] in ("applied", "merged")
    assert outcome["conflicts"] == []


def test_of_two_scalars_the_later_arrival_wins_and_the_other_is_kept(left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE, text="原来")
    right.deliver(right.edit("finding", finding, 1, set={"text": "右"}))
    outcome, = left.deliver(left.edit("finding", finding, 1, set={"text": "左"}))
    assert fields_of(left, finding)["text"] == "左"
    conflict = conflict_of(left, outcome)
    kept = conflict["fields"]
    assert {name: kept[name] for name in ("record_type", "record_id", "field", "base", "theirs", "mine", "winner")} == {
        "record_type": "finding", "record_id": finding, "field": "text", "base": "原来", "theirs": "右", "mine": "左",
        "winner": "mine"}
    assert kept["state"] == "open"
    assert kept["opened_at"]
    assert conflict["scope"] == SCOPE


def test_clocks_never_decide(left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE)
    right.deliver({**right.edit("finding", finding, 1, set={"text": "右"}), "made_at": "2099-01-01T00:00:00.000Z"})
    late, = left.deliver({**left.edit("finding", finding, 1, set={"text": "左"}), "made_at": "1999-01-01T00:00:00Z"})
    assert late["outcome"] == "conflicted"
    assert fields_of(left, finding)["text"] == "左"


def test_whoever_saw_the_other_edit_does_not_conflict(left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE)
    right.deliver(right.edit("finding", finding, 1, set={"text": "右"}))
    outcome, = left.deliver(left.edit("finding", finding, 2, set={"text": "左"}))
    assert (outcome["outcome"], outcome["conflicts"]) == ("applied", [])


@pytest.mark.parametrize(("choice", "expected"), [
    ({"choice": "theirs"}, "右"), ({"choice": "mine"}, "左"), ({"choice": "value", "value": "商定"}, "商定")])
def test_a_conflict_is_resolved_by_either_writer(left: Handheld, right: Handheld, choice: dict[str, str],
                                                 expected: str) -> None:
    finding = left.report(SCOPE)
    right.deliver(right.edit("finding", finding, 1, set={"text": "右"}))
    outcome, = left.deliver(left.edit("finding", finding, 1, set={"text": "左"}))
    conflict = conflict_of(left, outcome)
    resolved, = right.deliver(right.command("conflict", conflict["id"], conflict["version"], "resolve", choice))
    assert resolved["outcome"] == "applied", resolved
    assert fields_of(left, finding)["text"] == expected
    assert left.owner.record("conflict", conflict["id"])["fields"]["state"] == "resolved"


def test_a_stranger_does_not_resolve_but_a_supervisor_does(bureau: Bureau, left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE)
    right.deliver(right.edit("finding", finding, 1, set={"text": "右"}))
    conflict = conflict_of(left, left.deliver(left.edit("finding", finding, 1, set={"text": "左"}))[0])
    stranger = bureau.person("inspector", scopes=(SCOPE,), who="stranger")
    refused(stranger.command("conflict", conflict["id"], "resolve", {"choice": "theirs"}), 403)
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    granted(supervisor.command("conflict", conflict["id"], "resolve", {"choice": "theirs"}))
    assert fields_of(left, finding)["text"] == "右"


def test_both_devices_learn_of_the_conflict_by_pull(left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE)
    right.deliver(right.edit("finding", finding, 1, set={"text": "右"}))
    conflict = conflict_of(left, left.deliver(left.edit("finding", finding, 1, set={"text": "左"}))[0])
    for device in (left, right):
        device.catch_up()
        assert device.rows["conflict", conflict["id"]]["fields"]["theirs"] == "右"


def test_a_classification_merges_as_one_value(left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE, severity="minor")
    right.deliver(right.edit("finding", finding, 1, set={"severity": "serious"}))
    outcome, = left.deliver(left.edit("finding", finding, 1, set={"class_code": "0507"}))
    assert outcome["outcome"] == "conflicted"
    fields = fields_of(left, finding)
    assert (fields["class_code"], fields["severity"]) in {("0507", "minor"), ("0504", "serious")}


def test_a_position_is_never_half_of_two(left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE, position=position(119.90, 31.60))
    first, second = position(119.91, 31.61), position(119.92, 31.62)
    right.deliver(right.edit("finding", finding, 1, set={"position": first}))
    outcome, = left.deliver(left.edit("finding", finding, 1, set={"position": second}))
    kept = fields_of(left, finding)["position"]
    assert (kept["lon"], kept["lat"]) in {(119.91, 31.61), (119.92, 31.62)}
    assert conflict_of(left, outcome)["fields"]["field"] == "position"


TAGS = {  # base, right's change, left's change, expected
    "two adds": (["a"], {"add": {"tags": ["b"]}}, {"add": {"tags": ["c"]}}, {"a", "b", "c"}),
    "add and remove of different members": (["a"], {"remove": {"tags": ["a"]}}, {"add": {"tags": ["b"]}}, {"b"}),
    "remove, then a concurrent add of the same: the add wins": (
        ["a"], {"remove": {"tags": ["a"]}}, {"add": {"tags": ["a"]}}, {"a"}),
    "add, then a concurrent remove of the same: the add wins": (
        ["a"], {"add": {"tags": ["a"]}}, {"remove": {"tags": ["a"]}}, {"a"}),
    "two removes": (["a", "b"], {"remove": {"tags": ["a"]}}, {"remove": {"tags": ["a"]}}, {"b"}),
}


@pytest.mark.parametrize("case", TAGS)
def test_sets_merge_by_member(left: Handheld, right: Handheld, case: str) -> None:
    base, theirs, mine, expected = TAGS[case]
    finding = left.report(SCOPE, tags=base)
    right.deliver(right.edit("finding", finding, 1, **theirs))
    outcome, = left.deliver(left.edit("finding", finding, 1, **mine))
    assert outcome["conflicts"] == []
    assert sorted(fields_of(left, finding)["tags"]) == sorted(expected)


def test_answers_merge_per_item_and_conflict_only_on_the_same(left: Handheld, right: Handheld) -> None:
    fields = {"template_id": "zone-daily", "template_version": 1, "started_at": moment(-600),
              "answers": {"zone-daily-01": {"value": "pass", "note": ""}}}
    mutation = left.create("inspection", SCOPE, fields)
    left.deliver(mutation)
    id = mutation["record_id"]
    right.deliver(right.edit("inspection", id, 1, set={"answers": {"zone-daily-02": {"value": "fail", "note": "右"},
                                                                   "zone-daily-03": {"value": "pass", "note": "右"}}}))
    merged, = left.deliver(left.edit("inspection", id, 1,
                                     set={"answers": {"zone-daily-04": {"value": "pass", "note": ""}}}))
    assert (merged["outcome"], merged["conflicts"]) == ("merged", [])
    outcome, = left.deliver(left.edit("inspection", id, 1,
                                      set={"answers": {"zone-daily-02": {"value": "pass", "note": "左"}}}))
    conflict = conflict_of(left, outcome)["fields"]
    assert conflict["theirs"]["note"] == "右"
    assert conflict["mine"]["note"] == "左"
    answers = fields_of(left, id, "inspection")["answers"]
    assert set(answers) == {f"zone-daily-0{number}" for number in (1, 2, 3, 4)}
    assert answers["zone-daily-02"]["note"] == "左"
    assert answers["zone-daily-03"]["note"] == "右"


def test_patrol_points_are_united_by_id(left: Handheld) -> None:
    points = [{"id": new_id(), "at": moment(-60 + i), "lon": 119.9, "lat": 31.7, "crs": "EPSG:4326", "accuracy_m": 5}
              for i in range(4)]
    mutation = left.create("track", SCOPE, {}, add={"points": points[:2]})
    left.deliver(mutation)
    left.deliver(left.edit("track", mutation["record_id"], 1, add={"points": points[1:3]}),
                 left.edit("track", mutation["record_id"], 1, add={"points": points[3:]}))
    kept = fields_of(left, mutation["record_id"], "track")["points"]
    assert sorted(point["id"] for point in kept) == sorted(point["id"] for point in points)


def test_a_command_whose_expectation_no_longer_holds_opens_a_conflict(bureau: Bureau, left: Handheld) -> None:
    finding = left.report(SCOPE)
    first, second = (bureau.handheld(SCOPE, roles=("supervisor",)) for _ in range(2))
    args, expect = {"reason": "重复"}, {"status": "reported"}
    assert first.deliver(first.command("finding", finding, 1, "cancel", args, expect))[0]["outcome"] == "applied"
    outcome, = second.deliver(second.command("finding", finding, 1, "refuse", args, expect))
    assert outcome["outcome"] == "conflicted"
    assert outcome["conflicts"]
    assert fields_of(left, finding)["status"] == "cancelled"


def test_the_digest_of_a_photo_is_given_once(left: Handheld) -> None:
    finding = left.report(SCOPE)
    mutation = left.capture(SCOPE, b"first bytes", ("finding", finding))
    left.deliver(mutation)
    left.deliver(left.edit("evidence", mutation["record_id"], 1, set={"sha256": sha256(b"other bytes")}))
    noted, = left.deliver(left.edit("evidence", mutation["record_id"], 1, set={"note": "补充说明"}))
    assert noted["outcome"] in ("applied", "merged")
    kept = fields_of(left, mutation["record_id"], "evidence")
    assert kept["sha256"] == sha256(b"first bytes")
    assert kept["note"] == "补充说明"


def test_an_edit_of_a_deleted_record_is_kept_on_the_tombstone(bureau: Bureau, left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE)
    assert right.deliver(right.remove("finding", finding, 1))[0]["outcome"] == "applied"
    outcome, = left.deliver(left.edit("finding", finding, 1, set={"text": "不能丢的话"}))
    assert outcome["outcome"] == "conflicted"
    assert outcome["conflicts"]
    left.catch_up()
    assert ("finding", finding) not in left.rows
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    conflict = supervisor.record("conflict", outcome["conflicts"][0])
    assert "不能丢的话" in str(conflict["fields"])


def test_a_delete_after_an_edit_deletes_and_opens_a_conflict(left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE)
    right.deliver(right.edit("finding", finding, 1, set={"text": "右边改了"}))
    outcome, = left.deliver(left.remove("finding", finding, 1))
    assert outcome["outcome"] == "conflicted"
    assert outcome["conflicts"]
    right.catch_up()
    assert ("finding", finding) not in right.rows


def test_two_reports_of_the_same_thing_both_stay_and_name_each_other(left: Handheld, right: Handheld) -> None:
    at, seen = position(119.951234, 31.651234), moment(-30)
    one = left.report(SCOPE, position=at, observed_at=seen)
    two = right.report(SCOPE, position=at, observed_at=seen)
    assert two in fields_of(left, one)["duplicates"]
    assert one in fields_of(left, two)["duplicates"]
    elsewhere = right.report(SCOPE, position=position(119.96, 31.66), observed_at=seen)
    assert not fields_of(left, elsewhere).get("duplicates")


def test_an_enforcement_record_has_checks_and_a_status(left: Handheld, right: Handheld) -> None:
    officers = [left.user["id"], right.user["id"]]
    fields = {"kind": "order_now", "facts": "店外经营,责令立即改正", "officers": officers}
    mutation = left.create("enforcement", SCOPE, fields)
    outcome, = left.deliver(mutation)
    assert outcome["outcome"] == "applied", outcome
    kept = fields_of(left, mutation["record_id"], "enforcement")
    assert kept["facts"] == fields["facts"]
    assert "status" in kept
    assert "checks" in kept


@pytest.mark.parametrize("ended", [
    {"signed_at": moment(-60)},
    {"refused": {"at": moment(-60), "reason": "不认可责任区", "by": "店主"}, "witness": {"name": "王社区"}}])
def test_a_signed_letter_is_sealed_and_a_later_edit_is_kept(bureau: Bureau, left: Handheld, right: Handheld,
                                                            ended: dict[str, Any]) -> None:
    """Signed, or refused before a witness."""
    mutation = left.create("letter", SCOPE, {"period": "2026", "duties": {"卫生": "责任人"}, **ended})
    outcome, = left.deliver(mutation)
    assert outcome["outcome"] == "applied", outcome
    id = mutation["record_id"]
    later, = right.deliver(right.edit("letter", id, 1, set={"period": "2027"}))
    assert fields_of(left, id, "letter")["period"] == "2026"
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    kept = [supervisor.get("/quarantine").text, str(supervisor.record("letter", id)),
            *(str(supervisor.record("conflict", conflict)) for conflict in later["conflicts"])]
    assert any("2027" in text for text in kept), later


def test_every_version_stands_in_the_history(left: Handheld, right: Handheld) -> None:
    finding = left.report(SCOPE, text="一")
    right.deliver(right.edit("finding", finding, 1, set={"text": "二"}))
    left.deliver(left.edit("finding", finding, 1, set={"text": "三"}))
    history = granted(left.owner.get(f"/records/finding/{finding}/history"))["items"]
    assert sorted(entry["version"] for entry in history) == [1, 2, 3]
    by_version = {entry["version"]: entry for entry in history}
    assert by_version[2]["changed"]["text"] == {"from": "一", "to": "二"}
    assert by_version[3]["changed"]["text"] == {"from": "二", "to": "三"}
    assert by_version[2]["device_id"] == right.id
    assert by_version[2]["at"].endswith("Z")
