"""What comes as an outbox file is bounded and checked before anybody acts on it, and told in words."""

import hashlib
import json
import uuid
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sync.outbox_file import FORMAT, LARGEST_BYTES, MANIFEST, SEAL, OutboxFileInvalid, opened, photo_name, push_name
from sync.signing import jwk_of, sign

KEY = ec.generate_private_key(ec.SECP256R1())
BODY = b'{"mutations":[{"n":3},{"n":4}]}'
PHOTO = b"a photo" * 100
DIGEST = hashlib.sha256(PHOTO).hexdigest()


def a_file(path, *, said=None, members=(), photo=PHOTO, compression=zipfile.ZIP_STORED, key=KEY, body=BODY):
    """An outbox file of one push and one photo, with what the test wants otherwise."""
    told = {"format": FORMAT, "device_id": str(uuid.uuid4()), "made_at": "2026-11-22T01:00:00.000Z", "epoch": "e",
            "pushes": [{"first": 3, "last": 4, "sha256": hashlib.sha256(BODY).hexdigest(),
                        "signature": sign(key, BODY)}],
            "photos": [{"sha256": DIGEST, "bytes": len(PHOTO), "media_type": "image/jpeg"}], "lacking": [],
            **(said or {})}
    manifest = json.dumps(told).encode()
    whole = {MANIFEST: manifest, SEAL: sign(key, manifest), push_name(1): body, photo_name(DIGEST): photo}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in {**whole, **dict(members)}.items():
            if content is not None:
                archive.writestr(name, content)
    return path


def read(path, **limits):
    with opened(path, **{"push_bytes": 10_000, "upload_bytes": 10_000, **limits}) as file:
        file.must_be_of(jwk_of(KEY.public_key()))
        return [push.body for push in file.pushes], [b"".join(file.blocks_of(photo, 64)) for photo in file.photos]


def refusal(path, **limits):
    with pytest.raises(OutboxFileInvalid) as refused:
        read(path, **limits)
    return str(refused.value)


def test_what_a_device_wrote_comes_back_byte_for_byte(tmp_path):
    assert read(a_file(tmp_path / "o")) == ([BODY], [PHOTO])


@pytest.mark.parametrize(("content", "told"), [
    (b"", "not an outbox file"), (b"PK\3\4 half of it", "not an outbox file"), (b"x" * 1000, "not an outbox file"),
    (b"PK\5\6" + bytes(18), "outbox.json is missing")])
def test_another_file_is_told_as_such(tmp_path, content, told):
    (tmp_path / "o").write_bytes(content)
    assert told in refusal(tmp_path / "o")


def test_a_file_that_was_cut_is_told_as_such(tmp_path):
    path = a_file(tmp_path / "o")
    path.write_bytes(path.read_bytes()[:-30])
    assert "not all of it" in refusal(path)


@pytest.mark.parametrize(("what", "told"), [
    (b'"mutations"', "pushes/000001.json 已改动或损坏"), (b'"made_at"', "outbox.json 已改动或损坏"),
    (b"a photo", "this photo is damaged")])
def test_a_changed_byte_is_named(tmp_path, what, told):
    path = a_file(tmp_path / "o")
    path.write_bytes(path.read_bytes().replace(what, what[:-1] + b"X", 1))
    assert told in refusal(path)


@pytest.mark.parametrize(("otherwise", "told"), [
    ({"body": b'{"mutations":[]}'}, "was changed"),
    ({"said": {"format": "menqian-outbox/9"}}, "unknown format"),
    ({"said": {"format": 7}}, "this is no outbox"),
    ({"said": {"device_id": "../x"}}, "device_id"),
    ({"said": {"made_at": "yesterday"}}, "made_at"),
    ({"said": {"pushes": "all"}}, "pushes"),
    ({"said": {"pushes": [{"sha256": hashlib.sha256(BODY).hexdigest()}]}}, "pushes/000001.json"),
    ({"said": {"photos": [{"sha256": "../../etc", "bytes": 7, "media_type": "x"}]}}, "photos"),
    ({"photo": b"another"}, "another size"),
    ({"members": {photo_name(DIGEST): None}}, "missing in the file"),
    ({"members": {"../../evil": b"x"}}, "is not named in outbox.json"),
    ({"members": {SEAL: None}}, "not as the device signed it"),
    ({"members": {SEAL: "x" * 200}}, "more than 100 bytes"),
    ({"key": ec.generate_private_key(ec.SECP256R1())}, "not as the device signed it"),
    ({"compression": zipfile.ZIP_DEFLATED}, "stored, not compressed")])
def test_what_is_not_as_it_must_be_is_told(tmp_path, otherwise, told):
    assert told in refusal(a_file(tmp_path / "o", **otherwise))


def test_a_push_signed_by_somebody_else_is_told_by_its_numbers(tmp_path):
    other = ec.generate_private_key(ec.SECP256R1())
    pushes = [{"first": 3, "last": 4, "sha256": hashlib.sha256(BODY).hexdigest(), "signature": sign(other, BODY)}]
    assert "numbers 3 to 4" in refusal(a_file(tmp_path / "o", said={"pushes": pushes}))


def test_sizes_are_bounded(tmp_path):
    path = a_file(tmp_path / "o")
    assert "pushes/000001.json: 过大" in refusal(path, push_bytes=10)
    assert "has more than 10 bytes" in refusal(path, upload_bytes=10)


def test_all_pushes_together_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr("sync.outbox_file.PUSHES_BYTES", len(BODY) - 1)
    assert "bytes together" in refusal(a_file(tmp_path / "o"))


def test_a_huge_directory_is_refused_before_it_is_read(tmp_path):
    path = a_file(tmp_path / "o")
    raw = bytearray(path.read_bytes())
    raw[-10:-6] = (LARGEST_BYTES + 1).to_bytes(4, "little")
    path.write_bytes(raw)
    assert "directory is too large" in refusal(path)


def test_members_that_lie_within_each_other_are_refused(tmp_path):
    path = a_file(tmp_path / "o", photo=b"p" * 5000)
    raw = path.read_bytes()
    entry = raw[raw.index(b"PK\1\2"):raw.index(b"PK\5\6")]
    many, photo = entry, entry[entry.rindex(b"PK\1\2"):]
    for number in range(3):
        many += photo.replace(DIGEST.encode(), f"{number:064x}".encode())
    start = raw.index(b"PK\1\2")
    end = bytearray(raw[raw.index(b"PK\5\6"):])
    end[8:10] = end[10:12] = (7).to_bytes(2, "little")
    end[12:16] = len(many).to_bytes(4, "little")
    path.write_bytes(raw[:start] + many + end)
    assert "lie within each other" in refusal(path)
