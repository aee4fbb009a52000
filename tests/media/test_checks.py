"""The background check: from stored bytes to verified or damaged, with facts, renditions and flags."""

import io
from datetime import timedelta

import pytest
from PIL import Image
from sqlalchemy.orm import Session

from media.checks import conclude, examine, forgotten
from media.models import Rendition
from media.stores import NotStored
from tests.media.desk import Darkroom, a_jpeg
from tests.wire import sha256

CONTENT = a_jpeg()


@pytest.fixture
def room(tmp_path):
    return Darkroom(tmp_path)


def examined(room, content):
    with Session(room.engine) as session:
        return examine(session, room.store, sha256(content), heif=False, directory=room.spool)


def check(room, content):
    found = examined(room, content)
    with room.writing() as door:
        conclude(door, sha256(content), found)
    return found


def renditions(room, content):
    with Session(room.engine) as session:
        return {kind: session.get(Rendition, (sha256(content), kind)) for kind in ("thumb", "screen")}


def test_a_sound_photo_is_verified_and_rendered(room):
    evidence = room.evidence(CONTENT)
    room.take(CONTENT)
    check(room, CONTENT)
    assert room.media(evidence) == {"state": "verified", "media_type": "image/jpeg", "width": 320, "height": 240,
                                    "frames": 1, "trailing_bytes": 0, "bytes": len(CONTENT),
                                    "exif": {"width": 320, "height": 240}}
    assert room.flags(evidence) == set()
    photo = room.photo(CONTENT)
    assert (photo.state, photo.width, photo.height, len(photo.dhash)) == ("verified", 320, 240, 64)
    for rendition in renditions(room, CONTENT).values():
        content = b"".join(room.store.open(rendition.sha256))
        assert sha256(content) == rendition.sha256 and len(content) == rendition.bytes
        assert Image.open(io.BytesIO(content)).format == "JPEG"
        assert rendition.recipe["tool"] == "Pillow"
    assert not list(room.spool.glob("check-*"))


def test_a_check_asked_for_twice_concludes_once(room):
    evidence = room.evidence(CONTENT)
    room.take(CONTENT)
    one, other = examined(room, CONTENT), examined(room, CONTENT)
    assert one == other
    for found in (one, other):
        with room.writing() as door:
            conclude(door, sha256(CONTENT), found)
    assert room.record(evidence).version == 3, "expected, stored, verified"
    assert examined(room, CONTENT) is None


def test_evidence_that_comes_after_the_check_shows_what_was_found(room):
    room.take(CONTENT)
    check(room, CONTENT)
    assert room.media(room.evidence(CONTENT))["state"] == "verified"


def test_a_truncated_photo_is_damaged_and_says_why(room):
    content = CONTENT[: len(CONTENT) * 6 // 10]
    evidence = room.evidence(content)
    room.take(content)
    check(room, content)
    assert room.media(evidence)["state"] == "damaged"
    assert room.media(evidence)["damaged"]
    assert room.photo(content).state == "damaged"


def test_bytes_that_changed_in_the_store_are_damage(room, tmp_path):
    room.take(CONTENT)
    digest = sha256(CONTENT)
    stored = tmp_path / "store" / "sha256" / digest[:2] / digest
    stored.chmod(0o600)
    stored.write_bytes(CONTENT[:-2] + b"\0\0")
    check(room, CONTENT)
    assert room.photo(CONTENT).found["damaged"] == "stored bytes have changed"


def test_a_store_that_does_not_find_the_bytes_says_nothing_about_the_photo(room):
    room.take(CONTENT)
    room.store.delete(sha256(CONTENT))
    with pytest.raises(NotStored):
        examined(room, CONTENT)
    assert room.photo(CONTENT).state == "stored"


def test_each_evidence_record_is_flagged_against_its_own_time(room):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003], exif.get_ifd(0x8769)[0x9011] = "2026:11:22 09:00:00", "+08:00"
    content = a_jpeg(exif=exif)
    right = room.evidence(content)
    wrong = room.evidence(content, captured_at="2026-11-20T01:00:00.000Z")
    room.take(content)
    check(room, content)
    assert room.flags(right) == set()
    assert room.flags(wrong) == {"time_conflict"}


def test_photos_that_wait_too_long_are_remembered(room):
    room.take(CONTENT)
    with Session(room.engine) as session:
        assert forgotten(session, room.now + timedelta(seconds=20)) == []
        assert forgotten(session, room.now + timedelta(seconds=40)) == [sha256(CONTENT)]
    check(room, CONTENT)
    with Session(room.engine) as session:
        assert forgotten(session, room.now + timedelta(days=1)) == []


def test_another_size_than_declared_at_capture_is_flagged(room):
    """The digest holds, so the photo is verified; what the device said of its size is for people to look at."""
    before, sound = room.evidence(CONTENT, bytes=len(CONTENT) - 1), room.evidence(CONTENT)
    room.take(CONTENT)
    check(room, CONTENT)
    after = room.evidence(CONTENT, bytes=1)
    for evidence in (before, after):
        assert "size_differs" in room.flags(evidence)
        assert room.media(evidence)["state"] == "verified"
    assert "size_differs" not in room.flags(sound)
