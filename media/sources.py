"""Who brought the bytes of a photo. A digest is no secret (bundles print it): to name one opens no photo, to have had
the photo does.

An evidence record opens its photo when the one who made it brought the bytes, or when it named them before anybody had
brought them. Serves uploads, and whoever shows photos.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from media.models import Photo, PhotoSource
from sync.bulk import Among
from sync.models import Device, Record
from sync.records import Door

BROUGHT = "photo_brought"

def note_source(door: Door, sha256: str, owner: str) -> None:
    """Keep that this person, or the person of this device, brought the bytes. The journal is told of it by the photo's
    check, and of whoever comes later at once."""
    user_id = door.session.execute(select(Device.user_id).where(Device.id == owner)).scalar() or owner
    if door.session.get(PhotoSource, (sha256, user_id)) is None:
        door.add_row(PhotoSource, {"sha256": sha256, "user_id": user_id, "at": door.at})
        photo = door.session.get(Photo, sha256)
        if photo is not None and photo.checked_at is not None:
            door.record_entry(BROUGHT, user_id, sha256, {})


def sources_of(session: Session, sha256: str) -> list[list[str]]:
    """Who brought the bytes of the photo, and when: `[user_id, at]`, by user."""
    rows = session.execute(select(PhotoSource.user_id, PhotoSource.at).where(PhotoSource.sha256 == sha256))
    return sorted([row.user_id, row.at] for row in rows)


def brought(session: Session, sha256: str, user_id: str) -> bool:
    """Did this person bring the bytes of the photo?"""
    return session.get(PhotoSource, (sha256, user_id)) is not None


def opening(session: Session, sha256s: Collection[str]) -> dict[str, str]:
    """The evidence records that open these photos, by id, with their scopes; oldest first."""
    own = exists().where(PhotoSource.sha256 == Record.sha256, PhotoSource.user_id == Record.created_by)
    first = select(func.min(PhotoSource.at)).where(PhotoSource.sha256 == Record.sha256).scalar_subquery()
    rows = session.execute(select(Record.id, Record.scope).where(
        Record.type == "evidence", Among(Record.sha256, list(sha256s)), or_(own, Record.created_at <= first))
        .order_by(Record.created_seq))
    return {row.id: row.scope for row in rows}
