"""tus words: what is kept of the bytes that come, who may write, and what evidence shows meanwhile."""

import base64
import hashlib
import subprocess
import sys
import uuid
from datetime import timedelta
from io import FileIO

import pytest
from sqlalchemy.orm import Session

from media import uploads
from media.models import Photo, Upload
from media.stores import StoreUnavailable
from schemas.problems import Problem
from schemas.values import stamp
from tests.media.desk import OWNER, Darkroom, a_jpeg
from tests.wire import sha256

CONTENT = a_jpeg()


@pytest.fixture
def room(tmp_path):
    return Darkroom(tmp_path)


def refused(code, call, *arguments, **options):
    with pytest.raises(Problem) as caught:
        call(*arguments, **options)
    assert caught.value.code == code
    return caught.value


def test_bytes_are_written_behind_what_is_there(room):
    upload = room.begin(CONTENT)
    assert room.send(upload, CONTENT[:100]) == 100
    assert room.send(upload, CONTENT[100:], 100) == len(CONTENT)
    assert (room.spool / upload.id).read_bytes() == CONTENT


@pytest.mark.parametrize("offset", [0, 99, 101])
def test_another_offset_than_the_next_is_refused_and_told(room, offset):
    upload = room.begin(CONTENT)
    room.send(upload, CONTENT[:100])
    assert refused("offset_mismatch", room.send, upload, b"x", offset).extra == {"offset": 100}
    assert (room.spool / upload.id).stat().st_size == 100


def test_of_a_request_with_too_many_bytes_nothing_is_kept(room):
    upload = room.begin(CONTENT)
    room.send(upload, CONTENT[:100])
    refused("too_large", room.send, upload, CONTENT, 100)
    assert (room.spool / upload.id).stat().st_size == 100


