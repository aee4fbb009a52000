"""Object Lock of one object: a legal hold, and beside it a retention that is only ever made longer; and the removal of
all its versions, which either forbids. Serves s3.py.

Names and modes are S3's (Object Lock: `PutObjectLegalHold`, `PutObjectRetention`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from media.stores.contract import Retained, StoreRefuses
from media.stores.s3_asked import Asked
from media.stores.s3_failures import ABSENT, code_of

# The second spelling of each is seaweedfs's.
NO_HOLD = {"NoSuchObjectLockConfiguration", "NoSuchObjectLegalHold"}
NO_RETENTION = {"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError"}
REFUSED = {"InvalidRequest", "AccessDenied"}


def hold(client: Any, bucket: str, key: str, asked: Asked, at: datetime) -> None:
    """Put the hold on, after the retention that goes with it; raises StoreRefuses, ClientError."""
    with _refusals(bucket):
        if asked.mode:
            _retain(client, bucket, key, asked.mode, at + timedelta(days=asked.retain_days))
        client.put_object_legal_hold(Bucket=bucket, Key=key, LegalHold={"Status": "ON"})


def release(client: Any, bucket: str, key: str) -> None:
    """Lift the hold; a retention runs out by itself."""
    with _refusals(bucket):
        client.put_object_legal_hold(Bucket=bucket, Key=key, LegalHold={"Status": "OFF"})


def on_hold(client: Any, bucket: str, key: str) -> bool:
    """Is there a legal hold? Asked by its own call: HEAD leaves it out where the key may not see it."""
    try:
        with _refusals(bucket):
            found = client.get_object_legal_hold(Bucket=bucket, Key=key)
    except ClientError as error:
        if code_of(error) in NO_HOLD | ABSENT:
            return False
        raise
    return bool(found["LegalHold"]["Status"] == "ON")


def remove(client: Any, bucket: str, key: str) -> None:
    """Remove every version and delete marker of the object; raises Retained, ClientError. None is bypassed."""
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        for each in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            try:
                client.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
            except ClientError as error:
                if code_of(error) not in REFUSED:
                    raise
                standing = _retention(client, bucket, key)
                until = standing["RetainUntilDate"] if standing else None
                raise Retained(f"the bytes are retained until {until or 'their hold is lifted'}", until) from error


def _retain(client: Any, bucket: str, key: str, mode: str, until: datetime) -> None:
    """Retain until then at least. What is retained for longer stays so, and the mode stays what it is: to change one
    takes a right to bypass it, which our key need not have."""
    standing = _retention(client, bucket, key)
    if standing is not None:
        if standing["RetainUntilDate"] >= until.replace(microsecond=0):
            return
        mode = standing["Mode"]
    client.put_object_retention(Bucket=bucket, Key=key, Retention={"Mode": mode, "RetainUntilDate": until})


def _retention(client: Any, bucket: str, key: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = client.get_object_retention(Bucket=bucket, Key=key)["Retention"]
    except ClientError as error:
        if code_of(error) not in NO_RETENTION:
            raise
        return None
    return found if found.get("RetainUntilDate") else None


@contextmanager
def _refusals(bucket: str) -> Iterator[None]:
    """A bucket without Object Lock, or a key without the right to it, is its owner's matter: waiting does not help."""
    try:
        yield
    except ClientError as error:
        if code_of(error) in REFUSED:
            raise StoreRefuses(f"lock= is asked of the bucket {bucket}, but it has no Object Lock, or the key may not "
                               f"use it ({error})") from error
        raise
