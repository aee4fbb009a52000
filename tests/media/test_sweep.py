"""What is left in the spool is cleared away, and nothing that somebody still needs."""

import os
import time
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from media import uploads
from media.sweep import sweep_uploads, waiting
from schemas.problems import Problem
from tests.media.desk import Darkroom, a_jpeg

CONTENT = a_jpeg()


@pytest.fixture
def room(tmp_path):
    return Darkroom(tmp_path)


def sweep(room):
    with room.writing() as door:
        sweep_uploads(door, room.spool)


def code_of(room, upload):
    with pytest.raises(Problem) as caught:
        room.find(upload)
    return caught.value.code


def test_an_expired_upload_is_gone_and_later_forgotten(room):
    evidence, upload, other = room.evidence(CONTENT), room.begin(CONTENT), room.begin(a_jpeg(seed=8))
    room.send(upload, CONTENT[:100])
    with room.writing() as door:
        uploads.show_partial(door, upload)
    room.now += timedelta(days=6)
    sweep(room)
    assert room.find(other).state == "open"
    room.now += timedelta(days=2)
    sweep(room)
    assert not (room.spool / upload.id).exists()
    assert room.media(evidence) == {"state": "expected"}
    assert code_of(room, upload) == "upload_gone"
    room.now += timedelta(days=8)
    sweep(room)
    assert code_of(room, upload) == "not_found"


def test_an_upload_that_is_being_written_is_left_alone(room):
    upload = room.begin(CONTENT)
    room.now += timedelta(days=8)
    with uploads.held(room.spool, upload):
        sweep(room)
        assert (room.spool / upload.id).exists()
    sweep(room)
    assert not (room.spool / upload.id).exists()


def test_whole_bytes_never_expire_for_they_wait_for_the_store(room):
    upload = room.begin(CONTENT)
    room.send(upload, CONTENT)
    room.now += timedelta(days=80)
    sweep(room)
    assert (room.spool / upload.id).read_bytes() == CONTENT
    with Session(room.engine) as session:
        assert [each.id for each in waiting(session, room.spool, room.now)] == [upload.id]


def test_an_upload_whose_file_was_lost_expires_too(room):
    upload = room.begin(CONTENT)
    (room.spool / upload.id).unlink()
    room.now += timedelta(days=8)
    sweep(room)
    assert code_of(room, upload) == "upload_gone"


def test_files_of_no_upload_go_when_they_are_a_day_old(room):
    upload = room.begin(CONTENT)
    left = [room.spool / upload.id, room.spool / room.uuid(), room.spool / "check-abc", room.spool / "young"]
    left[1].touch()
    left[2].mkdir()
    (left[2] / "original").touch()
    left[3].touch()
    for path in left[:3]:
        os.utime(path, (time.time() - 90_000,) * 2)
    sweep(room)
    assert {path.name for path in room.spool.iterdir()} == {upload.id, "young"}


def test_whole_uploads_that_were_never_stored_wait(room):
    whole, half, done = room.begin(CONTENT), room.begin(a_jpeg(seed=8)), a_jpeg(seed=9)
    room.send(whole, CONTENT)
    room.send(half, b"x")
    room.take(done)

    def found():
        with Session(room.engine) as session:
            return [upload.id for upload in waiting(session, room.spool, room.now)]

    assert found() == [], "a request may be about to finish it"
    room.now += timedelta(seconds=20)
    assert found() == [whole.id]
