"""The device against the real server when things go wrong: lost answers, clones, old copies, bad networks."""

import shutil
from contextlib import suppress

import orjson
import pytest

from sync.device.client import Problem, Unreachable
from sync.device.device import Device
from sync.device.faulty import Odds
from tests.sync.device.office import HURRIED, Office, on_server, quiet, report


def test_a_push_whose_answer_was_lost_is_repeated_and_changes_nothing(office, tmp_path):
    network = office.network(1, Odds())
    device = office.device(tmp_path / "a", transport=network)
    finding = report(device)
    network.odds = Odds(lose_answer=1.0)
    with pytest.raises(Unreachable):
        device.push()
    network.odds = Odds()
    assert on_server(office, "finding", finding)["version"] == 1 and len(device.unsent()) == 1
    assert device.sync().delivered == 1
    assert on_server(office, "finding", finding)["version"] == 1


def test_a_cursor_that_is_not_valid_begins_again_and_keeps_the_outbox(office, device):
    finding = report(device)
    device.sync()
    device.edit("finding", finding, {"text": "离线改"})
    device.store.put("cursor", "forged")
    device.pull()
    assert device.get("finding", finding).fields["text"] == "离线改"
    assert [each["n"] for each in device.unsent()] == [2] and device.verify() == []
    assert device.sync().conflicts == 0


def test_a_cloned_device_enrols_anew_and_loses_nothing(office, device, tmp_path):
    report(device)
    device.sync()
    device.store.close()
    shutil.copytree(tmp_path / "a", tmp_path / "clone")
    parts = {"transport": office.transport, "patience": HURRIED}
    original = Device.open(tmp_path / "a", **parts)
    clone = Device.open(tmp_path / "clone", invite=lambda: office.invite(original.user["username"]), **parts)
    mine, twin = report(original), report(clone, text="另一台")
    photo = clone.capture(b"\xff\xd8\xff twin", about=("finding", twin), role="scene")
    original.push()
    clone.push()
    clone.pull()
    assert clone.id != original.id and clone.unsent() == [] and clone.state == "enrolled"
    assert clone.get("finding", mine).version and clone.get("finding", twin).fields["text"] == "另一台"
    evidence = clone.get("evidence", photo).fields
    assert evidence["capture"]["seq"] == 1
    assert not {"signature_invalid", "chain_fork", "chain_gap"} & {flag["code"] for flag in evidence["flags"] or ()}


def backed_up_with_a_clone(folder):
    """An office, a backup of it, and a device of its own in `a` that was copied to `clone`; neither is open."""
    office = Office(folder / "data")
    device = office.device(folder / "a")
    device.sync()
    backup = office.back_up(folder / "backup")
    device.store.close()
    shutil.copytree(folder / "a", folder / "clone")
    return office, backup


@pytest.mark.parametrize("quicker", [1, 2])
def test_after_a_restore_a_clone_was_quicker_and_used_its_numbers(tmp_path, quicker):
    """The restored server has as many mutations of this device as it was sent, or fewer, but they are its copy's."""
    office, backup = backed_up_with_a_clone(tmp_path)
    parts = {"transport": office.transport, "patience": HURRIED}
    first, second = Device.open(tmp_path / "a", **parts), Device.open(tmp_path / "clone", **parts)
    made = [report(first, text=f"甲{number}") for number in range(3)]
    first.push()
    office.restore(backup)
    made += [report(second, text=f"乙{number}") for number in range(quicker)]
    second.sync()
    with pytest.raises(Problem, match="device_forked"):
        first.sync()
    first.enrol_anew(office.invite(first.user["username"]))
    quiet(first, second)
    for each in (first, second):
        assert sorted(each.get("finding", one).fields["text"] for one in made) == [
            *(f"乙{number}" for number in range(quicker)), "甲0", "甲1", "甲2"]
        assert each.unsent() == [] and each.verify() == []


