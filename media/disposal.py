"""The bytes of a photo that are given up: what belongs to it, its removal from the store, what then is said of it.

A photo's row goes with its bytes, so that one which comes again is a new arrival; evidence, history and journal keep
the digest. Serves `server/keeping/removal.py`, which knows what may be given up.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from media.models import Photo, PhotoDisposal, Rendition
from media.recovery import forget
from sync.models import Record
from sync.records import Door

ENTRY = "disposed"
REMOVING, REMOVED = "removing", "removed"
STANDS = Rendition.disposed_at.is_(None)


def files_of(session: Session, sha256: str) -> list[str]:
    """The digests of what goes with a photo, itself first, for it may be retained: its copies, but none whose bytes are
    another's, too."""
    made = set(session.execute(select(Rendition.sha256).where(Rendition.parent == sha256, STANDS)).scalars()) - {sha256}
    shared = set(session.execute(select(Rendition.sha256).where(
        Rendition.sha256.in_(made), Rendition.parent != sha256, STANDS)).scalars())
    shared |= set(session.execute(select(Photo.sha256).where(Photo.sha256.in_(made))).scalars())
    return [sha256, *sorted(made - shared)]


def note_removed(door: Door, row: PhotoDisposal, approver: str, files: list[str]) -> None:
    """Say that the bytes are gone: in the journal, on the evidence, in the rows."""
    sha256 = row.sha256
    door.record_entry(ENTRY, approver, sha256, {"disposal_id": row.disposal_id, "files": files})
    naming = door.session.execute(select(Record.id).where(
        Record.type == "evidence", Record.sha256 == sha256).order_by(Record.created_seq)).scalars().all()
    door.load(naming)
    media = {"state": ENTRY, "at": door.at, "disposal_id": row.disposal_id}
    for evidence_id in naming:  # deleted ones, too: none says any more that the photo is here
        door.amend(evidence_id, {"media": media}, op="dispose")
    door.session.execute(update(Rendition).where(Rendition.parent == sha256, Rendition.made_by.is_not(None), STANDS)
                         .values(disposed_at=door.at))
    forget(door, sha256)
    row.state, row.removed_at, row.trouble, row.retry_at = REMOVED, door.at, None, None


def disposal_of(session: Session, sha256: str) -> PhotoDisposal | None:
    """The last disposal by which the bytes of this digest went; None where a photo of it stands."""
    if session.get(Photo, sha256) is not None:
        return None
    return session.execute(select(PhotoDisposal).where(
        PhotoDisposal.sha256 == sha256, PhotoDisposal.state == REMOVED).order_by(
            PhotoDisposal.removed_at.desc()).limit(1)).scalar_one_or_none()


def is_removing(session: Session, sha256: str) -> bool:
    """Are its bytes being removed just now?"""
    return session.execute(select(PhotoDisposal.sha256).where(
        PhotoDisposal.sha256 == sha256, PhotoDisposal.state == REMOVING).limit(1)).first() is not None
