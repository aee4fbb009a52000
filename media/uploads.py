"""tus words without HTTP: create, find, hold, receive, keep, finish, refuse, terminate (protocol section 6).

An upload's bytes stand in the spool under its id; the file's length is its offset, so that nothing has to be written
twice and a killed process leaves the truth. States of an upload: `open`, `partial` once its evidence shows that bytes
came, `done`, `known` when its photo was stored before it began, `gone` when its bytes were refused or it expired.
Functions with a `door` write rows and records; the others touch files only and run outside the gate.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from media.checked import tell_unchecked
from media.disposal import is_removing
from media.evidence import media_of, set_media
from media.models import Photo, PhotoHold, Rendition, Upload
from media.pictures import MediaTypeRefused, TooManyPixels, sniff
from media.sources import note_source
from media.stores import DigestMismatch, Store, StoreUnavailable, digest_of
from schemas.problems import Problem
from schemas.values import is_uuid, stamp
from sync.models import table_of
from sync.records import Door

UPLOADS = table_of(Upload)
WHOLE = ("done", "known")
ALGORITHMS = {"sha1": 20, "sha256": 32}
LOOK_AGAIN_S = 0.05
REMEMBERED = timedelta(days=7)


class Kept(NamedTuple):
    """What became of an upload's bytes: their media type, and whether the store did not have them before."""

    media_type: str
    fresh: bool


class Checksum:
    """The `Upload-Checksum` of one PATCH (tus extension `checksum`): fed with its bytes, then asked."""

    def __init__(self, algorithm: str, digest: bytes) -> None:
        self._hash, self._digest = hashlib.new(algorithm), digest
        self.update = self._hash.update

    def matches(self) -> bool:
        return self._hash.digest() == self._digest


