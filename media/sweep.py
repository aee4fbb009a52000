"""What is left lying in the spool: expired uploads, files without an upload, and whole uploads that never were stored.

Serves the tick. An upload that a request is writing is left alone.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from media.models import Upload
from media.uploads import expire, held
from schemas.problems import Problem
from schemas.values import stamp
from sync.records import Door

ORPHANED_AFTER_S = 24 * 3600
QUIET = timedelta(seconds=10)
UNDER_WAY = ("open", "partial")


def sweep_uploads(door: Door, spool: Path) -> None:
    """Give up expired uploads and remove their bytes; forget long gone ones; remove files that belong to none. One
    whose bytes are all here does not expire: it waits for the store, however long that is away."""
    expired = Upload.expires_at <= door.at
    door.session.execute(delete(Upload).where(expired, Upload.state.not_in(UNDER_WAY)))
    for upload in door.session.execute(select(Upload).where(expired)).scalars().all():
        if _size(spool / upload.id) == upload.length:
            continue
        try:
            with held(spool, upload):
                expire(door, upload)
                (spool / upload.id).unlink()
        except Problem as problem:
            if problem.code != "upload_locked":
                expire(door, upload)
    _remove_orphans(door.session, spool)


def waiting(session: Session, spool: Path, now: datetime, after: timedelta = QUIET) -> list[Upload]:
    """Uploads whose bytes are all here but not in the store, because it was down or the server was killed."""
    begun = select(Upload).where(Upload.state.in_(UNDER_WAY), Upload.created_at <= stamp(now - after))
    found = [upload for upload in session.execute(begun).scalars() if _size(spool / upload.id) == upload.length]
    for upload in found:
        session.expunge(upload)
    return found


def _remove_orphans(session: Session, spool: Path) -> None:
    """Remove files and directories older than a day that no upload under way owns."""
    present = spool.iterdir() if spool.is_dir() else ()
    old = [path for path in present if time.time() - _modified(path) > ORPHANED_AFTER_S]
    if not old:
        return
    owned = set(session.execute(select(Upload.id).where(Upload.state.in_(UNDER_WAY))).scalars())
    for path in old:
        if path.name in owned:
            continue
        if path.is_dir():
            rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _size(path: Path) -> int | None:
    with suppress(FileNotFoundError):
        return path.stat().st_size
    return None


def _modified(path: Path) -> float:
    """The time of the last change; now for what another process has just removed."""
    with suppress(FileNotFoundError):
        return path.stat().st_mtime
    return time.time()
