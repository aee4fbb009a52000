"""The audit of who has access: devices and sessions are those that the journal tells, and no revoked one is back.

To tokens and to what people call a device the journal is only committed; entries of older releases tell nothing of
them. Serves `bin/menqian verify`; writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from server.models import Login
from sync.audit import Audit, batches, holds, journalled, parsed, stream
from sync.models import Device, JournalEntry

ENROLLED, REVOKED = "device_enrolled", "device_revoked"


def said_of(device: Any) -> dict[str, Any]:
    """To what the entry of an enrolment is only committed; of a device or its row."""
    return {"name": device.name, "app_version": device.app_version, "token": device.token_hash}


def check_devices(audit: Audit, session: Session) -> None:
    """Every device is as it enrolled, and revoked if it was; none is gone."""
    devices = stream(session, select(
        Device.id, Device.user_id, Device.state, Device.platform, Device.enrolled_at, Device.name, Device.app_version,
        Device.token_hash, type_coerce(Device.public_key, Text).label("public_key")).order_by(Device.id))
    for batch in batches(devices):
        told: dict[str | None, dict[str, Any]] = {}
        for entry in session.execute(journalled().where(
                JournalEntry.about.in_([row.id for row in batch]), JournalEntry.kind.in_((ENROLLED, REVOKED)))):
            told.setdefault(entry.about, {})[entry.kind] = entry
        for row in batch:
            audit.checked["devices"] += 1
            entries = told.get(row.id, {})
            if ENROLLED not in entries:
                audit.wrong("device_unknown", row.id, "the journal tells of no enrolment of this device")
            elif altered := _altered(row, entries):
                audit.wrong("device_altered", row.id, f"{', '.join(altered)} differs from the journal")
    for (device_id,) in stream(session, select(JournalEntry.about).outerjoin(
            Device, Device.id == JournalEntry.about).where(JournalEntry.kind == ENROLLED, Device.id.is_(None))):
        audit.wrong("device_missing", device_id, "the journal tells of this device")


def _altered(row: Any, entries: Mapping[str, Any]) -> list[str]:
    """What of a device is not as the journal tells."""
    enrolled = entries[ENROLLED]
    body = parsed(enrolled.body) or {}
    told = {"state": "revoked" if REVOKED in entries else "active", "user_id": enrolled.actor,
            "enrolled_at": enrolled.at, "platform": body.get("platform")}
    altered = [name for name, value in told.items() if getattr(row, name) != value]
    if parsed(row.public_key) != body.get("public_key"):
        altered.append("public_key")
    return altered if holds(enrolled, said_of(row)) else [*altered, "name, app_version or token"]


def check_logins(audit: Audit, session: Session) -> None:
    """Every session that stands was begun by a login of its person."""
    logins = stream(session, select(Login.token_hash, Login.user_id, Login.created_at).order_by(Login.token_hash))
    for batch in batches(logins):
        entries = session.execute(journalled().where(
            JournalEntry.about.in_({row.user_id for row in batch}), JournalEntry.kind == "login",
            JournalEntry.at.in_({row.created_at for row in batch}))).all()
        for row in batch:
            audit.checked["logins"] += 1
            if not any((entry.about, entry.at) == (row.user_id, row.created_at)
                       and holds(entry, {"token": row.token_hash}) for entry in entries):
                audit.wrong("login_unknown", row.user_id, f"the journal tells of no such login at {row.created_at}")
