"""The device against a real server that was restored from a backup: it gets again what it lost, nobody is forked."""

import pytest

from sync.device.client import Problem
from tests.bureau import a_photo
from tests.sync.device.office import Office, on_server, quiet, report


def test_a_restored_server_gets_again_what_it_lost(tmp_path):
    office = Office(tmp_path / "data")
    device, other = office.device(tmp_path / "a"), office.device(tmp_path / "b")
    kept = report(device)
    quiet(device, other)
    backup = office.back_up(tmp_path / "backup")
    device.edit("finding", kept, {"text": "备份之后"})
    lost = report(device)
    quiet(device, other)
    other.edit("finding", lost, {"condition": "属实"})
    other.edit("finding", kept, {"address": "武宜路4号"})
    quiet(device, other)
    device.edit("finding", lost, {"text": "恢复时未送"})
    office.restore(backup)
    quiet(device, other)
    for each in (device, other):
        assert each.quarantined() == [] and each.unsent() == [] and each.outbox.made() == []
        assert each.get("finding", kept).fields["text"] == "备份之后"
        assert each.get("finding", kept).fields["address"] == "武宜路4号"
        assert each.get("finding", lost).fields["text"] == "恢复时未送"
        assert each.get("finding", lost).fields["condition"] == "属实"
        assert each.verify() == []


def test_an_older_backup_and_then_a_newer_one_fork_nobody(tmp_path):
    """By the older one the device forgets on which version it made what the newer one has."""
    office = Office(tmp_path / "data")
    device, other = office.device(tmp_path / "a"), office.device(tmp_path / "b")
    finding = report(device)
    quiet(device, other)
    older = office.back_up(tmp_path / "older")
    other.edit("finding", finding, {"condition": "属实"})
    quiet(other, device)
    device.edit("finding", finding, {"text": "第二版上改的"})
    quiet(device, other)
    newer = office.back_up(tmp_path / "newer")
    office.restore(older)
    device.sync()
    office.restore(newer)
    device.edit("finding", finding, {"address": "武宜路4号"})
    quiet(device, other)
    for each in (device, other):
        assert each.state == "enrolled" and each.unsent() == [] and each.quarantined() == [] and each.verify() == []
    fields = on_server(office, "finding", finding)["fields"]
    assert (fields["text"], fields["condition"], fields["address"]) == ("第二版上改的", "属实", "武宜路4号")


def test_a_push_finds_out_by_itself_that_the_server_was_restored(tmp_path):
    office = Office(tmp_path / "data")
    device = office.device(tmp_path / "a")
    backup = office.back_up(tmp_path / "backup")
    findings = [report(device), report(device)]
    device.push()
    office.restore(backup)
    findings.append(report(device))
    assert device.push().delivered == 3
    device.pull()
    assert [device.get("finding", each).version for each in findings] == [1, 1, 1] and device.quarantined() == []


def test_an_edit_of_a_record_that_is_not_back_yet_waits_for_it(tmp_path):
    office = Office(tmp_path / "data")
    device, other = office.device(tmp_path / "a"), office.device(tmp_path / "b")
    quiet(device, other)
    backup = office.back_up(tmp_path / "backup")
    lost = report(device)
    quiet(device, other)
    other.edit("finding", lost, {"condition": "属实"})
    quiet(other)
    office.restore(backup)
    other.sync()
    assert other.quarantined() == [] and [each.state for each in other.outbox.made()] == ["held"]
    quiet(device, other)
    assert device.get("finding", lost).fields["condition"] == "属实" and other.outbox.made() == []
    assert [event["kind"] for event in other.events()] == ["server_restored", "journal_replaced"]


def test_what_was_released_after_the_backup_is_quarantined_again_for_the_device_too(tmp_path):
    office = Office(tmp_path / "data")
    device = office.device(tmp_path / "a")
    report(device, class_code="nonsense")
    quiet(device)
    assert len(device.quarantined()) == 1
    backup = office.back_up(tmp_path / "backup")
    supervisor = office.person("supervisor")
    waiting, = supervisor.get("/quarantine")["items"]
    supervisor.post(f"/quarantine/{waiting['id']}/release", {"set": {"class_code": "0504"}})
    quiet(device)
    assert device.quarantined() == []
    office.restore(backup)
    quiet(device)
    assert len(device.quarantined()) == 1


def test_a_device_that_the_backup_does_not_know_enrols_anew_and_brings_everything(tmp_path):
    office = Office(tmp_path / "data")
    backup = office.back_up(tmp_path / "backup")
    device = office.device(tmp_path / "a")
    finding = report(device)
    evidence = device.capture(a_photo(), about=("finding", finding), role="scene")
    quiet(device)
    device.edit("finding", finding, {"text": "改过"})
    quiet(device)
    office.restore(backup)
    with pytest.raises(Problem) as refusal:
        device.sync()
    assert refusal.value.status == 401
    device.enrol_anew(office.invite(device.user["username"]))
    quiet(device)
    assert device.unsent() == [] and device.quarantined() == [] and device.verify() == []
    assert on_server(office, "finding", finding)["fields"]["text"] == "改过"
    fields = on_server(office, "evidence", evidence)["fields"]
    assert fields["media"]["state"] == "verified"
    assert not {"signature_invalid", "chain_fork", "chain_gap"} & {flag["code"] for flag in fields["flags"] or ()}
