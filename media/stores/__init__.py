"""Where the bytes of photos and renditions lie: one contract, on a disk or in an S3 store. Serves uploads and jobs."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from media.stores.contract import (
    DigestMismatch,
    NotStored,
    Retained,
    Store,
    Stored,
    StoreRefuses,
    StoreUnavailable,
    digest_of,
)
from media.stores.s3_asked import OPTIONS, asked_of

__all__ = ["DigestMismatch", "NotStored", "Retained", "Store", "StoreRefuses", "StoreUnavailable", "Stored",
           "digest_of", "open_store"]

S3_OPTIONS = {"endpoint_url", "region", "access_key", "secret_key"}


def open_store(url: str) -> Store:
    """Open the store that `url` names; raises ValueError when the URL says nothing usable.

    `file:///directory`, or `s3://bucket/prefix?endpoint_url=…&region=…&access_key=…&secret_key=…`, and what is asked of
    the store (`s3_asked.Asked`): `lock=…&retain_days=…&sse=…&sse_key_id=…`. What the query leaves out comes from the
    usual AWS environment and files. An S3 store is not contacted before its first use.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and len(parts.path) > 1:
        from media.stores.disk import DiskStore

        return DiskStore(Path(unquote(parts.path)))
    options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    if parts.scheme == "s3" and parts.netloc and options.keys() <= S3_OPTIONS | OPTIONS:
        from media.stores.s3 import S3Store

        where = {name: value for name, value in options.items() if name in S3_OPTIONS}
        return S3Store(parts.netloc, prefix=unquote(parts.path).strip("/"), **where, asked=asked_of(options))
    raise ValueError("a media store is file:///directory or s3://bucket?endpoint_url=…&region=…&access_key=…&secret_key=…")
