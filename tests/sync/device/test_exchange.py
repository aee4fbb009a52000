"""The device against the real server: what is made apart arrives, meets and comes back."""

from itertools import count
from random import Random

import httpx
import pytest

from sync.device.client import Problem
from sync.device.device import Device
from tests.sync.device.office import HURRIED, SCOPE, Office, on_server, quiet, report

OTHER_SCOPE = "320412102"


def test_work_done_offline_arrives_and_comes_back(office, device, tmp_path):
    finding = report(device)
    device.edit("finding", finding, {"text": "门前堆物两处"}, add={"tags": ["夜间"]})
    assert device.get("finding", finding).unsent == 2
    done = device.sync()
    assert (done.delivered, done.waiting, done.conflicts, done.quarantined) == (2, 0, 0, 0)
    seen = device.get("finding", finding)
    assert (seen.version, seen.unsent, seen.fields["tags"], seen.fields["text"]) == (2, 0, ["夜间"], "门前堆物两处")
    assert on_server(office, "finding", finding)["fields"] == seen.fields
    assert device.verify() == []
    device.close()
    again = Device.open(tmp_path / "a", transport=office.transport, patience=HURRIED)
    assert again.get("finding", finding) == seen and again.sync().delivered == 0


@pytest.mark.parametrize("seed", range(3))
def test_what_is_shown_before_delivery_is_what_stands_after_it(device, seed):
    dice, number = Random(seed), count()
    ids = {"finding": report(device), "track": device.create("track", {}, SCOPE),
           "inspection": device.create("inspection", {"started_at": "2026-11-22T01:00:00.000Z"}, SCOPE)}
    edits = {
        "finding": lambda: {"set": {dice.choice(("text", "condition", "later")): dice.choice((None, "甲", "乙"))},
                            "add": {"tags": dice.sample("abc", 1)}, "remove": {"tags": dice.sample("abcd", 2)}},
        "inspection": lambda: {"set": {"answers": {dice.choice("123"): dice.choice((None, {"value": next(number)}))}},
                               "add": {"officers": dice.sample("xyz", 2)}},
        "track": lambda: {"add": {"points": [{"id": dice.choice("pqrs"), "lon": next(number)}]}},
    }
    for _ in range(40):
        type = dice.choice(list(ids))
        device.edit(type, ids[type], **edits[type]())
        if dice.random() < 0.1:
            device.push()
    shown = {type: device.get(type, id).fields for type, id in ids.items()}
    device.sync()
    assert device.quarantined() == []
    for type, id in ids.items():
        fields = device.get(type, id).fields
        assert {name: fields.get(name) for name in shown[type]} == shown[type]


def test_a_device_that_loses_the_network_right_after_enrolling_is_enrolled(office, tmp_path):
    class Enrolling(httpx.BaseTransport):
        def handle_request(self, request):
            if not request.url.path.endswith("/devices"):
                raise httpx.ConnectError("no network", request=request)
            return office.transport.handle_request(request)

    device = office.device(tmp_path / "a", transport=Enrolling())
    finding = report(device)
    device.close()
    again = Device.open(tmp_path / "a", transport=office.transport, patience=HURRIED)
    assert again.sync().delivered == 1 and again.get("finding", finding).version == 1


def test_a_device_without_a_key_delivers_too(office, tmp_path):
    device = office.device(tmp_path / "unsigned", sign=False)
    report(device)
    assert device.sync().delivered == 1


def test_two_devices_that_disagree_lose_nothing(office, device, other):
    finding = report(device)
    quiet(device, other)
    device.edit("finding", finding, {"text": "甲", "condition": "已清理"}, add={"tags": ["甲"]})
    other.edit("finding", finding, {"text": "乙", "severity": 2}, add={"tags": ["乙"]})
    device.sync()
    done = other.sync()
    assert (done.conflicts, done.quarantined) == (1, 0)
    quiet(device, other)
    for each in (device, other):
        fields = each.get("finding", finding).fields
        assert fields["text"] == "乙" and fields["condition"] == "已清理" and fields["severity"] == 2
        assert sorted(fields["tags"]) == ["乙", "甲"]
    conflict, = [each for each in device.records("conflict") if each.fields["record_id"] == finding]
    assert (conflict.fields["theirs"], conflict.fields["mine"]) == ("甲", "乙")
    device.command("conflict", conflict.id, "resolve", {"choice": "theirs"})
    quiet(device, other)
    assert other.get("finding", finding).fields["text"] == "甲"


