"""Inspections, enforcement records, letters and tasks: what the trade checks, derives and seals."""

from __future__ import annotations

import pytest

from tests.server.indoors import indoors
from tests.wire import granted, moment, new_id, refused

SCOPE = "320412100"


@pytest.fixture(scope="module")
def bureau(tmp_path_factory):
    with indoors(tmp_path_factory.mktemp("trade")) as found:
        yield found


@pytest.fixture
def device(bureau):
    return bureau.handheld(SCOPE)


def created(device, type_, **fields):
    mutation = device.create(type_, SCOPE, fields)
    outcome, = device.deliver(mutation)
    assert outcome["outcome"] == "applied", outcome
    return mutation["record_id"]


def fields_of(device, type_, record_id):
    return device.owner.record(type_, record_id)["fields"]


def test_an_inspection_is_scored_from_its_template(device):
    inspection = created(device, "inspection", started_at=moment(), template_id="zone-daily", template_version=1,
                         answers={"zone-daily-01": {"value": "pass"}, "zone-daily-03": {"value": "fail"}})
    score = fields_of(device, "inspection", inspection)["score"]
    assert score["points"] == score["full_points"] - 14
    device.deliver(device.edit("inspection", inspection, 1, set={"answers": {"zone-daily-03": {"value": "pass"}}}))
    assert fields_of(device, "inspection", inspection)["score"]["points"] == score["full_points"]


def test_an_unknown_template_is_named_as_such(device):
    outcome, = device.deliver(device.create("inspection", SCOPE, {"started_at": moment(), "template_id": "nonsense"}))
    assert outcome["problem"]["code"] == "template_unknown"


def test_a_template_of_the_office_is_known_to_inspections(bureau, device):
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    items = [{"id": "a", "text": "地面干净", "points": 10, "answer": "pass_fail"}]
    granted(supervisor.create("template", SCOPE, {"template_id": "own", "template_version": 1, "name": "自定",
                                                  "items": items, "full_points": 10}), 201)
    inspection = created(device, "inspection", started_at=moment(), template_id="own", template_version=1,
                         answers={"a": {"value": "fail"}})
    assert fields_of(device, "inspection", inspection)["score"]["points"] == 0


def test_a_penalty_by_one_officer_is_shown_as_a_failed_check(device):
    alone = created(device, "enforcement", kind="order_now", facts="店外经营", officers=["甲"])
    assert [check["code"] for check in fields_of(device, "enforcement", alone)["checks"]] == ["two_officers"]
    both = created(device, "enforcement", kind="order_now", facts="店外经营", officers=["甲", "乙"])
    assert fields_of(device, "enforcement", both)["checks"] == []


def test_a_served_document_is_sealed_and_later_edits_are_amendments(device):
    served = created(device, "enforcement", kind="order_now", facts="店外经营", served={"how": "direct"})
    outcome, = device.deliver(device.edit("enforcement", served, 1, set={"facts": "另有占道"}))
    found = fields_of(device, "enforcement", served)
    assert (outcome["outcome"], found["facts"], found["status"]) == ("applied", "店外经营", "issued")
    assert [amendment["set"] for amendment in found["amendments"]] == [{"facts": "另有占道"}]


def test_an_auxiliary_persuades_and_signs_nothing(bureau):
    helper = bureau.handheld(SCOPE, roles=("auxiliary",))
    outcomes = helper.deliver(
        helper.create("enforcement", SCOPE, {"kind": "persuade", "facts": "劝导"}),
        helper.create("enforcement", SCOPE, {"kind": "order_now", "facts": "责令"}),
        helper.create("letter", SCOPE, {"signed_at": moment()}))
    assert [outcome["outcome"] for outcome in outcomes] == ["applied", "quarantined", "quarantined"]
    assert {outcome["problem"]["code"] for outcome in outcomes[1:]} == {"role_forbidden"}


def test_an_unknown_offence_is_named_as_such(device):
    outcome, = device.deliver(device.create("enforcement", SCOPE, {"kind": "record", "facts": "x",
                                                                    "offence_code": "NONE-1"}))
    assert outcome["problem"]["code"] == "offence_unknown"


def test_a_letter_knows_whether_it_is_signed_or_refused(device):
    signed = created(device, "letter", signed_at=moment())
    declined = created(device, "letter", refused={"reason": "不在"}, witness="社区干部")
    assert [fields_of(device, "letter", letter)["status"] for letter in (signed, declined)] == ["signed", "refused"]


def test_a_task_is_accepted_and_finished_by_its_assignee_only(bureau, device):
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    task = granted(supervisor.create("task", SCOPE, {"title": "复查", "assignee": device.user["id"]}), 201)
    assert task["fields"]["status"] == "open"
    stranger = bureau.handheld(SCOPE, who="another")
    outcome, = stranger.deliver(stranger.command("task", task["id"], 1, "accept"))
    assert outcome["problem"]["code"] == "assignee_required"
    outcomes = device.deliver(device.command("task", task["id"], 1, "accept"),
                              device.command("task", task["id"], 1, "finish"))
    assert [outcome["outcome"] for outcome in outcomes] == ["applied", "applied"]
    assert fields_of(device, "task", task["id"])["status"] == "finished"
    outcome, = device.deliver(device.command("task", task["id"], 3, "accept"))
    assert outcome["problem"]["code"] == "state_moved"


def test_a_task_for_nobody_is_refused(bureau):
    supervisor = bureau.person("supervisor", scopes=(SCOPE,))
    refused(supervisor.create("task", SCOPE, {"title": "复查", "assignee": new_id()}), 422, "assignee_unknown")
