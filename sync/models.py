"""The engine's tables. Documents and times stand as text: JSON in one canonical spelling, times as RFC 3339 UTC with
milliseconds (such texts sort by time), so that both engines keep and give back exactly the same.
"""

from __future__ import annotations

from typing import Any, cast

import orjson
from sqlalchemy import BigInteger, Boolean, Float, Index, Integer, MetaData, String, Table, Text, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class Json(TypeDecorator[Any]):
    """A JSON document as text; None is NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


Big = BigInteger().with_variant(Integer, "sqlite")
UuidText = String(36)
TimeText = String(24)
RESTORED = "kind = 'restored'"
ScopeText = String(15)


class Base(DeclarativeBase):
    """The one metadata of all roots' tables."""

    metadata = MetaData(naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s", "fk": "fk_%(table_name)s_%(column_0_N_name)s"})


def table_of(model: type[Base]) -> Table:
    """The Core table of a model, for statements over many rows."""
    return cast(Table, model.__table__)


TAKEN = text("type IN ('evidence', 'track')")
"""What is found by its person and time; a query says it in these words, so that the planner sees the index."""


def _index_where_set(column: str, *columns: str) -> Index:
    """An index (of the columns, or that one) which leaves out the rows in which the column is empty."""
    known = text(f"{column} IS NOT NULL")
    return Index(None, *(columns or (column,)), sqlite_where=known, postgresql_where=known)


class Clock(Base):
    """One row: the commit-ordered number, the journal's size and peaks. Locked from numbering to commit."""

    __tablename__ = "clock"
    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    seq: Mapped[int] = mapped_column(Big)
    epoch: Mapped[str] = mapped_column(UuidText)
    floor_seq: Mapped[int] = mapped_column(Big, default=0)
    journal_size: Mapped[int] = mapped_column(Big, default=0)
    journal_peaks: Mapped[list[str]] = mapped_column(Json)


class Record(Base):
    """The newest state of a record; what lists filter and sort by is promoted to columns (decision 3)."""

    __tablename__ = "record"
    id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    type: Mapped[str] = mapped_column(String(40))
    version: Mapped[int] = mapped_column(Integer)
    scope: Mapped[str] = mapped_column(ScopeText)
    seq: Mapped[int] = mapped_column(Big)
    created_seq: Mapped[int] = mapped_column(Big)
    deleted: Mapped[bool] = mapped_column(Boolean)
    fields: Mapped[str] = mapped_column(Text)
    stamps: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(TimeText)
    created_by: Mapped[str] = mapped_column(String(80))
    updated_at: Mapped[str] = mapped_column(TimeText)
    device_id: Mapped[str | None] = mapped_column(UuidText)
    status: Mapped[str | None] = mapped_column(String(40))
    class_code: Mapped[str | None] = mapped_column(String(40))
    zone_id: Mapped[str | None] = mapped_column(UuidText)
    inspector_id: Mapped[str | None] = mapped_column(String(80))
    due_at: Mapped[str | None] = mapped_column(TimeText)
    observed_at: Mapped[str | None] = mapped_column(TimeText)
    about_id: Mapped[str | None] = mapped_column(UuidText)
    sha256: Mapped[str | None] = mapped_column(String(64))
    media_state: Mapped[str | None] = mapped_column(String(10))
    lon: Mapped[float | None] = mapped_column(Float)
    lat: Mapped[float | None] = mapped_column(Float)
    review_state: Mapped[str | None] = mapped_column(String(10))
    risk: Mapped[int | None] = mapped_column(Integer)
    cell: Mapped[str | None] = mapped_column(String(80))
    __table_args__ = (
        Index(None, "seq"), Index(None, "scope", "seq"), Index(None, "type", "seq"), Index(None, "type", "status"),
        Index(None, "type", "class_code"), _index_where_set("about_id"), _index_where_set("sha256"),
        _index_where_set("media_state", "device_id", "media_state"),
        _index_where_set("review_state", "review_state", "risk"),
        _index_where_set("inspector_id", "inspector_id", "type"),
        _index_where_set("observed_at", "type", "observed_at"), _index_where_set("zone_id"),
        _index_where_set("cell", "cell", "seq", "device_id"),
        Index(None, "created_by", "observed_at", sqlite_where=TAKEN, postgresql_where=TAKEN))


class History(Base):
    """Each version of each record: who changed what from what to what. `salt` opens the journal's commitment, `n` is
    the number of the device's mutation that made it. The salt of a version from which values were lawfully erased is
    empty, for the commitment would let them be guessed; the entry of the erasure names the version."""

    __tablename__ = "history"
    record_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    seq: Mapped[int] = mapped_column(Big)
    at: Mapped[str] = mapped_column(TimeText)
    actor: Mapped[str] = mapped_column(String(80))
    device_id: Mapped[str | None] = mapped_column(UuidText)
    op: Mapped[str] = mapped_column(String(80))
    changed: Mapped[str] = mapped_column(Text)
    note: Mapped[Any] = mapped_column(Json, nullable=True)
    salt: Mapped[str] = mapped_column(String(32))
    n: Mapped[int | None] = mapped_column(Big)


class Departure(Base):
    """A record left a scope: devices of that scope forget it."""

    __tablename__ = "departure"
    record_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    from_scope: Mapped[str] = mapped_column(ScopeText, primary_key=True)
    seq: Mapped[int] = mapped_column(Big)
    type: Mapped[str] = mapped_column(String(40))
    __table_args__ = (Index(None, "from_scope", "seq"),)


class ScopeSeen(Base):
    """Each scope that ever held a record, with the number of its newest change: an idle pull reads only this."""

    __tablename__ = "scope_seen"
    scope: Mapped[str] = mapped_column(ScopeText, primary_key=True)
    last_seq: Mapped[int] = mapped_column(Big)


class Device(Base):
    """An enrolled device: whose it is, its key, how far its numbering came, what it last said of its outbox.

    `scopes_acknowledged` is the version of its person's scopes that it is known to have; `late_from` and `late_n` say
    that its mutations up to that number may have been made under the scopes from that version on (`sync/late.py`).
    """

    __tablename__ = "device"
    id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    user_id: Mapped[str] = mapped_column(UuidText, index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    platform: Mapped[str] = mapped_column(String(200))
    app_version: Mapped[str] = mapped_column(String(80))
    public_key: Mapped[Any] = mapped_column(Json, nullable=True)
    state: Mapped[str] = mapped_column(String(10), default="active")
    enrolled_at: Mapped[str] = mapped_column(TimeText)
    last_seen_at: Mapped[str | None] = mapped_column(TimeText)
    last_n: Mapped[int] = mapped_column(Big, default=0)
    reported: Mapped[Any] = mapped_column(Json, nullable=True)
    clock_offset_ms: Mapped[int | None] = mapped_column(Big)
    scopes_acknowledged: Mapped[int | None] = mapped_column(Integer)
    scopes_acknowledged_at: Mapped[str | None] = mapped_column(TimeText)
    late_from: Mapped[int | None] = mapped_column(Integer)
    late_n: Mapped[int | None] = mapped_column(Big)


class Receipt(Base):
    """What became of a device's mutation: written with its effect, kept for ever, given back at each replay."""

    __tablename__ = "receipt"
    device_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    n: Mapped[int] = mapped_column(Big, primary_key=True)
    id: Mapped[str | None] = mapped_column(String(80), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[Any] = mapped_column(Json)
    settled: Mapped[Any] = mapped_column(Json, nullable=True)
    settled_seq: Mapped[int | None] = mapped_column(Big)
    received_at: Mapped[str] = mapped_column(TimeText)
    __table_args__ = (_index_where_set("settled_seq", "device_id", "settled_seq"),)


class Quarantined(Base):
    """A mutation that was not applied, whole, until a supervisor releases or dismisses it; readable for ever."""

    __tablename__ = "quarantine"
    id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    device_id: Mapped[str] = mapped_column(UuidText)
    user_id: Mapped[str] = mapped_column(UuidText)
    n: Mapped[int] = mapped_column(Big)
    received_at: Mapped[str] = mapped_column(TimeText)
    scope: Mapped[str | None] = mapped_column(ScopeText, index=True)
    record_id: Mapped[str | None] = mapped_column(String(80), index=True)
    reason: Mapped[str] = mapped_column(String(40))
    problem: Mapped[Any] = mapped_column(Json)
    mutation: Mapped[Any] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10), default="open", index=True)
    settlement: Mapped[Any] = mapped_column(Json, nullable=True)
    __table_args__ = (Index(None, "device_id", "n"),)


class Held(Base):
    """A mutation (with its group, if any) that waits for a record which it refers to."""

    __tablename__ = "held"
    device_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    n: Mapped[int] = mapped_column(Big, primary_key=True)
    waits_for: Mapped[str] = mapped_column(UuidText, index=True)
    record_id: Mapped[str] = mapped_column(UuidText, index=True)
    until: Mapped[str] = mapped_column(TimeText, index=True)
    writer: Mapped[Any] = mapped_column(Json)
    mutations: Mapped[Any] = mapped_column(Json)


class JournalEntry(Base):
    """One entry of the append-only log; `leaf_hash` is its RFC 6962 leaf."""

    __tablename__ = "journal_entry"
    index: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(TimeText)
    kind: Mapped[str] = mapped_column(String(60))
    actor: Mapped[str] = mapped_column(String(80))
    about: Mapped[str | None] = mapped_column(String(80), index=True)
    body: Mapped[Any] = mapped_column(Json)
    leaf_hash: Mapped[str] = mapped_column(String(64))
    # Partial: the few restores are found among millions, and an entry that is none pays nothing.
    __table_args__ = (Index("ix_journal_entry_restored", "index", sqlite_where=text(RESTORED),
                            postgresql_where=text(RESTORED)),)


class Aside(Base):
    """What an entry says aside: personal values to which its body is only committed, and the salt that opens the
    commitment. `document` is empty where the values stand elsewhere, or nowhere. Erasing both keeps the tree valid."""

    __tablename__ = "journal_aside"
    index: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    salt: Mapped[str] = mapped_column(String(32))
    document: Mapped[Any] = mapped_column(Json, nullable=True)


class JournalNode(Base):
    """Hashes of complete subtrees of 256, 65,536 … leaves, so that a proof reads O(log n) rows."""

    __tablename__ = "journal_node"
    level: Mapped[int] = mapped_column(Integer, primary_key=True)
    index: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    hash: Mapped[str] = mapped_column(String(64))


class Checkpoint(Base):
    """A signed state of the journal (C2SP note)."""

    __tablename__ = "checkpoint"
    size: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    root: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[str] = mapped_column(TimeText)
    note: Mapped[str] = mapped_column(Text)


class JournalTimestamp(Base):
    """A checkpoint's note, stamped by an authority at that time (RFC 3161); `response` is its answer, base64 of DER."""

    __tablename__ = "journal_timestamp"
    size: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(TimeText)
    note: Mapped[str] = mapped_column(Text)
    response: Mapped[str] = mapped_column(Text)
