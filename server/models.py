"""The server's own tables: people, sessions, invitations, zone versions, roads, review claims, spot
checks, audits."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Float, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from sync.models import Base, Big, Json, ScopeText, TimeText, UuidText


class User(Base):
    """A person. `scopes_version` grows with each change of scopes; devices are told by it."""

    __tablename__ = "person"
    id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    username: Mapped[str] = mapped_column(String(80), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(200))
    roles: Mapped[list[str]] = mapped_column(Json)
    scopes: Mapped[list[str]] = mapped_column(Json)
    scopes_version: Mapped[int] = mapped_column(Integer, default=1)
    unit: Mapped[str | None] = mapped_column(String(80))
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    created_at: Mapped[str] = mapped_column(TimeText)


class PersonScopes(Base):
    """The scopes that a person had: one row a version; `until` is when the next one began."""

    __tablename__ = "person_scopes"
    user_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    codes: Mapped[list[str]] = mapped_column(Json)
    since: Mapped[str] = mapped_column(TimeText)
    until: Mapped[str | None] = mapped_column(TimeText)


class Login(Base):
    """A person's session: an opaque token, stored hashed, revocable at once."""

    __tablename__ = "login"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(UuidText, index=True)
    created_at: Mapped[str] = mapped_column(TimeText)
    expires_at: Mapped[str] = mapped_column(TimeText)


class Invitation(Base):
    """A code, stored hashed, by which one device of one person may enrol once."""

    __tablename__ = "invitation"
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(UuidText)
    created_by: Mapped[str] = mapped_column(UuidText)
    expires_at: Mapped[str] = mapped_column(TimeText)
    used_at: Mapped[str | None] = mapped_column(TimeText)


class ZoneRow(Base):
    """One version of a frontage responsibility zone; never overwritten. `outline` is GeoJSON in EPSG:4490."""

    __tablename__ = "zone_version"
    zone_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    number: Mapped[int] = mapped_column(Big, index=True)
    scope: Mapped[str] = mapped_column(ScopeText)
    name: Mapped[str] = mapped_column(String(300))
    road: Mapped[str | None] = mapped_column(String(200))
    section: Mapped[str | None] = mapped_column(String(200))
    party: Mapped[Any] = mapped_column(Json)
    sticker_serial: Mapped[str | None] = mapped_column(String(80))
    valid_from: Mapped[str] = mapped_column(TimeText)
    valid_to: Mapped[str | None] = mapped_column(TimeText)
    outline: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))


class RoadRow(Base):
    """A road or a section of one, as last imported; `line` is GeoJSON in WGS 84, its box in degrees."""

    __tablename__ = "road"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    scope: Mapped[str] = mapped_column(ScopeText, index=True)
    name: Mapped[str] = mapped_column(String(500))
    section: Mapped[str] = mapped_column(String(500))
    width_m: Mapped[float | None] = mapped_column(Float)
    line: Mapped[str] = mapped_column(Text)
    west: Mapped[float] = mapped_column(Float)
    south: Mapped[float] = mapped_column(Float)
    east: Mapped[float] = mapped_column(Float)
    north: Mapped[float] = mapped_column(Float)
    digest: Mapped[str] = mapped_column(String(64))


class Claim(Base):
    """A reviewer's lease on a record, 15 minutes."""

    __tablename__ = "claim"
    record_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    user_id: Mapped[str] = mapped_column(UuidText)
    until: Mapped[str] = mapped_column(TimeText)


class SpotCheck(Base):
    """A spot check: the frozen frame, the committed secret, and after the draw the proof's parts."""

    __tablename__ = "spot_check"
    id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    title: Mapped[str] = mapped_column(String(300))
    made_by: Mapped[str] = mapped_column(UuidText)
    made_at: Mapped[str] = mapped_column(TimeText)
    asked: Mapped[Any] = mapped_column(Json)
    scopes: Mapped[list[str]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(10))
    size: Mapped[int] = mapped_column(Integer)
    frame: Mapped[Any] = mapped_column(Json)
    frame_digest: Mapped[str] = mapped_column(String(64))
    commitment: Mapped[str] = mapped_column(String(64))
    secret: Mapped[str] = mapped_column(String(64))
    frozen_index: Mapped[int] = mapped_column(Big)
    beacon: Mapped[str | None] = mapped_column(String(64))
    seed: Mapped[str | None] = mapped_column(String(64))
    allocation: Mapped[Any] = mapped_column(Json, nullable=True)
    drawn_at: Mapped[str | None] = mapped_column(TimeText)


class SpotSample(Base):
    """One drawn record and, in time, its blind verdict."""

    __tablename__ = "spot_sample"
    check_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    record_id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    stratum: Mapped[str] = mapped_column(String(200))
    rank: Mapped[int] = mapped_column(Integer)
    verdict: Mapped[str | None] = mapped_column(String(20))
    values: Mapped[Any] = mapped_column(Json, nullable=True)
    note: Mapped[str | None] = mapped_column(Text)
    judged_by: Mapped[str | None] = mapped_column(UuidText)
    judged_at: Mapped[str | None] = mapped_column(TimeText)
    __table_args__ = (Index(None, "record_id"),)


class AuditRun(Base):
    """One run of the audit: that of a night (a date of the city), or one that somebody asked for. `seen_at` tells that
    it goes on; `checked`, `found` and `problems` are as `server.audit` gives them. It is `ended` with its entry in the
    journal, or `failed`, with nothing found out."""

    __tablename__ = "audit_run"
    id: Mapped[str] = mapped_column(UuidText, primary_key=True)
    night: Mapped[str | None] = mapped_column(String(10), unique=True)
    asked_by: Mapped[str] = mapped_column(String(80))
    asked_at: Mapped[str] = mapped_column(TimeText, index=True)
    state: Mapped[str] = mapped_column(String(10))
    began_at: Mapped[str | None] = mapped_column(TimeText)
    seen_at: Mapped[str | None] = mapped_column(TimeText)
    ended_at: Mapped[str | None] = mapped_column(TimeText)
    checked: Mapped[Any] = mapped_column(Json, nullable=True)
    found: Mapped[Any] = mapped_column(Json, nullable=True)
    problems: Mapped[Any] = mapped_column(Json, nullable=True)
