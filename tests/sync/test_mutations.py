"""What single mutations do at the edges: cleared maps, moves apart, names that are none, faults of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync import quarantine
from sync.history import history_of
from sync.models import Quarantined
from tests.sync import desk as engine
from tests.sync.desk import Desk


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_clearing_a_map_keeps_the_keys_that_its_maker_had_not_seen(desk):
    one, other = desk.device(), desk.device()
    record_id = desk.uuid()
    desk.push(one, {"type": "inspection", "record_id": record_id, "op": "put", "base": 0, "scope": "320412100",
                    "set": {"started_at": "2026-11-22T00:00:00Z", "answers": {"1": {"value": "pass"}}}})
    desk.push(other, desk.edit(record_id, 1, type="inspection", set={"answers": {"2": {"value": "fail"}}}))
    desk.push(one, desk.edit(record_id, 1, type="inspection", set={"answers": None}))
    assert desk.record(record_id).fields["answers"] == {"2": {"value": "fail"}}


def test_restating_the_scope_of_the_base_moves_nothing_back(desk):
    one, other = desk.device(scopes=("3204",)), desk.device(scopes=("3204",))
    [made] = desk.push(one, desk.finding())
    desk.push(other, desk.edit(made["record_id"], 1, scope="320412102"))
    [outcome] = desk.push(one, desk.edit(made["record_id"], 1, scope="320412100", set={"text": "late"}))
    assert outcome["outcome"] == "merged" and desk.record(made["record_id"]).scope == "320412102"


def test_two_moves_apart_are_a_conflict_that_can_be_settled(desk):
    one, other = desk.device(scopes=("3204",)), desk.device(scopes=("3204",))
    [made] = desk.push(one, desk.finding())
    desk.push(other, desk.edit(made["record_id"], 1, scope="320412102"))
    [outcome] = desk.push(one, desk.edit(made["record_id"], 1, scope="320412104"))
    assert outcome["outcome"] == "conflicted" and desk.record(made["record_id"]).scope == "320412104"
    desk.push(one, {"type": "conflict", "record_id": outcome["conflicts"][0], "op": "command", "base": 1,
                    "command": {"name": "resolve", "args": {"choice": "theirs"}}})
    assert desk.record(made["record_id"]).scope == "320412102"


@pytest.mark.parametrize("fields", [{"": "x"}, {"*": "x"}, {"classification": "abc"}, {"tags.x": True},
                                    {"answers.1": 1}, {"@scope": "32"}])
def test_names_of_units_are_no_names_of_fields(desk, fields):
    device = desk.device()
    [made] = desk.push(device, desk.finding())
    [outcome] = desk.push(device, desk.edit(made["record_id"], 1, set=fields))
    assert outcome["outcome"] == ("applied" if "answers.1" in fields else "quarantined")


def test_a_point_without_id_or_in_an_unknown_coordinate_system_is_quarantined(desk):
    device = desk.device()
    track = {"type": "track", "op": "put", "base": 0, "scope": "320412100"}
    outcomes = desk.push(device, *({**track, "record_id": desk.uuid(), "set": {"points": [point]}} for point in (
        {"lon": 1, "lat": 2, "crs": "EPSG:4326"}, {"id": "p", "lon": 1, "lat": 2, "crs": "EPSG:3857"},
        {"id": "p", "lon": 1, "lat": 2, "crs": "EPSG:4326"})))
    assert [outcome["outcome"] for outcome in outcomes] == ["quarantined", "quarantined", "applied"]
    assert outcomes[1]["problem"]["code"] == "crs_unknown"


def test_what_the_server_fails_to_process_is_kept_and_delays_nobody(desk, monkeypatch):
    monkeypatch.setattr(engine.PlainRule, "check", lambda self, before, after, context: {}[after["text"]]
                        if after.get("text") == "fault" else None)
    device = desk.device()
    outcomes = desk.push(device, desk.finding(), desk.finding(text="fault"), desk.finding())
    assert [outcome["outcome"] for outcome in outcomes] == ["applied", "quarantined", "applied"]
    assert outcomes[1]["problem"]["code"] == "not_processed"


def test_a_field_called_deleted_conflicts_like_any_other(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding(deleted="a"))
    desk.push(one, desk.edit(made["record_id"], 1, set={"deleted": "b"}))
    [outcome] = desk.push(other, desk.edit(made["record_id"], 1, set={"deleted": "c"}))
    desk.push(one, {"type": "conflict", "record_id": outcome["conflicts"][0], "op": "command", "base": 1,
                    "command": {"name": "resolve", "args": {"choice": "theirs"}}})
    assert desk.record(made["record_id"]).fields["deleted"] == "b"


def test_resolving_cannot_take_what_a_record_needs(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding())
    for writer, minute in ((one, "10"), (other, "20")):
        seen = f"2026-11-22T00:{minute}:00Z"
        [outcome] = desk.push(writer, desk.edit(made["record_id"], 1, set={"observed_at": seen}))
    [resolved] = desk.push(one, {"type": "conflict", "record_id": outcome["conflicts"][0], "op": "command", "base": 1,
                                 "command": {"name": "resolve", "args": {"choice": "value", "value": None}}})
    assert resolved["problem"]["code"] == "field_missing"


def test_dismissing_a_reused_id_touches_no_other_devices_receipt(desk):
    one, other = desk.device(), desk.device()
    mutation = desk.numbered(one, desk.finding())
    desk.push_raw(one, [mutation])
    _, cursor = desk.pull_all(one)
    [reused] = desk.push_raw(other, [{**desk.numbered(other, desk.finding()), "id": mutation["id"]}])
    assert reused["problem"]["code"] == "id_reused"
    with desk.writing() as door:
        quarantine.dismiss(door, door.session.query(Quarantined).one(), other, "重复")
    assert desk.pull(one, cursor)["settled"] == []
    [settled] = desk.pull(other)["settled"]
    assert (settled["outcome"], settled["reason"]) == ("dismissed", "重复")


def test_a_second_deletion_keeps_its_reason_too(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding())
    deletion = {"type": "finding", "record_id": made["record_id"], "op": "delete", "base": 1}
    desk.push(one, {**deletion, "set": {"reason": "误报"}})
    [outcome] = desk.push(other, {**deletion, "set": {"reason": "重复"}})
    assert outcome["outcome"] == "applied" and desk.record(made["record_id"]).deleted
    with desk.writing() as door:
        notes = [entry["note"] for entry in history_of(door.session, made["record_id"])[0] if "note" in entry]
    assert notes == [{"reason": "误报"}, {"reason": "重复"}]


def test_a_move_to_where_the_record_lies_is_no_move_for_others(desk):
    one, supervisor = desk.device(scopes=("3204",)), replace(desk.device(scopes=("3204",)), roles=("supervisor",))
    [made] = desk.push(one, desk.finding())
    desk.numbers[supervisor.id] = 0
    desk.push(supervisor, {"type": "finding", "record_id": made["record_id"], "op": "command", "base": 1,
                           "command": {"name": "move", "args": {"scope": "320412100", "reason": "查看"}}})
    [outcome] = desk.push(one, desk.edit(made["record_id"], 1, scope="320412102"))
    assert (outcome["outcome"], outcome["conflicts"]) == ("merged", [])


def test_a_deletion_against_somebody_elses_new_tag_is_a_conflict(desk):
    anna, bo = desk.device(), desk.device()
    [made] = desk.push(anna, desk.finding(tags=["a"]))
    desk.push(bo, desk.edit(made["record_id"], 1, add={"tags": ["b"]}))
    [deleted] = desk.push(anna, {"type": "finding", "record_id": made["record_id"], "op": "delete", "base": 1,
                                 "set": {"reason": "twice"}})
    assert deleted["outcome"] == "conflicted"


def test_two_deletions_agree_even_if_the_record_came_back_between_them(desk):
    one, other = desk.device(), desk.device()
    [made] = desk.push(one, desk.finding())
    deletion = {"type": "finding", "record_id": made["record_id"], "op": "delete", "base": 1, "set": {"reason": "误报"}}
    desk.push(one, deletion)
    [outcome] = desk.push(other, desk.edit(made["record_id"], 1, set={"text": "late"}))
    desk.push(one, {"type": "conflict", "record_id": outcome["conflicts"][0], "op": "command", "base": 1,
                    "command": {"name": "resolve", "args": {"choice": "mine"}}})
    assert not desk.record(made["record_id"]).deleted
    [outcome] = desk.push(other, deletion)
    assert (outcome["outcome"], outcome["conflicts"]) == ("applied", [])


def test_a_writer_moves_back_what_he_moved_himself(desk):
    maker, writer = desk.device(scopes=("3204",)), desk.device(scopes=("3204",))
    [made] = desk.push(maker, desk.finding())
    outcomes = desk.push(writer, desk.finding(made["record_id"], scope="320412102"),
                         desk.finding(made["record_id"], scope="320412100"))
    assert "scope" not in {conflict["field"] for conflict in desk.conflicts(made["record_id"])}
    assert desk.record(made["record_id"]).scope == "320412100" and outcomes[1]["outcome"] != "quarantined"


def test_an_expectation_of_a_field_that_does_not_exist_opens_no_conflict(desk):
    device = desk.device()
    [made] = desk.push(device, desk.finding())
    [outcome] = desk.push(device, {"type": "finding", "record_id": made["record_id"], "op": "command", "base": 1,
                                   "command": {"name": "file", "args": {}, "expect": {"zork": 1}}})
    assert (outcome["outcome"], outcome["problem"]["code"]) == ("quarantined", "field_invalid")
    assert desk.conflicts(made["record_id"]) == []


def test_nothing_is_removed_from_a_list_that_only_grows(desk):
    device, track = desk.device(), desk.uuid()
    point = {"id": "p1", "at": "2026-11-22T00:30:00.000Z", "lon": 119.95, "lat": 31.7, "crs": "EPSG:4326"}
    desk.push(device, {"type": "track", "record_id": track, "op": "put", "base": 0, "scope": "320412100",
                       "add": {"points": [point]}})
    [outcome] = desk.push(device, desk.edit(track, 1, "track", remove={"points": [point]}))
    assert (outcome["outcome"], outcome["problem"]["code"]) == ("quarantined", "field_invalid")
    assert desk.record(track).fields["points"] == [point]
