"""The photos of a backup: a list of all digests that its rows name, and their bytes where they are included.

Serves `making` and `restoring`. Photos are write-once and never deleted: what a snapshot names may be copied after it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from media.models import Photo, Rendition
from media.stores import NotStored, Store
from server.backup.tables import Tell, read_lines, write_lines
from sync.audit import batches, stream

LIST = "photos.jsonl.gz"
FOLDER = "media"
TOLD_EVERY = 1000
ASKED_AT_ONCE = 16


class Listed(NamedTuple):
    """One file that the rows name: an original, or the rendition `kind` of the original `parent`."""

    sha256: str
    bytes: int
    media_type: str
    parent: str | None
    kind: str


def save_list(session: Session, directory: Path) -> dict[str, int]:
    """Write what the snapshot of this session names; gives counts and bytes."""
    count = {"originals": 0, "renditions": 0, "bytes": 0}

    def counted() -> Iterator[Listed]:
        for photo in stream(session, select(Photo.sha256, Photo.bytes, Photo.media_type).order_by(Photo.sha256)):
            count["originals"] += 1
            count["bytes"] += photo.bytes
            yield Listed(photo.sha256, photo.bytes, photo.media_type, None, "original")
        for made in stream(session, select(Rendition.sha256, Rendition.bytes, Rendition.parent, Rendition.kind)
                           .order_by(Rendition.parent, Rendition.kind)):
            count["renditions"] += 1
            count["bytes"] += made.bytes
            yield Listed(made.sha256, made.bytes, "image/jpeg", made.parent, made.kind)

    write_lines(directory / LIST, Listed._fields, counted())
    return count


def listed(directory: Path) -> Iterator[Listed]:
    """What the list of a backup names, originals first."""
    return (Listed(*row) for row in read_lines(directory / LIST)[1])


def path_of(sha256: str) -> str:
    """Where a backup keeps the bytes of a digest."""
    return f"{FOLDER}/{sha256[:2]}/{sha256}"


def save_bytes(store: Store, directory: Path, earlier: Path | None, tell: Tell) -> list[str]:
    """Copy the bytes of all that is listed; what an `earlier` backup holds is hard-linked from there.

    Gives the digests of what the store does not have as it was: an original that devices may bring again, a rendition
    that the restored server makes anew.
    """
    missing = []
    for number, each in enumerate(listed(directory), 1):
        target = directory / path_of(each.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() and not _linked(each, target, earlier) and not _copied(store, each, target):
            missing.append(each.sha256)
        if number % TOLD_EVERY == 0:
            tell(f"photos: {number}")
    return missing


def missing_from(store: Store, directory: Path, included: bool) -> list[Listed]:
    """What is neither in the backup nor, with its size, in the store."""
    def stands(each: Listed) -> bool:
        if included and (directory / path_of(each.sha256)).exists():
            return True
        found = store.head(each.sha256)
        return found is not None and found.bytes == each.bytes

    with ThreadPoolExecutor(ASKED_AT_ONCE) as threads:
        return [each for some in batches(listed(directory), TOLD_EVERY)
                for each, there in zip(some, threads.map(stands, some), strict=True) if not there]


def bring_back(store: Store, directory: Path, tell: Tell) -> None:
    """Put the included bytes into the store; idempotent."""
    for number, each in enumerate(listed(directory), 1):
        path = directory / path_of(each.sha256)
        if path.exists():
            store.put(each.sha256, path, each.media_type)
        if number % TOLD_EVERY == 0:
            tell(f"photos: {number}")


def _linked(each: Listed, target: Path, earlier: Path | None) -> bool:
    if earlier is None:
        return False
    with suppress(OSError):  # not there, or on another file system: then it is copied
        if (earlier / path_of(each.sha256)).stat().st_size == each.bytes:
            os.link(earlier / path_of(each.sha256), target)
            return True
    return False


def _copied(store: Store, each: Listed, target: Path) -> bool:
    """Copy from the store and hold the bytes against their name; what is other bytes is not kept."""
    digest = sha256_of()
    try:
        blocks = store.open(each.sha256)
        with target.open("xb") as file:
            for block in blocks:
                digest.update(block)
                file.write(block)
    except NotStored:
        return False
    if digest.hexdigest() != each.sha256:
        target.unlink()
        return False
    return True
