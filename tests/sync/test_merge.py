"""Merging, purely: the table of base / current / incoming / expected, and the laws that hold for any of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.problems import Problem
from schemas.records import RECORD_TYPES
from sync.merge import CREATOR, Edit, Past, merge

FINDING, INSPECTION = RECORD_TYPES["finding"], RECORD_TYPES["inspection"]
CREATED = {CREATOR: "anna"}


def merged(fields, writer, base, *, version=2, stamps=None, history=(), record_type=FINDING, **edit):
    return merge(record_type, fields, stamps or CREATED, writer, base, version,
                 Edit(edit.get("set", {}), edit.get("add", {}), edit.get("remove", {})),
                 lambda: [Past("anna", changed) for changed in history])


def after_anna_changed(name, before, after):
    """The record after anna's version 2, with stamps and history."""
    first = merged({name: before}, "anna", 1, set={name: after})
    return first.fields, first.stamps, [{name: {"from": before, "to": after}}]


def test_an_edit_on_the_newest_version_is_applied_as_sent():
    result = merged({"text": "a", "address": "x"}, "bo", 1, set={"text": "b"})
    assert result.fields == {"text": "b", "address": "x"}
    assert not result.overlaps and not result.others_changed


def test_edits_of_different_fields_merge_without_conflict():
    fields, stamps, history = after_anna_changed("text", "a", "b")
    result = merged(fields, "bo", 1, version=3, stamps=stamps, history=history, set={"address": "y"})
    assert result.fields == {"text": "b", "address": "y"}
    assert result.others_changed and not result.overlaps


def test_the_later_arrival_wins_and_the_other_value_stands_in_the_overlap():
    fields, stamps, history = after_anna_changed("text", "a", "b")
    result = merged(fields, "bo", 1, version=3, stamps=stamps, history=history, set={"text": "c"})
    [overlap] = result.overlaps
    assert (overlap.base, overlap.theirs, overlap.mine, overlap.winner) == ("a", "b", "c", "mine")
    assert result.fields["text"] == "c"


def test_equal_values_never_conflict():
    fields, stamps, history = after_anna_changed("text", "a", "b")
    result = merged(fields, "bo", 1, version=3, stamps=stamps, history=history, set={"text": "b"})
    assert not result.overlaps and not result.changed


def test_a_writer_never_conflicts_with_itself():
    fields, stamps, history = after_anna_changed("text", "a", "b")
    result = merged(fields, "anna", 1, version=3, stamps=stamps, history=history, set={"text": "c"})
    assert not result.overlaps and result.fields["text"] == "c"


def test_a_writer_overwriting_its_own_overlapping_value_still_knows_the_other_writer():
    fields, stamps, history = after_anna_changed("text", "a", "b")
    first = merged(fields, "bo", 1, version=3, stamps=stamps, history=history, set={"text": "c"})
    second = merged(first.fields, "bo", 1, version=4, stamps=first.stamps, history=history, set={"text": "d"})
    assert [overlap.theirs for overlap in second.overlaps] == ["c"]


def test_a_field_that_was_never_set_is_no_overlap_for_a_stranger():
    result = merged({"text": "a"}, "bo", 0, set={"address": "y"})
    assert not result.overlaps


def test_a_bound_value_is_one_authors():
    before = {"class_scheme": "s", "class_code": "0101", "severity": "low"}
    first = merged(before, "anna", 1, set={"class_code": "0504"})
    history = [{"classification": {"from": dict(before), "to": dict(first.fields)}}]
    second = merged(first.fields, "bo", 1, version=3, stamps=first.stamps, history=history, set={"severity": "high"})
    assert second.fields == {"class_scheme": "s", "class_code": "0101", "severity": "high"}
    [overlap] = second.overlaps
    assert overlap.unit == "classification"
    assert overlap.theirs["class_code"] == "0504" and overlap.mine["class_code"] == "0101"