def test_own_edits_on_unsent_edits_conflict_with_nobody(device):
    finding = report(device)
    for text in ("一", "二", "三"):
        device.edit("finding", finding, {"text": text})
    device.push()
    device.edit("finding", finding, {"text": "四"})
    assert [each["base"] for each in device.unsent()] == [0]
    done = device.sync()
    assert done.conflicts == 0 and device.get("finding", finding).fields["text"] == "四"


def test_the_base_is_what_the_person_looked_at(device, other):
    finding = report(device)
    quiet(device, other)
    looked_at = device.get("finding", finding)
    other.edit("finding", finding, {"text": "乙"})
    quiet(other, device)
    device.edit("finding", finding, {"text": "甲"}, base=looked_at.version)
    assert device.sync().conflicts == 1


def test_what_the_server_will_not_apply_stands_in_nobodys_way(device):
    good = report(device)
    bad = report(device, position={"lon": 119.95, "lat": 31.7})
    later = report(device)
    done = device.sync()
    assert (done.delivered, done.quarantined) == (3, 1)
    assert device.get("finding", good).version and device.get("finding", later).version
    refused, = device.quarantined()
    assert refused.body["record_id"] == bad and refused.problem["code"] == "crs_missing"
    assert device.get("finding", bad).problems[0]["code"] == "crs_missing"


def test_a_group_is_all_or_nothing(device):
    with device.group():
        good = report(device)
        report(device, position={"lon": 1, "lat": 2})
    assert device.sync().quarantined == 2
    assert {each.problem["code"] for each in device.quarantined()} == {"crs_missing", "group_failed"}
    assert device.get("finding", good).version == 0


def test_what_waits_for_another_record_is_settled_when_that_arrives(device, other):
    inspection = other.create("inspection", {"started_at": "2026-11-22T01:00:00.000Z"}, SCOPE)
    finding = report(device, inspection_id=inspection)
    device.sync()
    assert device.outbox.made(state="held") and device.get("finding", finding).fields["text"] == "门前堆物"
    other.sync()
    device.pull()
    assert device.outbox.made() == [] and device.get("finding", finding).version


def test_pages_are_fetched_until_there_are_no_more(office, device, tmp_path):
    findings = {report(device) for _ in range(7)}
    device.sync()
    fresh = office.device(tmp_path / "fresh")
    fresh.pull(limit=3)
    assert findings <= {record.id for record in fresh.records("finding")}
    assert fresh.verify() == []


def test_the_device_tells_how_it_is(office, device):
    def told():
        row, = [each for each in office.admin.get("/devices")["items"] if each["id"] == device.id]
        return row["last_n"], row["reported"]["unsent"], row["clock_offset_ms"] is not None

    report(device)
    device.push()
    assert told() == (1, 1, True)
    device.sync()
    assert told() == (1, 0, True)


def test_a_batch_that_is_too_large_is_divided(tmp_path):
    office = Office(tmp_path / "data", mutations_per_push=5)
    device = office.device(tmp_path / "a")
    findings = [report(device) for _ in range(17)]
    device.store.put("limits", {"mutations_per_push": 500})  # what it was told before the server lowered it
    assert device.push().delivered == 17
    device.pull()
    assert sorted(record.id for record in device.records("finding")) == sorted(findings)


def test_a_revoked_device_keeps_everything(office, device):
    report(device)
    office.admin.post(f"/devices/{device.id}/revoke", {"reason": "丢失"})
    for _ in range(2):
        with pytest.raises(Problem, match="device_revoked"):
            device.push()
    assert device.state == "revoked" and len(device.unsent()) == 1


def test_a_record_that_leaves_the_scope_is_forgotten_once_nothing_waits_on_it(office, device, other):
    finding, kept = report(device), report(device)
    quiet(device, other)
    device.edit("finding", finding, {"text": "最后一笔"})
    supervisor = office.person("supervisor", scopes=("3204",))
    for each in (finding, kept):
        supervisor.post(f"/records/finding/{each}/commands",
                        {"name": "move", "args": {"scope": OTHER_SCOPE, "reason": "地界更正"}})
    device.pull()
    assert device.get("finding", finding).fields["text"] == "最后一笔" and device.get("finding", kept) is None
    device.push()
    assert device.get("finding", finding) is None
    device.pull()
    assert device.get("finding", finding) is None and device.verify() == []


def test_a_deleted_record_disappears_everywhere(device, other):
    finding = report(device)
    quiet(device, other)
    device.delete("finding", finding, "误报")
    assert device.get("finding", finding) is None
    quiet(device, other)
    assert other.get("finding", finding) is None and other.verify() == []