def checksum_of(header: str) -> Checksum:
    """Read `algorithm base64`; raises `checksum_unsupported`, `invalid_request`."""
    algorithm, _, text = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise Problem("checksum_unsupported", f"Upload-Checksum takes {', '.join(ALGORITHMS)}")
    try:
        digest = base64.b64decode(text, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != ALGORITHMS[algorithm]:
        raise Problem("checksum_unsupported", f"not a {algorithm} digest in base64")
    return Checksum(algorithm, digest)


def stands(session: Session, store: Store, sha256: str, length: int) -> bool:
    """Is this photo noted, and really in the store? Asked before the gate opens; raises StoreUnavailable."""
    known = session.execute(select(Photo.bytes).where(Photo.sha256 == sha256)).scalar_one_or_none()
    return known == length and store.has(sha256) and not is_removing(session, sha256)


def create(session: Session, spool: Path, now: datetime, new_id: str, *, sha256: str, media_type: str, length: int,
           owner: str, lifetime: timedelta, known: bool) -> Upload:
    """Begin an upload, detached from the session. One of a photo that `stands` already is `known`: whole from the
    beginning."""
    upload = Upload(id=new_id, sha256=sha256, media_type=media_type, length=length, owner=owner, created_at=stamp(now),
                    expires_at=stamp(now + lifetime), state="known" if known else "open")
    if not known:
        with _spool_works():
            spool.mkdir(parents=True, exist_ok=True)
            os.close(os.open(spool / upload.id, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    session.add(upload)
    session.flush()
    session.expunge(upload)
    return upload


def find(session: Session, upload_id: str, owner: str, now: datetime) -> Upload:
    """The owner's upload, in no session; raises `not_found`, `upload_gone`."""
    row = session.connection().execute(select(UPLOADS).where(UPLOADS.c.id == upload_id)).one_or_none() \
        if is_uuid(upload_id) else None
    if row is None or row.owner != owner:
        raise Problem("not_found", "no such upload", hidden=row is not None)
    upload = Upload(**row._mapping)
    if upload.state == "gone" or upload.expires_at <= stamp(now):
        raise Problem("upload_gone", "the upload expired or its bytes were refused: create another")
    return upload


@contextmanager
def held(spool: Path, upload: Upload, patience_s: float = 0) -> Iterator[FileIO]:
    """The upload's file, with nobody else writing; raises `upload_locked`, `upload_gone`.

    flock(2) belongs to the open file: it excludes threads and processes alike and ends with a killed one.
    """
    deadline, path = time.monotonic() + patience_s, spool / upload.id
    try:
        file = FileIO(path, "r+")
    except FileNotFoundError:
        raise Problem("upload_gone", "the upload's bytes are no longer here: create another") from None
    with file:
        while not _locked(file):
            if time.monotonic() >= deadline:
                raise Problem("upload_locked", "another request is writing this upload", retry_after=1)
            time.sleep(LOOK_AGAIN_S)
        if not _stands(path, file):
            raise Problem("upload_locked", "another request has just finished this upload", retry_after=1)
        yield file


def offset_of(file: FileIO) -> int:
    """How many bytes have arrived."""
    return os.fstat(file.fileno()).st_size


def receive(file: FileIO, upload: Upload, offset: int, blocks: Iterable[bytes], *, checksum: Checksum | None = None,
            came_whole: Callable[[], bool] = lambda: True, begun: Callable[[], None] = lambda: None) -> int:
    """Write the blocks behind what is there, as they come, and give the new offset.

    They survive this process; they are synced to the disk when all are here (`keep`), and a power cut before costs no
    more than sending again what HEAD then lacks. `begun` is called when the first bytes are written, `came_whole` after
    the last block: of a request that was cut all that came is kept, checksum or not. Raises `offset_mismatch`;
    `too_large` and `checksum_mismatch`, after which nothing of this request is kept; StoreUnavailable when the disk
    fails.
    """
    start = offset_of(file)
    if offset != start:
        raise Problem("offset_mismatch", f"the offset is {start}", offset=start)
    with _spool_works():
        file.seek(start)
        for block in blocks:
            if file.tell() + len(block) > upload.length:
                file.truncate(start)
                raise Problem("too_large", f"more than the {upload.length} bytes that were announced")
            if checksum:
                checksum.update(block)
            first = file.tell() == start
            _write(file, block)
            if first:
                begun()
        if checksum and came_whole() and not checksum.matches():
            file.truncate(start)
            raise Problem("checksum_mismatch", "the bytes do not match Upload-Checksum; send them again")
    return offset_of(file)


def keep(store: Store, spool: Path, upload: Upload, *, heif: bool) -> Kept:
    """Give a whole upload's bytes to the store; gives their media type as the bytes themselves tell it.

    Raises `digest_mismatch`, `media_type_refused`, `too_many_pixels` (call `refuse` then); StoreUnavailable, and then
    they wait in the spool, on its disk.
    """
    path = spool / upload.id
    try:
        media_type = sniff(path, heif=heif).media_type
    except (MediaTypeRefused, TooManyPixels) as refusal:
        must_match(path, upload)  # bytes that were damaged on their way say nothing of the photo
        code = "media_type_refused" if isinstance(refusal, MediaTypeRefused) else "too_many_pixels"
        raise Problem(code, str(refusal)) from refusal
    try:
        return Kept(media_type, store.put(upload.sha256, path, media_type, given=True))
    except DigestMismatch:
        must_match(path, upload)
        raise StoreUnavailable("the store finds other bytes than were sent to it") from None
    except StoreUnavailable:
        with path.open("rb") as file, _spool_works():
            os.fsync(file.fileno())
        raise


def must_match(path: Path, upload: Upload) -> None:
    """Raise `digest_mismatch` unless the bytes hash to what was named."""
    if (digest := digest_of(path)) != upload.sha256:
        raise Problem("digest_mismatch", f"the bytes hash to {digest}, not to {upload.sha256}")


def finish(door: Door, upload: Upload, kept: Kept) -> None:
    """Note that the bytes stand in the store. Idempotent. A photo that the store had lost is checked anew. Raises
    StoreUnavailable while the same bytes are being disposed of."""
    if is_removing(door.session, upload.sha256):
        raise StoreUnavailable("these bytes are being disposed of: what comes now waits until they are gone")
    photo = door.session.get(Photo, upload.sha256)
    if photo is None:
        door.add_row(Photo, {"sha256": upload.sha256, "bytes": upload.length, "media_type": kept.media_type,
                             "state": "stored", "stored_at": door.at})
    elif kept.fresh:
        photo.state, photo.stored_at, photo.checked_at, photo.found = "stored", door.at, None, None
        tell_unchecked(door, upload.sha256, "stored")
        door.session.execute(delete(Rendition).where(Rendition.parent == upload.sha256, Rendition.made_by.is_(None)))
        door.session.execute(update(PhotoHold).where(PhotoHold.sha256 == upload.sha256).values(held_at=None))
    note_source(door, upload.sha256, upload.owner)
    if photo is None or kept.fresh:
        set_media(door, upload.sha256, {"state": "stored"})
    _set_state(door, upload, "done")


def refuse(door: Door, upload: Upload, code: str) -> None:
    """Note that the bytes were not kept. A wrong digest says nothing of the photo; a wrong file is shown."""
    _give_up(door, upload)
    if code != "digest_mismatch":
        door.session.execute(update(Upload).where(Upload.id == upload.id).values(refused=code))
        if door.session.get(Photo, upload.sha256) is None:
            set_media(door, upload.sha256, {"state": "refused", "code": code})


def show_partial(door: Door, upload: Upload) -> None:
    """Let evidence show, once, that some of its photo came."""
    if _set_state(door, upload, "partial", only="open") and door.session.get(Photo, upload.sha256) is None:
        set_media(door, upload.sha256, {"state": "partial"})


def terminate(door: Door, upload: Upload) -> None:
    """Forget an upload (tus extension `termination`); the caller removes its file."""
    _give_up(door, upload)
    door.session.execute(delete(Upload).where(Upload.id == upload.id))


def expire(door: Door, upload: Upload) -> None:
    """Give an upload up, and remember for a while that there was one; the caller removes its file."""
    _give_up(door, upload)
    until = stamp(door.now + REMEMBERED)
    door.session.execute(update(Upload).where(Upload.id == upload.id).values(expires_at=until))


def _give_up(door: Door, upload: Upload) -> None:
    """No bytes are here any more: evidence shows `partial` no longer, unless another upload brings some."""
    was_partial = _set_state(door, upload, "gone", only="partial")
    _set_state(door, upload, "gone")
    if was_partial:
        set_media(door, upload.sha256, media_of(door.session, upload.sha256))


def _set_state(door: Door, upload: Upload, state: str, *, only: str | None = None) -> bool:
    """Set the state, if `only` is what it is now; says whether it was set."""
    which = [Upload.id == upload.id, *([Upload.state == only] if only else [])]
    return bool(door.session.connection().execute(update(Upload).where(*which).values(state=state)).rowcount)


def _write(file: FileIO, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[file.write(rest):]


def _stands(path: Path, file: FileIO) -> bool:
    """Is this still the upload's file? Whoever finished it took its name away, or gave the file itself to the store."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _locked(file: FileIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _spool_works() -> Iterator[None]:
    """A full or broken spool is an outage, for which the client waits."""
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(f"the spool cannot be written: {error.strerror or error}") from error