def test_an_add_wins_over_a_concurrent_remove_in_either_order():
    base = {"tags": ["夜间"]}
    added = merged(base, "anna", 1, add={"tags": ["夜间"]})
    removed = merged(added.fields, "bo", 1, version=3, stamps=added.stamps, remove={"tags": ["夜间"]})
    assert removed.fields["tags"] == ["夜间"]
    first_removed = merged(base, "bo", 1, remove={"tags": ["夜间"]})
    then_added = merged(first_removed.fields, "anna", 1, version=3, stamps=first_removed.stamps,
                        add={"tags": ["夜间"]})
    assert then_added.fields["tags"] == ["夜间"]


def test_a_seen_member_can_be_removed():
    result = merged({"tags": ["a", "b"]}, "bo", 1, remove={"tags": ["a"]})
    assert result.fields["tags"] == ["b"]


def test_setting_a_set_keeps_what_others_added_meanwhile():
    added = merged({"tags": ["a"]}, "anna", 1, add={"tags": ["b"]})
    result = merged(added.fields, "bo", 1, version=3, stamps=added.stamps, set={"tags": ["c"]})
    assert sorted(result.fields["tags"]) == ["b", "c"]


def test_a_map_merges_per_key():
    base = {"answers": {"1": {"value": "pass"}}}
    first = merged(base, "anna", 1, record_type=INSPECTION, set={"answers": {"2": {"value": "fail"}}})
    second = merged(first.fields, "bo", 1, version=3, stamps=first.stamps, record_type=INSPECTION,
                    set={"answers": {"3": {"value": "pass"}}})
    assert sorted(second.fields["answers"]) == ["1", "2", "3"]
    assert not second.overlaps


def test_a_maps_key_conflicts_as_a_field_does():
    first = merged({"answers": {"1": {"value": "pass"}}}, "anna", 1, record_type=INSPECTION,
                   set={"answers": {"1": {"value": "fail"}}})
    second = merged(first.fields, "bo", 1, version=3, stamps=first.stamps, record_type=INSPECTION,
                    set={"answers": {"1": {"value": "na"}}})
    assert [overlap.unit for overlap in second.overlaps] == ["answers.1"]


def test_a_key_that_came_with_the_creation_was_not_there_before_it():
    answers = {"1": {"value": "pass"}}
    result = merged({"answers": answers}, "bo", 0, record_type=INSPECTION, set={"answers": {"1": {"value": "fail"}}},
                    history=[{"answers": {"from": None, "to": answers}}])
    assert [(overlap.unit, overlap.base, overlap.theirs) for overlap in result.overlaps] == \
        [("answers.1", None, {"value": "pass"})]


def test_points_are_united_by_id_and_a_second_content_is_kept_as_overlap():
    track = RECORD_TYPES["track"]
    one = merged({"points": [{"id": "p1", "lon": 1}]}, "bo", 1, record_type=track,
                 add={"points": [{"id": "p2", "lon": 2}, {"id": "p1", "lon": 9}]})
    assert [point["id"] for point in one.fields["points"]] == ["p1", "p2"]
    assert [(overlap.theirs["lon"], overlap.mine["lon"], overlap.winner) for overlap in one.overlaps] \
        == [(1, 9, "theirs")]


def test_a_value_that_may_be_given_once_stands():
    evidence = RECORD_TYPES["evidence"]
    with pytest.raises(Problem) as refused:
        merged({"sha256": "a" * 64}, "bo", 1, record_type=evidence, set={"sha256": "b" * 64})
    assert refused.value.code == "immutable_field"


def test_what_only_the_server_sets_is_ignored_and_noted():
    result = merged({"status": "reported"}, "bo", 1, set={"status": "closed", "text": "x"})
    assert result.fields["status"] == "reported" and result.ignored == ["status"]


def test_what_the_server_added_to_a_position_is_no_difference():
    sent = {"lon": 1.0, "lat": 2.0, "crs": "EPSG:4326"}
    stored = {**sent, "normalized": {"lon": 1.0, "lat": 2.0}}
    assert not merged({"position": stored}, "bo", 0, set={"position": sent}).changed


NAMES = ("text", "address", "condition")
EDITS = st.lists(st.tuples(st.sampled_from(["anna", "bo", "cy"]), st.integers(0, 5),
                           st.dictionaries(st.sampled_from(NAMES), st.sampled_from("abcd"), min_size=1)), max_size=8)


