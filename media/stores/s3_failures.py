"""How an S3 store says no, as the contract says it. Serves s3.py, s3_bucket.py and s3_lock.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from media.stores.contract import StoreUnavailable

STANDS_ALREADY = {"PreconditionFailed", "412"}
ABSENT = {"NoSuchKey", "NotFound", "404", "NoSuchBucket"}
OTHER_BYTES = {"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch"}


def code_of(error: ClientError) -> str:
    """The error code in a store's answer; a HEAD has only the HTTP status."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def unavailable(verb: str) -> Iterator[None]:
    """Turn what the store or the way to it refuses into StoreUnavailable."""
    try:
        yield
    except (BotoCoreError, ClientError, OSError) as error:
        raise StoreUnavailable(f"the media store cannot {verb}: {error}") from error
