"""Everything undelivered in one file: signed, whole groups, and nothing here changed by it."""

import orjson

from sync.outbox_file import opened
from sync.signing import jwk_of
from tests.bureau import a_photo
from tests.sync.device.office import SCOPE, a_finding, report

LIMITS = {"push_bytes": 8_388_608, "upload_bytes": 67_108_864}


def bodies(file):
    return [orjson.loads(push.body) for push in file.pushes]


def test_what_waits_is_in_it_and_goes_on_waiting(device, tmp_path):
    report(device)
    device.push()
    finding = report(device, text="未送达")
    device.capture(a_photo(1), about=("finding", finding), role="scene")
    before = [device.unsent(), device.photos(), device.events()]
    said = device.bundle(tmp_path / "outbox.zip")
    assert [device.unsent(), device.photos(), device.events()] == before
    assert said["numbers"] == {"first": 2, "newest": 3} and said["user"]["username"] == "inspector"
    with opened(tmp_path / "outbox.zip", **LIMITS) as file:
        file.must_be_of(jwk_of(device.identity.key.public_key()))
        assert bodies(file) == [{"mutations": device.unsent()}]
        photo, = file.photos
        assert b"".join(file.blocks_of(photo)) == a_photo(1)
    device.sync()
    assert device.bundle(tmp_path / "outbox.zip")["pushes"] == []


def test_a_push_holds_no_more_than_the_server_takes_and_groups_whole(device, tmp_path):
    device.store.put("limits", {"mutations_per_push": 2})
    report(device)
    with device.group():
        report(device)
        report(device)
    report(device)
    device.bundle(tmp_path / "outbox.zip")
    with opened(tmp_path / "outbox.zip", **LIMITS) as file:
        assert [[one["n"] for one in body["mutations"]] for body in bodies(file)] == [[1], [2, 3], [4]]
        assert [(push.first, push.last) for push in file.pushes] == [(1, 1), (2, 3), (4, 4)]


def test_a_photo_that_is_no_longer_sound_is_named_and_left_out(device, tmp_path):
    finding = device.create("finding", a_finding(), SCOPE)
    device.capture(a_photo(2), about=("finding", finding), role="scene")
    lost = device.photos()[0].sha256
    device.files.path(lost).write_bytes(b"other bytes")
    said = device.bundle(tmp_path / "outbox.zip")
    assert (said["photos"], said["lacking"]) == ([], [lost])


def test_a_device_without_a_key_signs_nothing(office, tmp_path):
    device = office.device(tmp_path / "plain", sign=False)
    report(device)
    device.bundle(tmp_path / "outbox.zip")
    with opened(tmp_path / "outbox.zip", **LIMITS) as file:
        file.must_be_of(None)
        assert [push.signature for push in file.pushes] == [None]
