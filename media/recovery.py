"""Photos whose bytes are gone: what the rows then say. Serves `menqian restore`, which lets devices bring them again,
and disposals.

Copies that people made are no check's to make again: their rows stay.
"""

from __future__ import annotations

from sqlalchemy import delete, select, update

from media import bands
from media.checked import tell_unchecked
from media.evidence import set_media
from media.models import NearPhoto, Photo, Rendition
from sync.records import Door


def expect_again(door: Door, sha256: str) -> None:
    """The original is not in the store: its evidence expects it, and `media_wanted` asks the devices for it."""
    forget(door, sha256)
    tell_unchecked(door, sha256, "expected")
    set_media(door, sha256, {"state": "expected"})


def forget(door: Door, sha256: str) -> None:
    """Remove what is known of the photo beside its evidence: when it comes, it is a new arrival."""
    _forget_renditions(door, sha256)
    _leave_the_others(door, sha256)
    door.session.execute(delete(Photo).where(Photo.sha256 == sha256))


def check_again(door: Door, sha256: str) -> None:
    """A rendition is not in the store: the photo's check makes it anew."""
    _forget_renditions(door, sha256)
    door.session.execute(update(Photo).where(Photo.sha256 == sha256)
                         .values(state="stored", checked_at=None, found=None))
    tell_unchecked(door, sha256, "stored")
    set_media(door, sha256, {"state": "stored"})


def _leave_the_others(door: Door, sha256: str) -> None:
    """Take the photo out of the index of near ones; what evidence was told stays."""
    session = door.session
    others = list(session.execute(select(NearPhoto.other).where(NearPhoto.sha256 == sha256)).scalars())
    session.execute(delete(NearPhoto).where(NearPhoto.sha256.in_(others), NearPhoto.other == sha256))
    session.execute(delete(NearPhoto).where(NearPhoto.sha256 == sha256))
    dhash = session.execute(select(Photo.dhash).where(Photo.sha256 == sha256)).scalar()
    if dhash and not session.execute(select(Photo.sha256).where(
            Photo.dhash == dhash, Photo.sha256 != sha256, Photo.near.is_not(None)).limit(1)).first():
        bands.leave(session, int(dhash, 16))


def _forget_renditions(door: Door, sha256: str) -> None:
    door.session.execute(delete(Rendition).where(Rendition.parent == sha256, Rendition.made_by.is_(None)))
