"""Bytes in an S3 store, whose own SHA-256 checksum is the evidence's digest. Serves open_store."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from media.stores import s3_bucket, s3_lock
from media.stores.contract import (
    BLOCK_BYTES,
    DigestMismatch,
    NotStored,
    Stored,
    StoreRefuses,
    StoreUnavailable,
    digest_of,
    key_of,
)
from media.stores.s3_asked import Asked
from media.stores.s3_failures import ABSENT, OTHER_BYTES, STANDS_ALREADY, code_of, unavailable

# Bounded: a request thread must not hang on a store that is away. Three attempts take about half a minute at worst.
TIMES = Config(connect_timeout=3, read_timeout=20, retries={"mode": "standard", "max_attempts": 3})
PROBE = b"menqian"
ASKED_NOTHING = Asked()


class S3Store:
    """One PUT an object, with its checksum and `If-None-Match: *`, so that the store itself refuses to overwrite."""

    def __init__(self, bucket: str, *, prefix: str = "", endpoint_url: str | None = None, region: str | None = None,
                 access_key: str | None = None, secret_key: str | None = None, asked: Asked = ASKED_NOTHING) -> None:
        self.bucket, self.asked = bucket, asked
        self.prefix = f"{prefix}/" if prefix else ""
        self.place = f"s3://{bucket}/{self.prefix}" + (f"?endpoint_url={endpoint_url}" if endpoint_url else "")
        self.holding = bool(asked.lock)
        self._bucket_stands = False
        # Path style: `bucket.host` needs name service for every bucket, which a store of one's own rarely has.
        style = TIMES.merge(Config(s3={"addressing_style": "path"})) if endpoint_url else TIMES
        self._client: Any = boto3.session.Session().client(
            "s3", endpoint_url=endpoint_url, region_name=region, aws_access_key_id=access_key,
            aws_secret_access_key=secret_key, config=style)

    def put(self, sha256: str, path: Path, media_type: str, *, given: bool = False) -> bool:
        key = self._key(sha256)
        if (found := digest_of(path)) != sha256:
            raise DigestMismatch(f"the bytes hash to {found}, not to {sha256}")
        self._make_bucket()
        with unavailable("write"), path.open("rb") as body:
            is_new = self._put_once(key, sha256, body, media_type)
        stands = self.head(sha256)
        if stands is None or stands != Stored(path.stat().st_size, sha256):
            raise StoreUnavailable(f"the store says it holds {stands} under {sha256}")
        return is_new

    def has(self, sha256: str) -> bool:
        return self.head(sha256) is not None

    def head(self, sha256: str) -> Stored | None:
        key = self._key(sha256)
        with unavailable("look up"):
            try:
                found = self._client.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")
            except ClientError as error:
                if code_of(error) in ABSENT:
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
        with unavailable("read"):
            answer = self._client.get_object(Bucket=self.bucket, Key=self._key(sha256), Range=f"bytes={start}-{last}")
        return _blocks(answer["Body"])

    def delete(self, sha256: str) -> None:
        with unavailable("delete"):
            try:
                self._client.delete_object(Bucket=self.bucket, Key=self._key(sha256))
            except ClientError as error:
                if code_of(error) not in ABSENT:
                    raise

    def remove(self, sha256: str) -> None:
        with unavailable("remove"):
            s3_lock.remove(self._client, self.bucket, self._key(sha256))

    def hold(self, sha256: str, at: datetime) -> None:
        if self.head(sha256) is None:  # seaweedfs answers 500 where nothing is
            raise NotStored(sha256)
        if self.holding:
            with unavailable("hold"):
                s3_lock.hold(self._client, self.bucket, self._key(sha256), self.asked, at)

    def release(self, sha256: str) -> None:
        if self.head(sha256) is not None and self.holding:
            with unavailable("release"):
                s3_lock.release(self._client, self.bucket, self._key(sha256))

    def on_hold(self, sha256: str) -> bool | None:
        key = self._key(sha256)
        if not self.holding:
            return None
        with unavailable("tell holds"):
            return s3_lock.on_hold(self._client, self.bucket, key)

    def keep(self, name: str, content: bytes) -> bool:
        self._make_bucket()
        with unavailable("write"):
            return self._put_once(self.prefix + name, hashlib.sha256(content).hexdigest(), content, "text/plain")

    def kept(self, folder: str) -> Iterator[str]:
        with unavailable("list"):
            try:
                for page in self._client.get_paginator("list_objects_v2").paginate(
                        Bucket=self.bucket, Prefix=f"{self.prefix}{folder}/"):
                    yield from (each["Key"].removeprefix(self.prefix) for each in page.get("Contents", ()))
            except ClientError as error:
                if code_of(error) not in ABSENT:
                    raise

    def recall(self, name: str) -> bytes:
        with unavailable("read"):
            try:
                answer = self._client.get_object(Bucket=self.bucket, Key=self.prefix + name)
                return bytes(answer["Body"].read())
            except ClientError as error:
                if code_of(error) in ABSENT:
                    raise NotStored(name) from error
                raise

    def check(self) -> None:
        self._bucket_stands = False
        self._make_bucket()

    def probe(self) -> None:
        self.check()
        with unavailable("be written"):
            if self.holding:
                s3_bucket.must_lock(self._client, self.bucket)
            self._write_probe()

    def _key(self, sha256: str) -> str:
        return self.prefix + key_of(sha256)

    def _put_once(self, key: str, sha256: str, body: BinaryIO | bytes, media_type: str) -> bool:
        """Write unless the key is taken. True when these bytes were written now."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        try:
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=media_type,
                                    ChecksumSHA256=checksum, IfNoneMatch="*", **self.asked.of_put())
        except ClientError as error:
            if code_of(error) in OTHER_BYTES:
                raise DigestMismatch(f"the store finds that the bytes are not {sha256}") from error
            if code_of(error) not in STANDS_ALREADY:
                raise
            return False
        return True

    def _make_bucket(self) -> None:
        if not self._bucket_stands:
            with unavailable("reach"):
                s3_bucket.must_stand(self._client, self.bucket, self.prefix, locks=self.holding)
            self._bucket_stands = True

    def _write_probe(self) -> None:
        """Write some bytes as a photo is written, and remove that very version."""
        name = {"Bucket": self.bucket, "Key": f"{self.prefix}probe"}
        try:
            written = self._client.put_object(**name, Body=PROBE, ChecksumAlgorithm="SHA256", **self.asked.of_put())
        except ClientError as error:
            if not self.asked.sse:
                raise
            raise StoreRefuses(f"the store does not write with sse={self.asked.sse}: it has no key for it, or ours may "
                               f"not use that ({error})") from error
        version = {"VersionId": written["VersionId"]} if "VersionId" in written else {}
        sse = self._client.head_object(**name, **version).get("ServerSideEncryption", "")
        self._client.delete_object(**name, **version)
        if self.asked.sse and sse != self.asked.sse:
            raise StoreRefuses(f"sse={self.asked.sse} is asked of the store; what it wrote has {sse or 'none'}")


def _blocks(body: Any) -> Iterator[bytes]:
    """Stream an answer's body; the connection is given back also when the reader stops early."""
    try:
        with unavailable("read"):
            yield from body.iter_chunks(BLOCK_BYTES)
    finally:
        body.close()