@pytest.mark.parametrize("answer", ["comes", "lost", "lost, then a restart"])
def test_a_number_that_fits_behind_those_of_a_clone_proves_nothing_of_its_own_before(tmp_path, answer):
    """Unaware of the restore, the device brings the number that comes next; what it had brought is not there."""
    office, backup = backed_up_with_a_clone(tmp_path)
    network, parts = office.network(1, Odds()), {"patience": HURRIED}
    first = Device.open(tmp_path / "a", transport=network, **parts)
    second = Device.open(tmp_path / "clone", transport=office.transport, **parts)
    made = [report(first, text=f"甲{number}") for number in range(2)]
    first.push()
    office.restore(backup)
    made += [report(second, text=f"乙{number}") for number in range(2)]
    second.sync()
    made.append(report(first, text="甲2"))
    if answer != "comes":
        network.odds = Odds(lose_answer=1.0)
        with pytest.raises(Unreachable):
            first.push()
        network.odds = Odds()
    if answer == "lost, then a restart":
        first.store.close()
        first = Device.open(tmp_path / "a", transport=network, **parts)
    with pytest.raises(Problem, match="device_forked"):
        first.push()
    with pytest.raises(Problem, match="device_forked"):  # the server has a number that it never gave
        second.sync()
    for each in (first, second):
        each.enrol_anew(office.invite(each.user["username"]))
    quiet(first, second)
    for each in (first, second):
        assert sorted(each.get("finding", one).fields["text"] for one in made) == ["乙0", "乙1", "甲0", "甲1", "甲2"]
        assert each.unsent() == [] and each.verify() == []


def test_after_a_fork_on_a_restored_server_old_bases_overwrite_nobody(tmp_path):
    """A base of the old epoch would say that its maker had seen what somebody else wrote in the new one."""
    office = Office(tmp_path / "data")
    device, other, third = (office.device(tmp_path / name) for name in ("a", "b", "c"))
    finding = report(other)
    quiet(device, other, third)
    backup = office.back_up(tmp_path / "backup")
    device.store.close()
    shutil.copytree(tmp_path / "a", tmp_path / "clone")
    parts = {"transport": office.transport, "patience": HURRIED}
    device, clone = Device.open(tmp_path / "a", **parts), Device.open(tmp_path / "clone", **parts)
    other.edit("finding", finding, {"text": "恢复前"})
    quiet(other, device)
    device.edit("finding", finding, {"text": "甲"})
    kept = report(device)
    device.push()
    office.restore(backup)
    third.edit("finding", finding, {"text": "恢复后"})
    third.sync()
    report(clone)
    clone.sync()
    with pytest.raises(Problem, match="device_forked"):
        device.sync()
    device.enrol_anew(office.invite(device.user["username"]))
    assert device.sync().conflicts == 1 and device.quarantined() == []
    quiet(device, third)
    assert third.get("finding", finding).fields["text"] == "甲" and third.get("finding", kept)
    [conflict] = device.records("conflict")
    assert (conflict.fields["theirs"], conflict.fields["mine"]) == ("恢复后", "甲")
    assert device.store.get("asked") is None


def test_a_restore_that_lost_nothing_is_asked_about_once(tmp_path):
    office = Office(tmp_path / "data")
    device = office.device(tmp_path / "a")
    finding = report(device)
    quiet(device)
    office.restore(office.back_up(tmp_path / "backup"))
    quiet(device)
    assert device.store.get("asked") is None and device.unsent() == []
    assert [event["delivered_again"] for event in device.events() if event["kind"] == "server_restored"] == [0]
    assert on_server(office, "finding", finding)["version"] == 1


def test_without_anybody_to_invite_it_a_forked_device_keeps_everything(office, device, tmp_path):
    device.sync()
    device.store.close()
    shutil.copytree(tmp_path / "a", tmp_path / "clone")
    first, second = (Device.open(tmp_path / name, transport=office.transport, patience=HURRIED)
                     for name in ("a", "clone"))
    report(first)
    report(second)
    first.push()
    with pytest.raises(Problem, match="device_forked"):
        second.push()
    assert second.state == "forked" and len(second.unsent()) == 1
    second.enrol_anew(office.invite(second.user["username"]))
    assert second.sync().delivered == 1


