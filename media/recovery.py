"""Photos whose bytes are gone: what the rows then say, so that devices bring them again. Serves `menqian restore`."""

from __future__ import annotations

from sqlalchemy import delete, update

from media.evidence import set_media
from media.models import Photo, Rendition
from sync.records import Door


def expect_again(door: Door, sha256: str) -> None:
    """The original is not in the store: its evidence expects it, and `media_wanted` asks the devices for it."""
    door.session.execute(delete(Rendition).where(Rendition.parent == sha256))
    door.session.execute(delete(Photo).where(Photo.sha256 == sha256))
    set_media(door, sha256, {"state": "expected"})


def check_again(door: Door, sha256: str) -> None:
    """A rendition is not in the store: the photo's check makes it anew."""
    door.session.execute(delete(Rendition).where(Rendition.parent == sha256))
    door.session.execute(update(Photo).where(Photo.sha256 == sha256)
                         .values(state="stored", checked_at=None, found=None))
    set_media(door, sha256, {"state": "stored"})
