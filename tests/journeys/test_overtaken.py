"""A mutation that waited is applied behind what its device made later (protocol section 2: a device's own edits never
conflict with themselves): what it made last stands, and the earlier values are in the history."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bureau import Bureau
from tests.enrolled import Handheld
from tests.wire import Person, granted, moment, new_id

SCOPE = "320412104"


@pytest.fixture
def device(bureau: Bureau) -> Handheld:
    return bureau.handheld(SCOPE)


@pytest.fixture
def supervisor(bureau: Bureau) -> Person:
    return bureau.person("supervisor", scopes=(SCOPE,))


def arrive(device: Handheld, inspection: str) -> None:
    """What others waited for comes."""
    outcome, = device.deliver(device.create("inspection", SCOPE, {"started_at": moment()}, id=inspection))
    assert outcome["outcome"] == "applied"


def fields_of(device: Handheld, finding: str) -> dict[str, Any]:
    return device.owner.record("finding", finding)["fields"]


def became(device: Handheld, mutation: dict[str, Any]) -> dict[str, Any]:
    """What became of a mutation that was held."""
    again, = device.deliver(mutation)
    return again["settled"]


def history_of(device: Handheld, finding: str) -> list[dict[str, Any]]:
    return granted(device.owner.get(f"/records/finding/{finding}/history"))["items"]


def no_conflict(device: Handheld, finding: str) -> bool:
    listed = granted(device.owner.get(f"/records?type=conflict&about_id={finding}"))["items"]
    return not listed


def test_a_held_edit_does_not_overwrite_what_its_device_wrote_later(device: Handheld) -> None:
    finding, inspection = device.report(SCOPE, text="zero"), new_id()
    first = device.edit("finding", finding, 1, set={"text": "first", "address": "甲", "inspection_id": inspection})
    second = device.edit("finding", finding, 1, set={"text": "second"})
    assert [one["outcome"] for one in device.deliver(first, second)] == ["held", "applied"]
    arrive(device, inspection)
    assert became(device, first)["outcome"] == "applied"
    fields = fields_of(device, finding)
    assert (fields["text"], fields["address"], fields["inspection_id"]) == ("second", "甲", inspection)
    assert "first" in str(history_of(device, finding))
    assert no_conflict(device, finding)


def test_two_held_edits_whose_parents_come_in_the_other_order(device: Handheld) -> None:
    finding, one, two = device.report(SCOPE), new_id(), new_id()
    first = device.edit("finding", finding, 1, set={"text": "t1", "inspection_id": one})
    second = device.edit("finding", finding, 1, set={"text": "t2", "inspection_id": two})
    assert [each["outcome"] for each in device.deliver(first, second)] == ["held", "held"]
    arrive(device, two)
    arrive(device, one)
    fields = fields_of(device, finding)
    assert (fields["text"], fields["inspection_id"]) == ("t2", two)
    assert "t1" in str(history_of(device, finding))
    assert one in str(history_of(device, finding))
    assert no_conflict(device, finding)


def test_a_member_that_was_taken_out_later_does_not_come_back(device: Handheld) -> None:
    finding, inspection = device.report(SCOPE, tags=["夜间"]), new_id()
    added = device.edit("finding", finding, 1, add={"tags": ["夜间", "占道"]}, set={"inspection_id": inspection})
    removed = device.edit("finding", finding, 1, remove={"tags": ["夜间"]})
    assert [one["outcome"] for one in device.deliver(added, removed)] == ["held", "applied"]
    arrive(device, inspection)
    assert fields_of(device, finding)["tags"] == ["占道"]


def test_a_creation_that_waits_is_not_overtaken_by_a_second_one(device: Handheld) -> None:
    """A put that could make the record waits behind the one that was to make it."""
    finding, inspection = new_id(), new_id()
    whole = {"observed_at": moment(), "address": "劳动路 1 号"}
    created = device.create("finding", SCOPE, {**whole, "text": "old", "inspection_id": inspection}, id=finding)
    again = device.create("finding", SCOPE, {**whole, "text": "whole"}, id=finding)
    assert [one["outcome"] for one in device.deliver(created, again)] == ["held", "held"]
    arrive(device, inspection)
    fields = fields_of(device, finding)
    assert (fields["text"], fields["inspection_id"]) == ("whole", inspection)
    assert "old" in str(history_of(device, finding))


def test_a_key_that_a_later_creation_does_not_name_is_not_overtaken(device: Handheld) -> None:
    """Of a map each key is a value of its own, also where the later mutation made the record."""
    inspection = new_id()
    answers = {key: {"value": key, "note": None} for key in ("q1", "q2")}
    refused = device.create("inspection", "110101", {"started_at": moment()}, id=inspection)
    edits = [device.edit("inspection", inspection, 0, set={"answers": {key: value}}) for key, value in answers.items()]
    later = device.create("inspection", SCOPE, {"started_at": moment(),
                                                "answers": {"q1": {"value": "later", "note": None}}}, id=inspection)
    outcomes = device.deliver(refused, *edits, later)
    assert [one["outcome"] for one in outcomes] == ["quarantined", "held", "held", "applied"]
    fields = device.owner.record("inspection", inspection)["fields"]
    assert {key: answer["value"] for key, answer in fields["answers"].items()} == {"q1": "later", "q2": "q2"}


def test_a_classification_that_a_later_creation_names_is_overtaken(device: Handheld) -> None:
    finding, whole = new_id(), {"observed_at": moment(), "address": "劳动路 1 号"}
    scheme = {"class_scheme": "GB/T 30428.2-2013:event"}
    refused = device.create("finding", "110101", whole, id=finding)
    edit = device.edit("finding", finding, 0, set={**scheme, "class_code": "0502", "text": "first"})
    later = device.create("finding", SCOPE, {**whole, **scheme, "class_code": "0504"}, id=finding)
    outcomes = device.deliver(refused, edit, later)
    assert [one["outcome"] for one in outcomes] == ["quarantined", "held", "applied"]
    fields = fields_of(device, finding)
    assert (fields["class_code"], fields["text"]) == ("0504", "first")
    assert "0502" in str(history_of(device, finding))


def test_a_held_edit_of_what_its_device_deleted_later(device: Handheld) -> None:
    finding, inspection = device.report(SCOPE), new_id()
    edit = device.edit("finding", finding, 1, set={"text": "before", "inspection_id": inspection})
    deletion = device.remove("finding", finding, 1)
    assert [one["outcome"] for one in device.deliver(edit, deletion)] == ["held", "applied"]
    arrive(device, inspection)
    assert became(device, edit)["outcome"] == "applied"
    assert no_conflict(device, finding)
    device.catch_up()
    assert ("finding", finding) not in device.rows


def test_a_released_edit_does_not_overwrite_what_its_device_wrote_later(
        device: Handheld, supervisor: Person) -> None:
    finding = device.report(SCOPE)
    first = device.edit("finding", finding, 1, set={"text": "first", "class_code": "9876"})
    second = device.edit("finding", finding, 1, set={"text": "second"})
    assert [one["outcome"] for one in device.deliver(first, second)] == ["quarantined", "applied"]
    entry, = (row for row in granted(supervisor.get("/quarantine"))["items"] if row["mutation"]["id"] == first["id"])
    granted(supervisor.post(f"/quarantine/{entry['id']}/release", {"set": {"class_code": "0504"}}))
    fields = fields_of(device, finding)
    assert (fields["text"], fields["class_code"]) == ("second", "0504")
    assert "first" in str(history_of(device, finding))


def test_another_devices_edit_is_still_a_conflict(bureau: Bureau, device: Handheld) -> None:
    other = bureau.handheld(SCOPE, who="other")
    finding, inspection = device.report(SCOPE), new_id()
    held = device.edit("finding", finding, 1, set={"text": "mine", "inspection_id": inspection})
    assert device.deliver(held)[0]["outcome"] == "held"
    assert other.deliver(other.edit("finding", finding, 1, set={"text": "theirs"}))[0]["outcome"] == "applied"
    arrive(device, inspection)
    assert became(device, held)["outcome"] == "conflicted"


def test_edits_of_whatever_a_held_group_makes_wait_with_it(device: Handheld) -> None:
    inspection, group = new_id(), new_id()
    whole = {"observed_at": moment(), "address": "劳动路 1 号"}
    one = device.create("finding", SCOPE, {**whole, "inspection_id": inspection}, group=group)
    two = device.create("finding", SCOPE, whole, group=group)
    now = [device.edit("finding", each["record_id"], 0, set={"address": "劳动路 2 号"}) for each in (one, two)]
    assert [each["outcome"] for each in device.deliver(one, two, *now)] == ["held"] * 4
    edits = [device.edit("finding", each["record_id"], 0, set={"text": "e"}) for each in (one, two)]
    assert [each["outcome"] for each in device.deliver(*edits)] == ["held", "held"]
    arrive(device, inspection)
    assert [fields_of(device, each["record_id"])["address"] for each in (one, two)] == ["劳动路 2 号"] * 2
    assert [fields_of(device, each["record_id"])["text"] for each in (one, two)] == ["e", "e"]
