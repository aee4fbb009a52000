"""Tables of photos: uploads in the spool, what is known of each file, renditions, capture chains and their breaks, what
stores hold."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from sync.models import Base, Big, Json, TimeText, UuidText


class Upload(Base):
    """A tus upload in progress; its bytes stand in the spool under its id, and the file's length is its offset.
    `refused` is the code of the problem for which its bytes were not kept."""

    __tablename__ = "upload"
    id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    media_type: Mapped[str] = mapped_column(String(100))
    length: Mapped[int] = mapped_column(Big)
    owner: Mapped[str] = mapped_column(UuidText)
    created_at: Mapped[str] = mapped_column(TimeText)
    expires_at: Mapped[str] = mapped_column(TimeText, index=True)
    state: Mapped[str] = mapped_column(String(10), default="open")
    refused: Mapped[str | None] = mapped_column(String(40))
    __table_args__ = (Index("ix_upload_unfinished", "owner", sqlite_where=text("state IN ('open', 'partial')"),
                            postgresql_where=text("state IN ('open', 'partial')")),)


class Photo(Base):
    """A stored original, named by its digest: `stored` until checked, then `verified` or `damaged`. `near` is how many
    photos were near to it when it was compared with all that stood in the index; empty until then."""

    __tablename__ = "photo"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    bytes: Mapped[int] = mapped_column(Big)
    media_type: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(10), index=True)
    stored_at: Mapped[str] = mapped_column(TimeText)
    checked_at: Mapped[str | None] = mapped_column(TimeText)
    width: Mapped[int | None] = mapped_column(Integer)
    height: Mapped[int | None] = mapped_column(Integer)
    dhash: Mapped[str | None] = mapped_column(String(64))
    found: Mapped[Any] = mapped_column(Json, nullable=True)
    near: Mapped[int | None] = mapped_column(Integer)
    __table_args__ = (
        Index(None, "dhash", sqlite_where=text("dhash IS NOT NULL"), postgresql_where=text("dhash IS NOT NULL")),
        Index("ix_photo_uncompared", "sha256", sqlite_where=text("near IS NULL"),
              postgresql_where=text("near IS NULL")))


class PhotoSource(Base):
    """Who brought the bytes of a photo, and when first (media/sources.py)."""

    __tablename__ = "photo_source"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    at: Mapped[str] = mapped_column(TimeText)


class PhotoBand(Base):
    """The index of difference hashes (media/bands.py): each that a photo has, under the keys of its 13 bands."""

    __tablename__ = "photo_band"
    key: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    dhash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    __table_args__ = ({"sqlite_with_rowid": False},)


class NearPhoto(Base):
    """Two photos that show one picture, once from each side: turned by `orientation` (EXIF), `sha256` looks like
    `other`, but for `distance` bits."""

    __tablename__ = "near_photo"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    other: Mapped[str] = mapped_column(String(64), primary_key=True)
    distance: Mapped[int] = mapped_column(Integer)
    orientation: Mapped[int] = mapped_column(Integer)


class Reuse(Base):
    """Two evidence records of different cases with one picture, once from each side; no distance for the same bytes.
    `seq` is the number at which `evidence_id` was created: lists go by it."""

    __tablename__ = "reuse"
    evidence_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    other_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    seq: Mapped[int] = mapped_column(Big, index=True)
    distance: Mapped[int | None] = mapped_column(Integer)
    orientation: Mapped[int | None] = mapped_column(Integer)


class Rendition(Base):
    """A derived picture: its own digest, its parent, and how it was made. One that a person made (media/derivatives.py)
    names him and the evidence record on whose page he did; of it the row stays when its bytes were disposed of."""

    __tablename__ = "rendition"
    parent: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int] = mapped_column(Big)
    recipe: Mapped[Any] = mapped_column(Json)
    made_at: Mapped[str] = mapped_column(TimeText)
    made_by: Mapped[str | None] = mapped_column(UuidText)
    evidence_id: Mapped[str | None] = mapped_column(UuidText)
    disposed_at: Mapped[str | None] = mapped_column(TimeText)


class CaptureEntry(Base):
    """One entry of a device's capture chain; two rows with one `seq` are a fork."""

    __tablename__ = "capture_entry"
    record_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    device_id: Mapped[str] = mapped_column(UuidText)
    seq: Mapped[int] = mapped_column(Big)
    hash: Mapped[str] = mapped_column(String(64))
    prev: Mapped[str] = mapped_column(String(64))
    __table_args__ = (Index(None, "device_id", "seq"),)


class PhotoHold(Base):
    """A photo that the store at `place` holds, or is about to: the row stands from before the store is told until after
    it has lifted the hold. `held_at` is empty while it is in doubt whether the hold is on."""

    __tablename__ = "photo_hold"
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    place: Mapped[str] = mapped_column(String(500), primary_key=True)
    held_at: Mapped[str | None] = mapped_column(TimeText)


class HoldWalk(Base):
    """How far the records were walked whose photos the store at `place` holds: up to the number `seq`, by the rules
    with this digest. `trouble` is the failure that stopped the last round, `busy_until` the lease of who walks now."""

    __tablename__ = "hold_walk"
    place: Mapped[str] = mapped_column(String(500), primary_key=True)
    seq: Mapped[int] = mapped_column(Big)
    rules: Mapped[str] = mapped_column(String(64))
    trouble: Mapped[str | None] = mapped_column(String(40))
    busy_until: Mapped[str | None] = mapped_column(TimeText)


class PhotoDisposal(Base):
    """A photo whose bytes an approved disposal removes: `waiting`, `removing` from before the store is told until
    after it has done so, `removed` with its entry in the journal, or `kept` because something needs it after all. What
    cannot go yet is tried again at `retry_at`, for the reason of `trouble`. The photo's own row goes with its bytes."""

    __tablename__ = "photo_disposal"
    disposal_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    state: Mapped[str] = mapped_column(String(10), index=True)
    trouble: Mapped[str | None] = mapped_column(String(200))
    retry_at: Mapped[str | None] = mapped_column(TimeText)
    removed_at: Mapped[str | None] = mapped_column(TimeText)
    __table_args__ = (Index(None, "sha256"),)


class ChainBreak(Base):
    """A break of a capture chain of which no incident has been made yet: what was missing below the entry `seq` when
    that entry came may be on its way. Forks stand here only where they are older than incidents."""

    __tablename__ = "chain_break"
    device_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    seq: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    record_id: Mapped[str] = mapped_column(UuidText)
    missing_from: Mapped[int | None] = mapped_column(Big)
    missing_to: Mapped[int | None] = mapped_column(Big)
    seen_at: Mapped[str] = mapped_column(TimeText)
