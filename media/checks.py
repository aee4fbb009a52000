"""The background check of a stored photo: strict decode, metadata, renditions, hash; then what evidence says of it.

`examine` does the work and writes nothing to the database; `conclude` writes and does no work. A check may be asked for
any number of times: the first that concludes stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from media import bands
from media.checked import tell_checked
from media.evidence import media_of, set_media
from media.exif import read_exif
from media.facts import facts_of, flags_from
from media.models import Photo, Rendition
from media.pictures import MediaTypeRefused, Picture, TooManyPixels, decode, sniff
from media.renditions import LONG_SIDE_PX, RECIPE, NotRendered, render_apart
from media.reuse import AS_IS, dhashes, hex_of
from media.reused import compare
from media.stores import NotStored, Store, digest_of
from schemas.values import stamp
from sync.records import Door

FORGOTTEN_AFTER = timedelta(seconds=30)
MOST_FORGOTTEN = 50


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendition that stands in the store."""

    kind: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found; `found` is the document of media/facts.py, `hashes` those of media/reuse.py by orientation."""

    found: dict[str, Any]
    hashes: dict[int, int]
    renditions: tuple[Rendered, ...]


def examine(session: Session, store: Store, sha256: str, *, heif: bool, directory: Path) -> Examined | None:
    """Look at a stored photo; None when there is none or it was checked already. Renditions go to the store.

    `directory` holds the copy that is looked at. Raises what says nothing about the picture: StoreUnavailable and
    NotStored, sandbox.ChildLost and sandbox.CallFailed; the photo stays unchecked then.
    """
    photo = session.get(Photo, sha256)
    if photo is None or photo.checked_at is not None:
        return None
    with fetched(store, sha256, directory) as (original, whole):
        picture = _decoded(original, heif) if whole else Picture(photo.media_type, damaged="stored bytes have changed")
        reading = read_exif(original)
        renditions, hashes, trouble = _rendered(store, original) if whole else ((), {}, None)
    if trouble and not picture.damaged:
        picture = replace(picture, damaged=f"cannot be shown: {trouble}")
    bands.look_up(session, hashes)  # behind the gate it is asked again, and finds the pages in memory
    return Examined(facts_of(picture, reading, photo.bytes), hashes, renditions)


def conclude(door: Door, sha256: str, examined: Examined) -> None:
    """Write what was found: the photo's row, its renditions, its place among the others, and every evidence record that
    names it or one near to it. Idempotent."""
    photo = door.session.get(Photo, sha256)
    if photo is None or photo.checked_at is not None:
        return
    found = examined.found
    photo.state = "damaged" if found.get("damaged") else "verified"
    photo.checked_at = door.at
    photo.width, photo.height = found.get("width"), found.get("height")
    photo.found = found
    for rendered in examined.renditions:
        door.add_row(Rendition, {"parent": sha256, "kind": rendered.kind, "sha256": rendered.sha256,
                                 "bytes": rendered.bytes, "recipe": RECIPE, "made_at": door.at})
    set_media(door, sha256, media_of(door.session, sha256), lambda kept: flags_from(found, kept.fields))
    if photo.near is None:
        photo.dhash = hex_of(examined.hashes)
        compare(door, photo, examined.hashes)
    tell_checked(door, photo, {rendered.kind: rendered.sha256 for rendered in examined.renditions}, RECIPE)


def compare_again(session: Session, store: Store, sha256: str, directory: Path) -> Callable[[Door], None]:
    """Hash a photo that was checked before there was an index, and give what writes its place among the others.

    Where its small copy is gone only the hash in its row is taken. Raises StoreUnavailable.
    """
    photo = session.get_one(Photo, sha256)
    made = session.get(Rendition, (sha256, "thumb"))
    hashes = {AS_IS: int(photo.dhash, 16)} if photo.dhash else {}
    if made is not None and photo.dhash:
        with suppress(NotStored), fetched(store, made.sha256, directory) as (thumb, whole):
            hashes = {**(dhashes(thumb) if whole else {}), **hashes}
    bands.look_up(session, hashes)

    def write(door: Door) -> None:
        found = door.session.get_one(Photo, sha256)
        if found.near is None:
            compare(door, found, hashes)
    return write


def forgotten(session: Session, now: datetime, after: timedelta = FORGOTTEN_AFTER) -> list[str]:
    """Photos that wait too long for their check: the hint to the queue was lost, or the check failed. Oldest first."""
    return list(session.execute(
        select(Photo.sha256).where(Photo.state == "stored", Photo.stored_at <= stamp(now - after))
        .order_by(Photo.stored_at).limit(MOST_FORGOTTEN)).scalars())


@contextmanager
def fetched(store: Store, sha256: str, directory: Path) -> Iterator[tuple[Path, bool]]:
    """A copy of the original beside the spool, and whether it still hashes to its name."""
    with TemporaryDirectory(prefix="check-", dir=directory) as place:
        copy = Path(place, "original")
        digest = hashlib.sha256()
        with copy.open("wb") as file:
            for block in store.open(sha256):
                digest.update(block)
                file.write(block)
        yield copy, digest.hexdigest() == sha256


def _decoded(original: Path, heif: bool) -> Picture:
    try:
        sniff(original, heif=heif)
    except (MediaTypeRefused, TooManyPixels) as refusal:  # taken under other settings, or an older version
        return Picture(None, damaged=str(refusal))
    return decode(original)


def _rendered(store: Store, original: Path) -> tuple[tuple[Rendered, ...], dict[int, int], str | None]:
    """Make and store the renditions; hashes are taken of the smallest, which is our own encoding and safe to open."""
    made: list[Rendered] = []
    hashes: dict[int, int] = {}
    for kind in LONG_SIDE_PX:
        target = original.with_name(kind)
        try:
            render_apart(original, kind, target)
        except NotRendered as error:
            return tuple(made), {}, str(error)
        sha256 = digest_of(target)
        store.put(sha256, target, "image/jpeg", given=True)
        made.append(Rendered(kind, sha256, target.stat().st_size))
        if kind == "thumb":
            hashes = dhashes(target)
    return tuple(made), hashes, None
