"""Bytes in an S3 store, whose own SHA-256 checksum is the evidence's digest. Serves open_store."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from media.stores.contract import BLOCK_BYTES, DigestMismatch, NotStored, Stored, StoreUnavailable, digest_of, key_of

# Bounded: a request thread must not hang on a store that is away. Three attempts take about half a minute at worst.
TIMES = Config(connect_timeout=3, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
STANDS_ALREADY = {"PreconditionFailed", "412"}
ABSENT = {"NoSuchKey", "NotFound", "404", "NoSuchBucket"}
OTHER_BYTES = {"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch"}


class S3Store:
    """One PUT an object, with its checksum and `If-None-Match: *`, so that the store itself refuses to overwrite."""

    def __init__(self, bucket: str, *, prefix: str = "", endpoint_url: str | None = None, region: str | None = None,
                 access_key: str | None = None, secret_key: str | None = None) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self._bucket_stands = False
        # Path style: `bucket.host` needs name service for every bucket, which a store of one's own rarely has.
        style = TIMES.merge(Config(s3={"addressing_style": "path"})) if endpoint_url else TIMES
        self._client: Any = boto3.session.Session().client(
            "s3", endpoint_url=endpoint_url, region_name=region, aws_access_key_id=access_key,
            aws_secret_access_key=secret_key, config=style)

    def put(self, sha256: str, path: Path, media_type: str) -> bool:
        key = self._key(sha256)
        if (found := digest_of(path)) != sha256:
            raise DigestMismatch(f"the bytes hash to {found}, not to {sha256}")
        self._make_bucket()
        with _unavailable("write"):
            is_new = self._put_once(key, sha256, path, media_type)
        stands = self.head(sha256)
        if stands is None or stands != Stored(path.stat().st_size, sha256):
            raise StoreUnavailable(f"the store says it holds {stands} under {sha256}")
        return is_new

    def has(self, sha256: str) -> bool:
        return self.head(sha256) is not None

    def head(self, sha256: str) -> Stored | None:
        key = self._key(sha256)
        with _unavailable("look up"):
            try:
                found = self._client.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
            except ClientError as error:
                if _code(error) in ABSENT:
                    return None
                raise
        checksum = found.get("ChecksumSHA256", "")
        of_parts = "-" in checksum  # written in parts by another program: no digest of the bytes
        return Stored(found["ContentLength"], "" if of_parts else base64.b64decode(checksum).hex())

    def holds(self, sha256: str) -> bool | None:
        stands = self.head(sha256)
        if stands is None:
            return None
        if stands.sha256:
            return stands.sha256 == sha256
        digest = hashlib.sha256()
        for block in self.open(sha256):
            digest.update(block)
        return digest.hexdigest() == sha256

    def open(self, sha256: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        stands = self.head(sha256)
        if stands is None:
            raise NotStored(sha256)
        last = min(stands.bytes, stands.bytes if end is None else end) - 1
        if start > last:
            return iter(())
        with _unavailable("read"):
            answer = self._client.get_object(Bucket=self.bucket, Key=self._key(sha256), Range=f"bytes={start}-{last}")
        return _blocks(answer["Body"])

    def delete(self, sha256: str) -> None:
        with _unavailable("delete"):
            try:
                self._client.delete_object(Bucket=self.bucket, Key=self._key(sha256))
            except ClientError as error:
                if _code(error) not in ABSENT:
                    raise

    def check(self) -> None:
        with _unavailable("reach"):
            self._bucket_stands = False
            self._make_bucket()

    def _key(self, sha256: str) -> str:
        return self.prefix + key_of(sha256)

    def _put_once(self, key: str, sha256: str, path: Path, media_type: str) -> bool:
        """Write unless the key is taken. True when these bytes were written now."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        try:
            with path.open("rb") as body:
                self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=media_type,
                                        ChecksumSHA256=checksum, IfNoneMatch="*")
        except ClientError as error:
            if _code(error) in OTHER_BYTES:
                raise DigestMismatch(f"the store finds that the bytes are not {sha256}") from error
            if _code(error) not in STANDS_ALREADY:
                raise
            return False
        return True

    def _make_bucket(self) -> None:
        if self._bucket_stands:
            return
        with _unavailable("reach"):
            try:
                self._client.head_bucket(Bucket=self.bucket)
            except ClientError as error:
                if _code(error) not in ABSENT:
                    raise
                self._create_bucket()
        self._bucket_stands = True

    def _create_bucket(self) -> None:
        region = self._client.meta.region_name
        elsewhere = region not in (None, "us-east-1")  # AWS refuses to be told its default
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}} if elsewhere else {}
        try:
            self._client.create_bucket(Bucket=self.bucket, **place)
        except ClientError as error:
            if _code(error) not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):  # another process was first
                raise


def _blocks(body: Any) -> Iterator[bytes]:
    """Stream an answer's body; the connection is given back also when the reader stops early."""
    try:
        with _unavailable("read"):
            yield from body.iter_chunks(BLOCK_BYTES)
    finally:
        body.close()


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def _unavailable(verb: str) -> Iterator[None]:
    """Turn what the store or the way to it refuses into StoreUnavailable."""
    try:
        yield
    except (BotoCoreError, ClientError, OSError) as error:
        raise StoreUnavailable(f"the media store cannot {verb}: {error}") from error
