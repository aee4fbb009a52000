"""The bucket of an S3 store: made where there is none, with Object Lock where that is asked, and what expires in it.

Serves s3.py. A bucket that somebody else made is left as it is.
"""

from __future__ import annotations

import logging
from typing import Any

from botocore.exceptions import ClientError

from media.stores.contract import StoreRefuses
from media.stores.s3_failures import ABSENT, code_of

log = logging.getLogger(__name__)
OF_OTHERS = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")
NO_LIFECYCLE = "NoSuchLifecycleConfiguration"
NO_LOCK = ("ObjectLockConfigurationNotFoundError", "AccessDenied", "InvalidRequest", "NotImplemented")
PARTS_DAYS = 7
REMOVED_DAYS = 90
"""Long enough for the nightly audit, and whoever reads it, to find what was removed by mistake."""


def must_stand(client: Any, bucket: str, prefix: str, *, locks: bool) -> None:
    """Make the bucket where there is none; raises ClientError."""
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if code_of(error) not in ABSENT:
            raise
        if _create(client, bucket, locks):
            _let_expire(client, bucket, prefix)


def must_lock(client: Any, bucket: str) -> None:
    """Raise StoreRefuses unless the bucket has Object Lock."""
    try:
        found = client.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    except ClientError as error:
        if code_of(error) not in NO_LOCK:
            raise
        raise StoreRefuses(f"lock= is asked of the bucket {bucket}, but it has no Object Lock: enable it there, with "
                           f"versioning, or leave lock= out ({code_of(error)})") from error
    if found.get("ObjectLockEnabled") != "Enabled":
        raise StoreRefuses(f"lock= is asked of the bucket {bucket}, but its Object Lock is not enabled")


def lifecycle(prefix: str) -> list[dict[str, Any]]:
    """Our rules: parts that nobody completed, and old versions of what Menqian removed (renditions that were made
    anew, bytes that were not those of their name). Object Lock outlives them: what is on hold does not expire."""
    ours = {"Status": "Enabled", "Filter": {"Prefix": prefix}}
    return [{"ID": "menqian-parts", **ours, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": PARTS_DAYS}},
            {"ID": "menqian-removed", **ours, "NoncurrentVersionExpiration": {"NoncurrentDays": REMOVED_DAYS},
             "Expiration": {"ExpiredObjectDeleteMarker": True}}]


def _create(client: Any, bucket: str, locks: bool) -> bool:
    """Make the bucket; False when another process was first."""
    region = client.meta.region_name
    elsewhere = region not in (None, "us-east-1")  # AWS refuses to be told its default
    place = {"CreateBucketConfiguration": {"LocationConstraint": region}} if elsewhere else {}
    try:
        client.create_bucket(Bucket=bucket, **place, **({"ObjectLockEnabledForBucket": True} if locks else {}))
    except ClientError as error:
        if code_of(error) not in OF_OTHERS:
            raise
        return False
    return True


def _let_expire(client: Any, bucket: str, prefix: str) -> None:
    """Add our rules to those that stand; a store that knows no lifecycle keeps more, and no photo less."""
    try:
        standing = _rules(client, bucket)
        known = {rule.get("ID") for rule in standing}
        wanted = [*standing, *(rule for rule in lifecycle(prefix) if rule["ID"] not in known)]
        if wanted != standing:
            client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": wanted})
    except ClientError as error:
        log.warning("the bucket %s takes no lifecycle rules: %s", bucket, code_of(error))


def _rules(client: Any, bucket: str) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except ClientError as error:
        if code_of(error) != NO_LIFECYCLE:
            raise
        return []
    return found