def checksum(content, algorithm="sha256"):
    return uploads.checksum_of(f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_request_whose_checksum_is_wrong_is_not_kept(room, algorithm):
    upload = room.begin(CONTENT)
    with uploads.held(room.spool, upload) as file:
        refused("checksum_mismatch", uploads.receive, file, upload, 0, [CONTENT], checksum=checksum(b"x", algorithm))
        assert uploads.offset_of(file) == 0
        assert uploads.receive(file, upload, 0, [CONTENT], checksum=checksum(CONTENT, algorithm)) == len(CONTENT)


def test_of_a_request_that_was_cut_all_is_kept_whatever_its_checksum(room):
    upload = room.begin(CONTENT)
    with uploads.held(room.spool, upload) as file:
        assert uploads.receive(file, upload, 0, [CONTENT[:10], CONTENT[10:50]], checksum=checksum(CONTENT),
                               came_whole=lambda: False) == 50


@pytest.mark.parametrize("header", ["", "md5 AAAA", "sha256", "sha256 !!", "sha1 AAAA", "SHA256 AAAA"])
def test_a_checksum_that_cannot_be_checked_is_refused(header):
    refused("checksum_unsupported", uploads.checksum_of, header)


def test_the_first_bytes_are_announced_once_they_are_written(room):
    upload, seen = room.begin(CONTENT), []
    with uploads.held(room.spool, upload) as file:
        uploads.receive(file, upload, 0, [b"a", b"b"], begun=lambda: seen.append(uploads.offset_of(file)))
        uploads.receive(file, upload, 2, [], begun=lambda: seen.append("nothing came"))
    assert seen == [1]


def test_a_full_disk_is_an_outage(room):
    upload = room.begin(CONTENT)
    with FileIO("/dev/full", "r+") as file, pytest.raises(StoreUnavailable, match="No space left"):
        uploads.receive(file, upload, 0, [CONTENT])


def test_one_upload_has_one_writer(room):
    upload = room.begin(CONTENT)
    with uploads.held(room.spool, upload):
        refused("upload_locked", room.send, upload, CONTENT)
    room.send(upload, CONTENT)


def test_the_lock_of_a_killed_process_ends_with_it(room):
    upload = room.begin(CONTENT)
    code = "import fcntl, sys, time; f = open(sys.argv[1], 'r+b'); fcntl.flock(f, 2); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, str(room.spool / upload.id)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline()
        refused("upload_locked", room.send, upload, CONTENT)
        holder.kill()
        holder.wait()
        assert room.send(upload, CONTENT) == len(CONTENT)


def test_a_file_that_was_finished_while_one_waited_is_not_written(room):
    upload = room.begin(CONTENT)
    path = room.spool / upload.id
    with uploads.held(room.spool, upload):
        path.unlink()
        path.touch()  # a new file of that name is another one
    path.unlink()
    refused("upload_gone", room.send, upload, CONTENT)


def test_an_upload_is_found_by_its_owner_until_it_expires(room):
    upload = room.begin(CONTENT)
    assert room.find(upload).sha256 == sha256(CONTENT)
    with Session(room.engine) as session:
        for upload_id, owner in ((upload.id, room.uuid()), (room.uuid(), OWNER), ("../../etc/passwd", OWNER)):
            refused("not_found", uploads.find, session, upload_id, owner, room.now)
    room.now += timedelta(days=8)
    refused("upload_gone", room.find, upload)


def test_evidence_follows_its_photo_from_expected_to_stored(room):
    evidence, upload = room.evidence(CONTENT), room.begin(CONTENT)
    assert room.media(evidence) == {"state": "expected"}
    room.send(upload, CONTENT[:100])
    for _ in range(2):
        with room.writing() as door:
            uploads.show_partial(door, upload)
        assert room.media(evidence) == {"state": "partial"}
    assert room.record(evidence).version == 2
    room.send(upload, CONTENT[100:], 100)
    for fresh in (True, False):
        kept = room.keep(upload)
        assert kept == ("image/jpeg", fresh)
        with room.writing() as door:
            uploads.finish(door, upload, kept)
    assert room.media(evidence) == {"state": "stored"}
    assert room.record(evidence).version == 3
    assert room.find(upload).state == "done"
    assert b"".join(room.store.open(sha256(CONTENT))) == CONTENT


def test_evidence_that_comes_while_bytes_come_shows_partial(room):
    upload = room.begin(CONTENT)
    room.send(upload, CONTENT[:100])
    with room.writing() as door:
        uploads.show_partial(door, upload)
    assert room.media(room.evidence(CONTENT)) == {"state": "partial"}


def test_partial_never_covers_a_photo_that_another_upload_brought(room):
    evidence, late = room.evidence(CONTENT), room.begin(CONTENT)
    room.take(CONTENT)
    room.send(late, CONTENT[:100])
    with room.writing() as door:
        uploads.show_partial(door, late)
    assert room.media(evidence) == {"state": "stored"}


def test_an_upload_of_a_stored_photo_is_whole_from_the_beginning(room):
    room.take(CONTENT)
    upload = room.begin(CONTENT)
    assert upload.state == "known"
    assert not (room.spool / upload.id).exists()
    assert room.begin(CONTENT + b"x", named=sha256(CONTENT)).state == "open", "of that length it cannot be the photo"


def test_a_terminated_upload_is_forgotten_and_its_evidence_expects_again(room):
    evidence, upload = room.evidence(CONTENT), room.begin(CONTENT)
    room.send(upload, CONTENT[:100])
    with room.writing() as door:
        uploads.show_partial(door, upload)
    with room.writing() as door:
        uploads.terminate(door, upload)
    assert room.media(evidence) == {"state": "expected"}
    refused("not_found", room.find, upload)


def give_up(room, upload):
    with pytest.raises(Problem) as caught:
        room.keep(upload)
    with room.writing() as door:
        uploads.refuse(door, upload, caught.value.code)
    return caught.value.code


def test_bytes_of_another_digest_are_refused_without_a_word_on_the_photo(room):
    evidence, upload = room.evidence(CONTENT), room.begin(CONTENT)
    room.send(upload, CONTENT[:-1] + b"x")
    assert give_up(room, upload) == "digest_mismatch"
    assert room.media(evidence) == {"state": "expected"}
    assert not room.store.has(sha256(CONTENT))
    refused("upload_gone", room.find, upload)


def test_a_file_that_is_no_picture_shows_as_refused(room):
    content = b"GIF89a" + bytes(100)
    evidence, upload = room.evidence(content), room.begin(content)
    room.send(upload, content)
    assert give_up(room, upload) == "media_type_refused"
    assert room.media(evidence) == {"state": "refused", "code": "media_type_refused"}
    assert not room.store.has(sha256(content))


def test_a_refusal_is_remembered_for_evidence_that_comes_later(room):
    content = b"GIF89a" + bytes(100)
    first, wrong = room.begin(content), room.begin(CONTENT)
    room.send(first, content)
    room.send(wrong, CONTENT[:-1] + b"x")
    give_up(room, first)
    give_up(room, wrong)
    evidence = room.evidence(content)
    assert room.media(evidence) == {"state": "refused", "code": "media_type_refused"}
    assert room.media(room.evidence(CONTENT)) == {"state": "expected"}
    again = room.begin(content)
    room.send(again, content[:50])
    with room.writing() as door:
        uploads.show_partial(door, again)
    assert room.media(evidence) == {"state": "partial"}
    with room.writing() as door:
        uploads.terminate(door, again)
    assert room.media(evidence)["state"] == "refused"


def test_a_photo_that_the_store_lost_is_taken_again_and_checked_anew(room):
    evidence = room.evidence(CONTENT)
    room.take(CONTENT)
    with room.writing() as door:
        door.session.get(Photo, sha256(CONTENT)).checked_at = stamp(room.now)
    room.store.delete(sha256(CONTENT))
    assert room.begin(CONTENT).state == "open"
    room.take(CONTENT)
    assert b"".join(room.store.open(sha256(CONTENT))) == CONTENT
    assert (room.photo(CONTENT).state, room.photo(CONTENT).checked_at) == ("stored", None)
    assert room.media(evidence) == {"state": "stored"}


def test_a_later_upload_that_ends_leaves_refused_as_it_is(room):
    content = b"GIF89a" + bytes(100)
    evidence, first, second = room.evidence(content), room.begin(content), room.begin(content)
    room.send(first, content)
    give_up(room, first)
    with room.writing() as door:
        uploads.terminate(door, second)
    assert room.media(evidence)["state"] == "refused"


def test_a_row_is_written_with_its_transaction_only(room):
    try:
        with room.writing() as door:
            uploads.create(door.session, room.spool, room.now, str(uuid.uuid4()), sha256="0" * 64, length=1,
                           media_type="image/jpeg", owner=OWNER, lifetime=timedelta(days=7), known=False)
            raise RuntimeError("the request fails")
    except RuntimeError:
        pass
    with Session(room.engine) as session:
        assert session.query(Upload).count() == 0