@given(EDITS)
def test_every_value_is_in_the_row_the_history_or_an_overlap(edits):
    fields, stamps, version, history = {"text": "0"}, dict(CREATED), 1, []
    kept = set()
    for writer, back, change in edits:
        base = max(1, version - back)
        result = merge(FINDING, fields, stamps, writer, base, version + 1, Edit(change),
                       lambda base=base: [past for number, past in history if number > base])
        for name, value in change.items():
            assert result.fields[name] == value
            kept.add((name, value))
        for overlap in result.overlaps:
            assert overlap.theirs == fields.get(overlap.unit)
        if result.changed:
            version += 1
            changed = {unit: {"from": old, "to": new} for unit, (old, new) in result.changed.items()}
            history.append((version, Past(writer, changed)))
        fields, stamps = result.fields, result.stamps
    seen = {(name, change["to"]) for _, past in history for name, change in past.changed.items()} | set(fields.items())
    assert kept <= seen


@given(EDITS)
def test_merging_the_same_edit_again_changes_nothing(edits):
    fields, stamps, version = {"text": "0"}, dict(CREATED), 1
    for writer, _, change in edits:
        result = merge(FINDING, fields, stamps, writer, version, version + 1, Edit(change), list)
        again = merge(FINDING, result.fields, result.stamps, writer, version, version + 2, Edit(change), list)
        assert not again.changed and again.fields == result.fields
        fields, stamps, version = result.fields, result.stamps, version + 1


def test_adding_again_what_one_added_oneself_wins_over_a_concurrent_remove():
    stamps = {CREATOR: "a"}
    again = merge(FINDING, {"tags": ["k"]}, stamps, "a", 1, 2, Edit({}, {"tags": ["k"]}), list)
    assert again.fields["tags"] == ["k"] and "tags" in again.changed and not again.overlaps
    removed = merge(FINDING, again.fields, again.stamps, "b", 1, 3, Edit({}, {}, {"tags": ["k"]}), list)
    assert removed.fields["tags"] == ["k"] and not removed.changed
    seen = merge(FINDING, again.fields, again.stamps, "b", 2, 3, Edit({}, {}, {"tags": ["k"]}), list)
    assert seen.fields["tags"] == []


def test_setting_the_members_that_stand_changes_nothing():
    merged = merge(FINDING, {"tags": ["k"]}, {CREATOR: "a"}, "a", 1, 2, Edit({"tags": ["k"]}), list)
    assert not merged.changed


def test_a_part_of_a_bound_value_is_set_upon_the_writers_own_newer_value():
    start = {"class_code": "0101", "severity": "low"}
    first = merged(start, "bo", 1, set={"severity": "mid"})
    second = merged(first.fields, "anna", 1, version=3, stamps=first.stamps, set={"class_code": "0504"},
                    history=[{"classification": {"from": start, "to": first.fields}}])
    past = [Past("bo", {"classification": {"from": start, "to": first.fields}}),
            Past("anna", {"classification": {"from": first.fields, "to": {"class_code": "0504", "severity": "low"}}})]
    third = merge(FINDING, second.fields, second.stamps, "anna", 1, 4, Edit({"severity": "high"}), lambda: past)
    assert third.fields == {"class_code": "0504", "severity": "high"}


def test_true_is_not_one_and_a_fields_own_normalized_is_a_value():
    result = merged({"later": {"v": 1}, "other": {"normalized": 1}}, "bo", 1,
                    set={"later": {"v": True}, "other": {"normalized": 2}})
    assert result.fields == {"later": {"v": True}, "other": {"normalized": 2}} and result.changed.keys() == \
        {"later", "other"}


def test_a_member_that_went_leaves_no_stamp_and_a_second_removal_is_none():
    gone = merged({"tags": ["k"]}, "bo", 1, remove={"tags": ["k"]})
    assert set(gone.stamps) == {CREATOR, "*"}
    back = merge(FINDING, gone.fields, gone.stamps, "chen", 1, 3, Edit({}, {"tags": ["k"]}), list)
    again = merge(FINDING, back.fields, back.stamps, "chen", 1, 4, Edit({}, {}, {"tags": ["k"]}), list)
    assert again.fields["tags"] == []
