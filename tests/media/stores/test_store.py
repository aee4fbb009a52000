"""One conformance suite for every store: on a directory and on a real S3 store."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from media.stores import DigestMismatch, NotStored, Stored, StoreUnavailable, digest_of, open_store
from media.stores.contract import key_of
from media.stores.disk import DiskStore
from tests.engines import free_ports
from tests.media.desk import BODY

ABSENT = "0" * 64
ROOT = Path(__file__).resolve().parents[3]


def test_what_was_put_is_read_back_byte_for_byte(store, photo):
    digest = digest_of(photo)
    assert not store.has(digest)
    assert store.put(digest, photo, "image/jpeg")
    assert store.has(digest)
    assert b"".join(store.open(digest)) == BODY


def test_head_tells_length_and_the_digest_the_store_vouches_for(store, photo):
    digest = digest_of(photo)
    assert store.head(digest) is None
    store.put(digest, photo, "image/jpeg")
    assert store.head(digest) == Stored(len(BODY), digest)


def test_putting_twice_keeps_one_and_says_so(store, photo):
    digest = digest_of(photo)
    assert store.put(digest, photo, "image/jpeg") is True
    assert store.put(digest, photo, "image/jpeg") is False


def test_two_who_put_at_once_have_one_winner(store, photo):
    digest = digest_of(photo)
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda _: store.put(digest, photo, "image/jpeg"), range(4)))
    assert sorted(outcomes) == [False, False, False, True]
    assert b"".join(store.open(digest)) == BODY


def test_bytes_that_do_not_hash_to_their_name_are_refused_and_not_kept(store, photo):
    with pytest.raises(DigestMismatch):
        store.put(ABSENT, photo, "image/jpeg")
    assert not store.has(ABSENT)


def test_a_file_that_is_given_is_kept_without_a_copy_and_its_old_name_may_go(store, photo):
    digest, same = digest_of(photo), photo.stat().st_ino
    with pytest.raises(DigestMismatch):
        store.put(ABSENT, photo, "image/jpeg", given=True)
    assert store.put(digest, photo, "image/jpeg", given=True) and not store.put(digest, photo, "image/jpeg", given=True)
    if isinstance(store, DiskStore):
        kept = store.root / key_of(digest)
        assert (kept.stat().st_ino, kept.stat().st_mode & 0o777) == (same, 0o440)
    photo.unlink()
    assert b"".join(store.open(digest)) == BODY and not store.has(ABSENT)


def test_a_file_that_is_given_on_another_disk_is_copied(store, photo):
    elsewhere = Path(os.sep, "dev", "shm")
    if not elsewhere.is_dir():
        pytest.skip("there is no other disk here")
    with tempfile.NamedTemporaryFile(dir=elsewhere) as file:
        shutil.copyfile(photo, file.name)
        assert store.put(digest_of(photo), Path(file.name), "image/jpeg", given=True)
        assert b"".join(store.open(digest_of(photo))) == BODY and Path(file.name).read_bytes() == BODY


@pytest.mark.parametrize(("start", "end"), [(0, 10), (5, 6), (1000, None), (0, 10**9), (7, 7), (len(BODY), None),
                                            (10**9, None), (262_140, 262_150), (9, 3)])
def test_a_range_is_read_without_the_rest(store, photo, start, end):
    digest = digest_of(photo)
    store.put(digest, photo, "image/jpeg")
    assert b"".join(store.open(digest, start, end)) == BODY[start:end]


def test_an_empty_file_can_be_kept(store, tmp_path):
    path = tmp_path / "empty"
    path.touch()
    assert store.put(digest_of(path), path, "application/octet-stream")
    assert b"".join(store.open(digest_of(path))) == b""


def test_opening_what_is_not_there_says_so_before_the_first_block(store):
    with pytest.raises(NotStored):
        store.open(ABSENT)


def test_deleting_is_idempotent(store, photo):
    digest = digest_of(photo)
    store.put(digest, photo, "image/jpeg")
    store.delete(digest)
    store.delete(digest)
    assert not store.has(digest)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "AB" * 32, "0" * 63, "0" * 64 + "\n"])
def test_only_a_digest_is_a_name(store, photo, name):
    with pytest.raises(ValueError, match="64 lower-case"):
        store.put(name, photo, "image/jpeg")
    with pytest.raises(ValueError, match="64 lower-case"):
        store.head(name)


def test_a_store_holds_the_very_bytes_or_nothing(store, photo):
    digest = digest_of(photo)
    assert store.holds(digest) is None
    store.put(digest, photo, "image/jpeg")
    assert store.holds(digest) is True


def test_other_bytes_of_equal_size_in_a_directory_are_found_by_reading(tmp_path, photo):
    store, digest = open_store(f"file://{tmp_path}/media"), digest_of(photo)
    place = tmp_path / "media" / key_of(digest)
    place.write_bytes(BODY[::-1])
    assert (store.head(digest), store.holds(digest)) == (Stored(len(BODY), digest), False)


@pytest.mark.s3
@pytest.mark.parametrize("checksum", ["SHA256", "CRC32"])
def test_an_object_of_another_program_is_held_against_its_checksum_or_read(s3_url, photo, checksum):
    store, digest = open_store(s3_url), digest_of(photo)
    for body, is_it in ((BODY[::-1], False), (BODY, True)):
        store.check()
        store._client.put_object(Bucket=store.bucket, Key=key_of(digest), Body=body, ChecksumAlgorithm=checksum)
        assert bool(store.head(digest).sha256) == (checksum == "SHA256")
        assert store.holds(digest) is is_it
    store.delete(digest)


def test_a_store_that_works_passes_its_check(store):
    store.check()


def test_a_store_that_cannot_be_reached_says_so_within_bounds(photo):
    [port] = free_ports(1)
    options = {"endpoint_url": f"http://127.0.0.1:{port}", "region": "us-east-1", "access_key": "a", "secret_key": "b"}
    store = open_store("s3://menqian?" + urlencode(options))
    began = time.monotonic()
    for act in (store.check, lambda: store.head(ABSENT), lambda: store.put(digest_of(photo), photo, "image/jpeg")):
        with pytest.raises(StoreUnavailable):
            act()
    assert time.monotonic() - began < 60


@pytest.mark.s3
def test_a_wrong_key_is_refused_as_unavailable(s3_url):
    with pytest.raises(StoreUnavailable):
        open_store(s3_url.replace("menqian-test-secret", "another")).check()


@pytest.mark.s3
def test_a_prefix_keeps_two_installations_apart_in_one_bucket(s3_url, photo):
    one, other = (open_store(s3_url.replace("?", f"/{name}?", 1)) for name in ("one", "other"))
    one.put(digest_of(photo), photo, "image/jpeg")
    assert one.has(digest_of(photo))
    assert not other.has(digest_of(photo))


def test_a_directory_that_is_no_directory_is_unavailable(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable):
        open_store(f"file://{tmp_path}/file")


def test_a_vanished_directory_fails_the_check(tmp_path):
    store = open_store(f"file://{tmp_path}/media")
    (tmp_path / "media" / "incoming").rmdir()
    with pytest.raises(StoreUnavailable):
        store.check()


def test_a_copy_left_by_a_killed_process_is_removed_a_day_later(tmp_path):
    open_store(f"file://{tmp_path}")
    old, young = tmp_path / "incoming" / "old", tmp_path / "incoming" / "young"
    for left in (old, young):
        left.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    open_store(f"file://{tmp_path}")
    assert (old.exists(), young.exists()) == (False, True)


def test_a_process_killed_while_it_puts_leaves_the_whole_or_nothing(tmp_path):
    body = os.urandom(1024) * 8192
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(body)
    put = ("import sys; from pathlib import Path; from media.stores import open_store\n"
           "print('begin', flush=True); open_store(sys.argv[1]).put(sys.argv[2], Path(sys.argv[3]), 'image/jpeg')")
    digest = digest_of(photo)
    for milliseconds in (0, 4, 12):
        url = f"file://{tmp_path}/media-{milliseconds}"
        command = [sys.executable, "-c", put, url, digest, str(photo)]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(milliseconds / 1000)
        process.kill()
        process.communicate()
        store = open_store(url)
        if store.has(digest):
            assert b"".join(store.open(digest)) == body
        assert store.put(digest, photo, "image/jpeg") in (True, False)
        assert store.head(digest) == Stored(len(body), digest)


@pytest.mark.parametrize("url", ["", "s3://", "http://host/bucket", "file://", "file://host/directory",
                                 "s3://bucket?unknown=1", "s3://bucket?endpoint_url"])
def test_a_url_that_names_no_store_is_refused(url):
    with pytest.raises(ValueError):
        open_store(url)


def test_a_name_keeps_what_it_was_given_first_and_names_come_in_order(store):
    assert list(store.kept("checkpoints")) == []
    assert store.keep("checkpoints/b/2", b"second") and store.keep("checkpoints/b/1", b"first")
    assert store.keep("checkpoints/a/9", b"other")
    assert not store.keep("checkpoints/b/1", b"another")
    assert list(store.kept("checkpoints")) == ["checkpoints/a/9", "checkpoints/b/1", "checkpoints/b/2"]
    assert store.recall("checkpoints/b/1") == b"first"
    with pytest.raises(NotStored):
        store.recall("checkpoints/b/3")
