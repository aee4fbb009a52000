"""Whether everything arrived: the device's receipt, its health at every pull, what became of its conflicts."""

import pytest

from sync.device.device import Device
from sync.device.witness import LogRefused
from sync.notes import key_line
from sync.statements import photos_root, read_statement, sign_statement
from tests.bureau import a_photo
from tests.sync.device.office import HURRIED, SCOPE, report

ELSEWHERE = "320412102"


def captured(device):
    finding = report(device)
    device.capture(a_photo(), about=("finding", finding), role="scene")
    return finding


def devices_row(office, device):
    row, = (row for row in office.admin.get("/devices")["items"] if row["id"] == device.id)
    return row


def test_everything_is_delivered_only_with_a_receipt_that_covers_it(device):
    captured(device)
    assert not device.everything_delivered()
    device.push()
    assert not device.everything_delivered()
    device.sync()
    device.sync()                                    # the photo's check comes with the second pull
    assert device.everything_delivered()
    report(device)
    assert not device.everything_delivered()
    device.sync()
    assert device.everything_delivered()


def test_a_photo_that_is_not_verified_is_not_delivered(device):
    finding = captured(device)
    device.push()
    assert device.delivery.fetch() and not device.everything_delivered()
    device.upload()
    assert device.delivery.fetch() and device.everything_delivered()
    device.capture(a_photo(), about=("finding", finding), role="close")
    device.push()
    assert device.delivery.fetch() and not device.everything_delivered()


def test_the_receipt_outlives_the_device_s_process(office, device, tmp_path):
    captured(device)
    device.sync()
    device.sync()
    note = device.delivery.receipt
    device.close()
    again = Device.open(tmp_path / "a", transport=office.transport, patience=HURRIED)
    assert again.everything_delivered() and again.delivery.receipt == note


def test_a_receipt_that_the_journal_did_not_sign_is_refused(office, device, monkeypatch):
    report(device)
    device.sync()
    with office.app.app_context():
        from server.house import house
        signer = house().signer
    assert read_statement(device.delivery.receipt, key_line(signer.origin, signer.key.public_key()))
    real = device.client.get
    forged = device.delivery.receipt.replace('"last_n":1', '"last_n":9')
    monkeypatch.setattr(device.client, "get", lambda path, *rest: forged if path == "/sync/receipt" else
                        real(path, *rest))
    with pytest.raises(LogRefused):
        device.delivery.fetch()


def test_a_receipt_of_another_device_is_refused(office, device, other, monkeypatch):
    report(device)
    device.sync()
    monkeypatch.setattr(other.client, "get", lambda path, *rest: device.delivery.receipt)
    with pytest.raises(LogRefused):
        other.delivery.fetch()


def test_after_a_re_enrolment_the_photos_of_before_still_count(office, device):
    captured(device)
    device.sync()
    device.enrol_anew(office.invite("inspector"))
    report(device)
    device.sync()
    device.sync()
    assert device.everything_delivered()


def test_a_statement_says_the_same_of_photos_in_any_order():
    digests = [f"{number:064x}" for number in range(5)]
    assert photos_root(digests) == photos_root([*reversed(digests), digests[0]])


def test_a_statement_survives_signing(office):
    with office.app.app_context():
        from server.house import house
        signer = house().signer
    statement = {"last_n": 3, "device_id": "门前"}
    note = sign_statement(statement, signer.origin, signer.key)
    assert read_statement(note, key_line(signer.origin, signer.key.public_key())) == statement


def test_a_pull_tells_what_waits(office, device):
    captured(device)
    device.pull()
    reported = devices_row(office, device)["reported"]
    assert (reported["unsent"], reported["unsent_photos"]) == (2, 1)
    assert reported["oldest_unsent_at"] and reported["unsent_bytes"] > 1000
    device.sync()
    device.pull()
    reported = devices_row(office, device)["reported"]
    assert (reported["unsent"], reported["unsent_photos"], reported["oldest_unsent_at"]) == (0, 0, None)


def test_a_forgotten_record_stays_until_the_edit_on_it_is_delivered(office, device):
    supervisor = office.person("supervisor", scopes=("320412",))
    finding = report(device)
    device.sync()
    device.edit("finding", finding, {"text": "离线时改的"})
    supervisor.post(f"/records/finding/{finding}/commands", {"name": "move", "args": {"scope": ELSEWHERE,
                                                                                     "reason": "区划调整"}})
    device.pull()
    assert device.get("finding", finding).fields["text"] == "离线时改的"
    done = device.push()
    assert (done.delivered, done.quarantined) == (1, 0)
    assert device.get("finding", finding) is None
    assert supervisor.get(f"/records/finding/{finding}")["fields"]["text"] == "离线时改的"


def test_a_reassigned_person_s_device_delivers_what_it_held_after_it_learned_of_it(office, tmp_path):
    person = office.person("inspector")
    device = Device.enrol("http://menqian.test", office.invite(person.user["username"]), "测试机", tmp_path / "c",
                          transport=office.transport, patience=HURRIED)
    device.sync()
    finding = report(device)
    office.admin.patch(f"/users/{person.user['id']}", {"scopes": [ELSEWHERE]})
    device.pull()
    device.pull()                                    # acknowledges the new scopes; the finding still waits
    row = devices_row(office, device)
    assert row["scopes_acknowledged"]["version"] == 2 and row["holding"][0]["scope"] == SCOPE
    assert device.push().quarantined == 0
    assert office.admin.get(f"/records/finding/{finding}")["scope"] == SCOPE
    assert devices_row(office, device)["holding"] == []


def test_the_author_sees_what_became_of_his_value(office, device, other):
    supervisor = office.person("supervisor", scopes=("320412",))
    finding = report(device)
    device.sync()
    other.sync()
    other.edit("finding", finding, {"text": "别人的"})
    other.sync()
    device.edit("finding", finding, {"text": "我的"})
    assert device.sync().conflicts == 1
    item, = supervisor.get("/conflicts", {"record_id": finding})["items"]
    conflict, = item["conflicts"]
    supervisor.post(f"/conflicts/{finding}/resolutions", {"resolutions": [
        {"id": conflict["id"], "version": conflict["version"], "choice": "theirs"}]})
    assert device.settled_conflicts() == []
    device.sync()
    told, = device.settled_conflicts()
    assert (told["conflict_id"], told["field"], told["choice"], told["value"]) == (
        conflict["id"], "text", "theirs", "别人的")
    device.sync()
    assert len(device.settled_conflicts()) == 1
