"""The photos of a backup: a list of all digests that its rows name, and their bytes where they are included.

Serves `making` and `restoring`. Photos are write-once and never deleted: what a snapshot names may be copied after it.
No bytes are believed for their name, neither those of a backup nor those that lie in a store: they are hashed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from media.models import Photo, Rendition
from media.renditions import LONG_SIDE_PX
from media.stores import NotStored, Store, Stored, digest_of
from server.backup.tables import Tell, read_lines, write_lines
from sync.audit import batches, stream

LIST = "photos.jsonl.gz"
FOLDER = "media"
TOLD_EVERY = 1000
ASKED_AT_ONCE = 16


class Listed(NamedTuple):
    """One file that the rows name: an original, or the rendition or copy `kind` of the original `parent`."""

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
                           .where(Rendition.disposed_at.is_(None)).order_by(Rendition.parent, Rendition.kind)):
            count["renditions"] += 1
            count["bytes"] += made.bytes
            yield Listed(made.sha256, made.bytes, "image/jpeg", made.parent, made.kind)

    write_lines(directory / LIST, Listed._fields, counted())
    return count


def listed(directory: Path) -> Iterator[Listed]:
    """What the list of a backup names, originals first."""
    return (Listed(*row) for row in read_lines(directory / LIST)[1])


def originals(files: list[Listed]) -> list[str]:
    """The digests of the originals among these files."""
    return sorted({each.sha256 for each in files if each.parent is None})


def copies(files: list[Listed]) -> list[str]:
    """The digests of the copies that people made among these files; no check makes them again."""
    return sorted({each.sha256 for each in files if each.parent and each.kind not in LONG_SIDE_PX})


def told_missing(directory: Path, digests: list[str]) -> dict[str, Any]:
    """What an operator reads of the missing among the files of a backup: originals and copies that people made by
    digest, and how many renditions a restore makes anew."""
    gone = set(digests)
    files = [each for each in listed(directory) if each.sha256 in gone]
    lost, made = originals(files), copies(files)
    return {"photos_missing": lost, "renditions_missing": len(gone) - len(lost) - len(made), "copies_missing": made}


def path_of(sha256: str) -> str:
    """Where a backup keeps the bytes of a digest."""
    return f"{FOLDER}/{sha256[:2]}/{sha256}"


def is_whole(directory: Path, sha256: str) -> bool:
    """Does this backup hold the very bytes of a digest? They are read."""
    with suppress(OSError):
        return digest_of(directory / path_of(sha256)) == sha256
    return False


def save_bytes(store: Store, directory: Path, earlier: Path | None, tell: Tell) -> list[Listed]:
    """Copy the bytes of all that is listed; what an `earlier` backup holds whole is hard-linked from there.

    Gives what the store does not have as it was: an original that devices may bring again, a rendition that the
    restored server makes anew, a copy that people made.
    """
    missing = []
    for number, each in enumerate(listed(directory), 1):
        target = directory / path_of(each.sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() and not _linked(each, target, earlier, tell) and not _copied(store, each, target):
            missing.append(each)
        if number % TOLD_EVERY == 0:
            tell(f"photos: {number}")
    return missing


def missing_in(store: Store, directory: Path, tell: Tell) -> list[Listed]:
    """What of the list does not lie in the store with its size and checksum; nothing is read."""
    def stands(each: Listed) -> bool:
        found = store.head(each.sha256)
        return found is not None and found in (Stored(each.bytes, each.sha256), Stored(each.bytes, ""))

    return _without(stands, directory, tell)


def nowhere(store: Store, directory: Path, included: bool, tell: Tell) -> list[Listed]:
    """What neither the backup nor the store holds whole."""
    def stands(each: Listed) -> bool:
        return (included and is_whole(directory, each.sha256)) or store.holds(each.sha256) is True

    return _without(stands, directory, tell)


def bring_back(store: Store, directory: Path, included: bool, lost: set[str], tell: Tell) -> None:
    """Put the included bytes into the store, and leave no other bytes in the place of any; idempotent.

    `lost` are the digests of what is nowhere; raises DigestMismatch when more of the backup is damaged by now.
    """
    for number, each in enumerate(listed(directory), 1):
        if each.sha256 in lost and store.holds(each.sha256) is False:
            store.delete(each.sha256)
        if each.sha256 not in lost and included:
            _bring(store, directory, each)
        if number % TOLD_EVERY == 0:
            tell(f"photos: {number}")


def _without(stands: Callable[[Listed], bool], directory: Path, tell: Tell) -> list[Listed]:
    """Those of the list that do not stand; a batch at a time, so that memory is bounded."""
    missing = []
    with ThreadPoolExecutor(ASKED_AT_ONCE) as threads:
        for number, some in enumerate(batches(listed(directory), TOLD_EVERY), 1):
            missing += [each for each, there in zip(some, threads.map(stands, some), strict=True) if not there]
            if len(some) == TOLD_EVERY:
                tell(f"photos looked at: {number * TOLD_EVERY}")
    return missing


def _linked(each: Listed, target: Path, earlier: Path | None, tell: Tell) -> bool:
    if earlier is None or not (earlier / path_of(each.sha256)).exists():
        return False
    if not is_whole(earlier, each.sha256):
        tell(f"{earlier / path_of(each.sha256)}: 内容已变,改从存储复制 damaged there, copied from the store")
        return False
    with suppress(OSError):  # on another file system: then it is copied
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


def _bring(store: Store, directory: Path, each: Listed) -> None:
    """Put what does not stand there; what stands under another checksum or none is replaced if the backup is whole."""
    stands = store.head(each.sha256)
    if stands is not None:
        vouched = stands == Stored(each.bytes, each.sha256) and store.holds(each.sha256)
        if vouched or not is_whole(directory, each.sha256):
            return
        store.delete(each.sha256)
    store.put(each.sha256, directory / path_of(each.sha256), each.media_type)
