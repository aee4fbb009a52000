"""The chain as the server's own reading of protocol section 7 (`media.capture`) judges it."""

import hashlib
from dataclasses import asdict
from itertools import pairwise

import pytest

from media.capture import check_signature, link_of
from sync.device.device import Device
from sync.device.identity import new_key
from sync.signing import jwk_of

FINDING = "0193b0a0-0000-7000-8000-000000000001"
PHOTO = b"\xff\xd8\xff\xe0 as the camera wrote it"
POSITION = {"lon": 119.95, "lat": 31.71, "crs": "GCJ-02", "accuracy_m": 8.0, "provider": "gps", "mock": False}


@pytest.fixture
def key():
    return new_key()


@pytest.fixture
def device(tmp_path, clock, random_bytes, key):
    """A device that was enrolled once and has had no network since."""
    device = Device(tmp_path / "device", clock=clock, random=random_bytes, base_url="http://menqian.test")
    enrolment = {"device_id": "device-1", "token": "t", "user": {"username": "huang"}, "scopes": ["320412100"]}
    device.identity.take(enrolment, key)
    device.create("finding", {"text": "门前堆物"}, "320412100", id=FINDING)
    return device


def capture(device, content=PHOTO, **fields):
    return device.capture(content, about=("finding", FINDING), role="scene", **fields)


def entries(device):
    return [(made.body["record_id"], made.body["set"]) for made in device.outbox.made("evidence")]


def test_each_entry_is_signed_and_names_the_one_before(device, key):
    for number in range(4):
        capture(device, PHOTO + bytes([number]), position=POSITION if number % 2 else None)
    links = [link_of("device-1", fields["capture"], fields, id) for id, fields in entries(device)]
    assert [link.seq for link in links] == [1, 2, 3, 4]
    assert links[0].prev == "0" * 64 and all(later.prev == link.hash for link, later in pairwise(links))
    for id, fields in entries(device):
        assert check_signature(jwk_of(key.public_key()), "device-1", fields["capture"], fields, id) == []


def test_the_exact_bytes_are_hashed_and_kept(device, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(PHOTO)
    capture(device, tmp_path / "photo.jpg")
    (_, fields), = entries(device)
    assert (fields["sha256"], fields["bytes"], fields["media_type"]) == (
        hashlib.sha256(PHOTO).hexdigest(), len(PHOTO), "image/jpeg")
    assert device.files.path(fields["sha256"]).read_bytes() == PHOTO
    assert [asdict(file)["state"] for file in device.photos()] == ["waiting"]


def test_evidence_lies_in_the_scope_of_what_it_is_about(device):
    evidence = device.get("evidence", capture(device))
    assert evidence.scope == "320412100" and evidence.fields["about"] == {"type": "finding", "id": FINDING}


def test_a_capture_that_fails_leaves_no_entry(device):
    with pytest.raises(LookupError):
        device.capture(PHOTO, about=("finding", "unknown"), role="scene")
    with pytest.raises(ValueError):
        capture(device, position={**POSITION, "lon": float("nan")})
    assert entries(device) == [] and device.photos() == []
    capture(device)
    assert entries(device)[0][1]["capture"]["seq"] == 1


def test_photo_and_finding_may_be_one_group(device):
    with device.group() as group:
        device.edit("finding", FINDING, {"text": "附图"})
        capture(device)
    assert [each.get("group") for each in device.unsent()] == [None, group, group]


def test_a_device_without_a_key_links_without_signing(device):
    device.store.put("private_key", None)
    capture(device)
    assert "sig" not in entries(device)[0][1]["capture"]


def test_the_beacon_is_the_newest_checkpoint_that_was_seen(device):
    device.store.put("epoch", "e")
    device.store.run("INSERT INTO checkpoint VALUES ('e', 5, 'aa', 'note', ''), ('e', 7, 'bb', 'note', '')")
    capture(device)
    assert entries(device)[0][1]["capture"]["beacon"] == "bb"
