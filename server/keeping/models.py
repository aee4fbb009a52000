"""Tables of legal holds, and of the proposals to dispose of photos and to erase values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from sync.models import Base, Big, Json, TimeText, UuidText


class LegalHold(Base):
    """An order (保全令) that a record be kept: while it stands, nothing of what it covers is disposed of or erased.
    `covers` are the record and what was of its file then; `seq` is the number of its last change."""

    __tablename__ = "legal_hold"
    id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    record_type: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[str] = mapped_column(UuidText, index=True)
    covers: Mapped[list[str]] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(Text)
    ordered_by: Mapped[str] = mapped_column(String(200))
    document_no: Mapped[str | None] = mapped_column(String(100))
    until: Mapped[str | None] = mapped_column(TimeText)
    placed_by: Mapped[str] = mapped_column(UuidText)
    placed_at: Mapped[str] = mapped_column(TimeText)
    released_by: Mapped[str | None] = mapped_column(String(80))
    released_at: Mapped[str | None] = mapped_column(TimeText)
    release_reason: Mapped[str | None] = mapped_column(Text)
    seq: Mapped[int] = mapped_column(Big, index=True)


class Disposal(Base):
    """A proposal to dispose of the photos (销毁) about some records: `proposed`, then `refused` or `approved`, and
    `done` when the bytes of all its photos are gone, or are kept after all. `asked` is how the records were chosen."""

    __tablename__ = "disposal"
    id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    state: Mapped[str] = mapped_column(String(10), index=True)
    asked: Mapped[Any] = mapped_column(Json)
    records: Mapped[list[str]] = mapped_column(Json)
    scopes: Mapped[list[str]] = mapped_column(Json)
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(UuidText)
    proposed_at: Mapped[str] = mapped_column(TimeText)
    decided_by: Mapped[str | None] = mapped_column(UuidText)
    decided_at: Mapped[str | None] = mapped_column(TimeText)
    note: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[str | None] = mapped_column(TimeText)


class Erasure(Base):
    """A proposal to erase values of a record (个人信息删除): `proposed`, then `refused` or `done`. `ground` is a code
    of `server/reference/erasure_grounds.csv`."""

    __tablename__ = "erasure"
    id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    state: Mapped[str] = mapped_column(String(10), index=True)
    record_type: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[str] = mapped_column(UuidText, index=True)
    fields: Mapped[list[str]] = mapped_column(Json)
    ground: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[str] = mapped_column(UuidText)
    proposed_at: Mapped[str] = mapped_column(TimeText)
    decided_by: Mapped[str | None] = mapped_column(UuidText)
    decided_at: Mapped[str | None] = mapped_column(TimeText)
    note: Mapped[str | None] = mapped_column(Text)
