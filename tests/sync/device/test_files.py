import hashlib
from datetime import timedelta

import pytest

from sync.device.events import Events
from sync.device.files import Files, media_type_of

TODAY, LATER = "2026-11-22T01:00:00.000Z", "2026-12-22T01:00:00.000Z"
PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 40


@pytest.fixture
def files(store, clock):
    return Files(store, clock, timedelta(days=30))


def added(files, clock, content=PHOTO):
    sha256, size = files.keep(content)
    files.add(sha256, size, "image/jpeg", clock())
    return sha256


def verified(files, sha256):
    files.learn({"sha256": sha256, "media": {"state": "verified"}})
    files.remove_verified(TODAY)


def test_the_exact_bytes_are_kept_under_their_digest(files, tmp_path):
    (tmp_path / "a.jpg").write_bytes(PHOTO)
    assert files.keep(PHOTO) == files.keep(tmp_path / "a.jpg") == (hashlib.sha256(PHOTO).hexdigest(), len(PHOTO))
    sha256, _ = files.keep(PHOTO)
    assert files.path(sha256).read_bytes() == PHOTO and files.read(sha256, 3, 2) == b"\0\1"
    assert (tmp_path / "a.jpg").exists()


def test_bytes_are_removed_only_when_the_server_has_verified_them(files, clock):
    sha256 = added(files, clock)
    for media in (None, {"state": "stored"}, {"state": "damaged", "code": "x"}, {"state": "verified"}):
        files.remove_verified(TODAY)
        assert files.sound(sha256)
        files.learn({"sha256": sha256, "media": media})
    files.remove_verified(TODAY)
    files.learn({"sha256": sha256, "media": {"state": "verified"}})
    files.remove_verified("2026-12-22T00:59:59.999Z")
    assert files.sound(sha256), "the server may be restored from a backup without them"
    files.remove_verified(LATER)
    assert not files.path(sha256).exists() and files.all()[0].state == "verified"


def test_a_photo_that_was_verified_may_be_taken_in_again(files, clock):
    sha256 = added(files, clock)
    verified(files, sha256)
    files.remove_verified(LATER)
    assert not files.sound(sha256)
    added(files, clock)
    assert files.all("waiting")[0].sha256 == sha256 and files.sound(sha256)


def test_what_the_server_lacks_is_sent_again(files, clock):
    sha256 = added(files, clock)
    files.note(sha256, state="stored", url="//u", offset=9)
    files.want(["0" * 64, sha256])
    waiting, = files.all("waiting")
    assert (waiting.url, waiting.offset) == (None, 0)


def test_a_restored_server_gets_verified_bytes_again_while_they_are_here(files, clock):
    sha256 = added(files, clock)
    for _ in range(2):
        files.learn({"sha256": sha256, "media": {"state": "verified"}})
        files.want([sha256])
        assert files.all("waiting")[0].sha256 == sha256
    verified(files, sha256)
    files.remove_verified(LATER)
    files.want([sha256])
    files.want([sha256])
    assert files.all()[0].state == "gone"
    assert [event["kind"] for event in Events(files._store, clock).all()] == ["photo_gone"]


def test_changed_bytes_are_noticed(files, clock):
    sha256 = added(files, clock)
    files.path(sha256).write_bytes(PHOTO + b"!")
    assert not files.sound(sha256)


@pytest.mark.parametrize(("start", "media_type"), [
    (PHOTO, "image/jpeg"), (b"\x89PNG\r\n\x1a\n....", "image/png"), (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
    (b"\0\0\0\x18ftypheic", "image/heic"), (b"\0\0\0\x18ftypavif", "image/avif"), (b"%PDF", "application/octet-stream"),
])
def test_the_first_bytes_tell_the_media_type(start, media_type):
    assert media_type_of(start) == media_type