def test_an_older_copy_of_a_device_is_noticed_before_it_uses_a_number_twice(office, device, tmp_path):
    early = report(device)
    device.sync()
    device.store.close()
    shutil.copytree(tmp_path / "a", tmp_path / "older")
    newer = Device.open(tmp_path / "a", transport=office.transport, patience=HURRIED)
    late = report(newer)
    newer.sync()
    older = Device.open(tmp_path / "older", transport=office.transport, patience=HURRIED)
    with pytest.raises(Problem, match="older copy"):
        older.sync()
    assert (older.state, [event["kind"] for event in older.events()]) == ("forked", ["store_older"])
    offline = report(older, text="旧机离线")
    older.enrol_anew(office.invite(older.user["username"]))
    quiet(older)
    assert older.id != newer.id and older.unsent() == []
    assert {early, late, offline} <= {record.id for record in older.records("finding")}


def test_an_older_copy_that_took_photos_forks_no_chain(office, device, tmp_path):
    """Its chain would go on with a number that the newer one used; it begins a chain of its own instead."""
    finding = report(device)
    device.capture(b"\xff\xd8\xff first", about=("finding", finding), role="scene")
    device.sync()
    device.store.close()
    shutil.copytree(tmp_path / "a", tmp_path / "older")
    parts = {"transport": office.transport, "patience": HURRIED}
    newer = Device.open(tmp_path / "a", **parts)
    newer.capture(b"\xff\xd8\xff newer", about=("finding", finding), role="scene")
    newer.sync()
    older = Device.open(tmp_path / "older", invite=lambda: office.invite(newer.user["username"]), **parts)
    photo = older.capture(b"\xff\xd8\xff older", about=("finding", finding), role="scene")
    quiet(older, newer)
    assert older.id != newer.id and older.get("evidence", photo).fields["capture"]["seq"] == 1
    photos = [one for one in older.records("evidence") if one.fields["about"]["id"] == finding]
    assert len(photos) == 3 and not [flag for one in photos for flag in one.fields["flags"] or ()]
    assert not {newer.id, older.id} & {one.fields["device"] for one in older.records("incident")}


def test_a_photo_taken_between_a_new_enrolment_and_its_first_pull_is_signed_once(office, device):
    finding = report(device)
    device.sync()
    device.enrol_anew(office.invite(device.user["username"]))
    photo = device.capture(b"\xff\xd8\xff between", about=("finding", finding), role="scene")
    quiet(device)
    fields = on_server(office, "evidence", photo)["fields"]
    assert fields["capture"]["seq"] == 1 and "chain_gap" not in {flag["code"] for flag in fields["flags"] or ()}


@pytest.mark.parametrize("seed", range(3))
def test_over_a_bad_network_everything_arrives_exactly_once(office, tmp_path, seed):
    odds = Odds(lose_request=0.15, lose_answer=0.15, duplicate=0.1)
    networks = [office.network(seed * 10 + number, odds) for number in range(2)]
    for number in range(2):
        office.device(tmp_path / str(number)).close()
    devices = [Device.open(tmp_path / str(number), transport=network, patience=HURRIED)
               for number, network in enumerate(networks)]
    mine = []
    for step in range(30):
        device = devices[step % 2]
        known = [each for each in mine if device.get("finding", each)]
        if step % 5 == 0 or not known:
            mine.append(report(device, text=f"{seed}/{step}"))
        else:
            device.edit("finding", known[step % len(known)], {"text": f"{step}"}, add={"tags": [f"{step}"]})
        if step % 3 == 0:
            with suppress(Unreachable):
                device.sync()
    for network in networks:
        network.odds = Odds()
    quiet(*devices)
    assert all(device.unsent() == [] and device.quarantined() == [] for device in devices)
    for id in mine:
        one, two = (device.get("finding", id) for device in devices)
        assert one == two and one.fields == on_server(office, "finding", id)["fields"]
    edits = [orjson.loads(body) for device in devices for body, in device.store.run("SELECT body FROM mutation")]
    for edit in edits:
        tags = devices[0].get("finding", edit["record_id"]).fields.get("tags", [])
        assert set(edit.get("add", {}).get("tags", [])) <= set(tags)
    assert sum(len(network.faults) for network in networks) > 5
    assert [device.verify() for device in devices] == [[], []]
