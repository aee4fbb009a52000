"""Holds, retention, expiry and encryption: what a store is asked for besides keeping bytes, on a real S3 store."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from media.stores import NotStored, Retained, StoreRefuses, StoreUnavailable, digest_of, open_store
from media.stores.contract import key_of
from media.stores.s3_bucket import lifecycle
from media.stores.s3_failures import code_of
from tests.engines import running_s3
from tests.media.desk import BODY

ABSENT = "0" * 64
NOW = datetime.now(UTC)


def version_of(store, digest):
    return {"Bucket": store.bucket, "Key": key_of(digest),
            "VersionId": store._client.head_object(Bucket=store.bucket, Key=key_of(digest))["VersionId"]}


def retention(store, digest):
    found = store._client.head_object(Bucket=store.bucket, Key=key_of(digest))
    return found["ObjectLockMode"], found["ObjectLockRetainUntilDate"]


def is_removable(store, version, **options):
    """Is a version removed when somebody asks for it? A mere `delete` would only put a marker above it."""
    try:
        store._client.delete_object(**version, **options)
    except ClientError as error:
        if code_of(error) != "AccessDenied":
            raise
        return False
    return True


def test_a_hold_is_put_on_and_lifted_as_often_as_one_likes(store, photo):
    digest = digest_of(photo)
    store.put(digest, photo, "image/jpeg")
    offered = True if store.holding else None
    assert store.on_hold(digest) is (False if store.holding else None)
    for _ in range(2):
        store.hold(digest, NOW)
        assert store.on_hold(digest) is offered
    for _ in range(2):
        store.release(digest)
        assert not store.on_hold(digest)
    assert b"".join(store.open(digest)) == BODY


def test_only_what_is_there_can_be_held(store):
    with pytest.raises(NotStored):
        store.hold(ABSENT, NOW)
    store.release(ABSENT)
    assert not store.on_hold(ABSENT)
    for act in (lambda name: store.hold(name, NOW), store.release):
        with pytest.raises(ValueError, match="64 lower-case"):
            act("../../etc/passwd")


def test_stores_are_told_apart_by_their_places_which_keep_secrets(store):
    assert "secret" not in store.place and "key" not in store.place
    assert store.place.startswith("s3://" if hasattr(store, "bucket") else "file:///")


def test_a_store_that_works_passes_its_probe_and_nothing_of_it_stays(store):
    store.probe()
    store.probe()
    if hasattr(store, "bucket"):
        assert "Versions" not in store._client.list_object_versions(Bucket=store.bucket)


@pytest.mark.s3
def test_what_is_on_hold_nobody_removes_before_it_is_lifted(bucket_url, photo):
    store, digest = open_store(bucket_url + "&lock=hold"), digest_of(photo)
    store.put(digest, photo, "image/jpeg")
    version = version_of(store, digest)
    store.hold(digest, NOW)
    assert not is_removable(store, version) and not is_removable(store, version, BypassGovernanceRetention=True)
    store.delete(digest)
    assert not store.has(digest), "a marker hides it"
    store._client.delete_object(**{**version, "VersionId": marker_of(store)})
    assert b"".join(store.open(digest)) == BODY, "and below the marker it stands"
    store.release(digest)
    assert is_removable(store, version)


def marker_of(store):
    marker, = store._client.list_object_versions(Bucket=store.bucket)["DeleteMarkers"]
    return marker["VersionId"]


@pytest.mark.s3
@pytest.mark.parametrize(("lock", "bypassed"), [("governance", True), ("compliance", False)])
def test_a_retention_outlasts_its_hold(bucket_url, photo, lock, bypassed):
    store, digest = open_store(f"{bucket_url}&lock={lock}&retain_days=30"), digest_of(photo)
    store.put(digest, photo, "image/jpeg")
    version = version_of(store, digest)
    store.hold(digest, NOW)
    store.release(digest)
    mode, until = retention(store, digest)
    assert mode == lock.upper() and abs(until - NOW - timedelta(days=30)) < timedelta(minutes=1)
    assert not is_removable(store, version)
    assert is_removable(store, version, BypassGovernanceRetention=True) is bypassed


@pytest.mark.s3
def test_removing_takes_every_version_and_is_idempotent(store, photo):
    digest = digest_of(photo)
    for _ in range(2):
        store.put(digest, photo, "image/jpeg")
        store.delete(digest)  # in a bucket with versions a marker above the bytes
    store.put(digest, photo, "image/jpeg")
    for _ in range(2):
        store.remove(digest)
        assert not store.has(digest)
    if hasattr(store, "bucket"):
        left = store._client.list_object_versions(Bucket=store.bucket, Prefix=key_of(digest))
        assert not left.get("Versions") and not left.get("DeleteMarkers")


@pytest.mark.s3
def test_what_is_held_or_retained_is_not_removed_and_until_when_is_told(bucket_url, photo):
    store, digest = open_store(bucket_url + "&lock=governance&retain_days=2"), digest_of(photo)
    store.put(digest, photo, "image/jpeg")
    store.hold(digest, NOW)
    for lift in (lambda: None, lambda: store.release(digest)):
        lift()
        with pytest.raises(Retained) as refusal:
            store.remove(digest)
        assert refusal.value.until > NOW + timedelta(days=1) and store.has(digest)


@pytest.mark.s3
def test_a_retention_is_only_ever_made_longer_and_keeps_its_mode(bucket_url, photo):
    def asked(lock, days):
        return open_store(f"{bucket_url}&lock={lock}&retain_days={days}")

    digest, store = digest_of(photo), asked("governance", 10)
    store.put(digest, photo, "image/jpeg")
    store.hold(digest, NOW)
    first = retention(store, digest)
    store.hold(digest, NOW - timedelta(days=1))
    assert retention(store, digest) == first
    store.hold(digest, NOW + timedelta(days=1))
    assert retention(store, digest) == ("GOVERNANCE", first[1] + timedelta(days=1))
    asked("compliance", 1).hold(digest, NOW)
    assert retention(store, digest) == ("GOVERNANCE", first[1] + timedelta(days=1))
    asked("compliance", 12).hold(digest, NOW)
    assert retention(store, digest) == ("GOVERNANCE", first[1] + timedelta(days=2))


@pytest.mark.s3
def test_a_bucket_without_object_lock_refuses_holds_and_takes_photos(bucket_url, photo):
    open_store(bucket_url).check()
    store, digest = open_store(bucket_url + "&lock=hold"), digest_of(photo)
    assert store.put(digest, photo, "image/jpeg")
    for act in (store.probe, lambda: store.hold(digest, NOW), lambda: store.release(digest),
                lambda: store.on_hold(digest)):
        with pytest.raises(StoreRefuses, match="no Object Lock"):
            act()


@pytest.mark.s3
def test_a_bucket_that_we_make_lets_parts_and_removed_versions_expire(locked):
    locked.check()
    rules = locked._client.get_bucket_lifecycle_configuration(Bucket=locked.bucket)["Rules"]
    assert rules == lifecycle("")


@pytest.mark.s3
def test_a_bucket_that_somebody_else_made_keeps_the_rules_that_it_has(bucket_url, photo):
    store = open_store(bucket_url)
    theirs = [{"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3}}]
    store._client.create_bucket(Bucket=store.bucket)
    store._client.put_bucket_lifecycle_configuration(Bucket=store.bucket, LifecycleConfiguration={"Rules": theirs})
    store.put(digest_of(photo), photo, "image/jpeg")
    assert store._client.get_bucket_lifecycle_configuration(Bucket=store.bucket)["Rules"] == theirs


@pytest.mark.s3
def test_a_store_that_cannot_encrypt_says_so_when_asked_and_keeps_nothing_in_clear(bucket_url, photo):
    store = open_store(bucket_url + "&sse=AES256")
    with pytest.raises(StoreRefuses, match="does not write with sse=AES256"):
        store.probe()
    with pytest.raises(StoreUnavailable):
        store.put(digest_of(photo), photo, "image/jpeg")
    assert not store.has(digest_of(photo))


@pytest.mark.s3
def test_what_is_written_to_a_store_that_encrypts_is_encrypted_and_keeps_its_digest(tmp_path, photo):
    digest = digest_of(photo)
    with running_s3(tmp_path / "s3", encrypts=True) as url:
        store = open_store(url.replace("s3://menqian", "s3://encrypted", 1) + "&sse=AES256&lock=hold")
        store.probe()
        assert store.put(digest, photo, "image/jpeg") and not store.put(digest, photo, "image/jpeg")
        assert version_of(store, digest)
        head = store._client.head_object(Bucket=store.bucket, Key=key_of(digest))
        assert head["ServerSideEncryption"] == "AES256"
        assert store.holds(digest) and b"".join(store.open(digest, 5, 9)) == BODY[5:9]
        store.hold(digest, NOW)
        assert store.on_hold(digest)
    at_rest = b"".join(path.read_bytes() for path in (tmp_path / "s3" / "objects").rglob("*.dat"))
    assert BODY[:4096] not in at_rest


@pytest.mark.parametrize("query", ["lock=maybe", "lock=governance", "lock=compliance&retain_days=0",
                                   "lock=hold&retain_days=3",
                                   "retain_days=3", "lock=governance&retain_days=2x", "sse=rot13", "sse_key_id=k",
                                   "sse=AES256&sse_key_id=k", "lock=governance&retain_days=99999"])
def test_what_cannot_be_asked_for_is_refused(query):
    with pytest.raises(ValueError):
        open_store(f"s3://bucket?{query}")
