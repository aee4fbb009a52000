"""Scope handover: which scopes a device is known to have, what it may still deliver, and who still holds old work.

When a person's scopes change, his devices go on under those that they have, until a pull comes with a cursor that was
given out under the new ones (or, of a device that never tells its health, such a cursor is sent). From then on only
what a device had made by that time, and said so, counts as made before. Both end `MENQIAN_HANDOVER_DAYS` after the
withdrawal; what comes later is quarantined, never lost. Serves whoever authenticates a device (`late_terms`),
the pull (`acknowledge`), people and enrolment (`enter_scopes`, `first_scopes`), the devices page (`holdings`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, func, or_, select, update
from sqlalchemy.orm import Session

from schemas.values import stamp
from server.db import db
from server.house import house
from server.models import PersonScopes, User
from sync.cursors import acknowledges
from sync.models import Device
from sync.records import Door
from sync.writers import covers


@dataclass(frozen=True, slots=True)
class Known:
    """What the server knows of a device when its request comes; columns of `sync.models.Device`."""

    last_n: int
    last_seen_at: str | None
    reported: Mapping[str, Any] | None
    clock_offset_ms: int | None
    acknowledged: int | None
    late_from: int | None
    late_n: int | None

    @property
    def window_from(self) -> int | None:
        """The version of the scopes from which on undelivered work may come, None when all of it has come."""
        return self.late_from if self.late_n is not None and self.last_n < self.late_n else None


def known_of(device: Device | Row[Any]) -> Known:
    """What is known of a device, from its row."""
    return Known(device.last_n, device.last_seen_at, device.reported, device.clock_offset_ms,
                 device.scopes_acknowledged, device.late_from, device.late_n)


def enter_scopes(door: Door, user: User) -> None:
    """Note the person's present scopes as those of his present version; those of the one before end now."""
    door.session.execute(update(PersonScopes).where(PersonScopes.user_id == user.id, PersonScopes.until.is_(None))
                         .values(until=door.at))
    door.session.add(PersonScopes(user_id=user.id, version=user.scopes_version, codes=user.scopes, since=door.at))


def first_scopes(user: User) -> int:
    """The version of a person's scopes that a device enrolled now may bring work of: it may replace one that had it.

    What it has of its own it tells with the pull that acknowledges the present ones.
    """
    since = stamp(house().clock() - timedelta(days=house().settings.handover_days))
    first = db.session.execute(select(func.min(PersonScopes.version)).where(
        PersonScopes.user_id == user.id, PersonScopes.until >= since)).scalar()
    return user.scopes_version if first is None else first


def late_terms(known: Known, user_id: str, version: int) -> dict[str, Any]:
    """The members of a `Writer` that say what late work of this device is taken."""
    since = stamp(house().clock() - timedelta(days=house().settings.handover_days))
    behind = known.acknowledged if known.acknowledged is not None and known.acknowledged < version else None
    began = [first for first in (behind, known.window_from) if first is not None]
    if not began:
        return {"late_since": since}
    withdrawn = db.session.execute(select(PersonScopes.codes).where(
        PersonScopes.user_id == user_id, PersonScopes.version >= min(began), PersonScopes.version < version,
        PersonScopes.until >= since).order_by(PersonScopes.version)).scalars()
    return {"late_since": since, "late_scopes": tuple(dict.fromkeys(code for codes in withdrawn for code in codes)),
            "late_n": known.late_n if behind is None else None}


def acknowledge(device_id: str, known: Known, scopes: Sequence[str], version: int, cursor: str | None,
                health: Mapping[str, Any]) -> None:
    """Note that the device has its person's present scopes, when the cursor it came with shows so.

    What it has made by now is `last_n` and what it says it has not delivered; up to there its work may be late.
    """
    if known.acknowledged == version or cursor is None \
            or not acknowledges(cursor, house().settings.secret_key, device_id, scopes):
        return
    unsent = health.get("unsent", (known.reported or {}).get("unsent")) or 0
    began = [first for first in (known.acknowledged, known.window_from) if first is not None]
    db.session.rollback()
    db.session.execute(update(Device).where(Device.id == device_id).values(
        scopes_acknowledged=version, scopes_acknowledged_at=stamp(house().clock()),
        late_from=min(began, default=None), late_n=Device.last_n + unsent if began else None))
    db.session.commit()


def holdings(session: Session) -> dict[str, dict[str, str]]:
    """By device id the scopes, with the time of their withdrawal, of which it may still hold undelivered work.

    That is a device that does not yet know of the withdrawal, or has not delivered all that it had made by then.
    """
    rows = session.execute(
        select(Device, User.scopes, PersonScopes.version, PersonScopes.codes, PersonScopes.until)
        .join(User, User.id == Device.user_id).join(PersonScopes, PersonScopes.user_id == User.id)
        .where(Device.state == "active", PersonScopes.until.is_not(None),
               or_(Device.scopes_acknowledged < User.scopes_version, Device.last_n < Device.late_n))
        .order_by(PersonScopes.version))
    found: dict[str, dict[str, str]] = {}
    for device, scopes, version, codes, until in rows:
        known = known_of(device)
        window = known.window_from
        if (known.acknowledged is not None and version >= known.acknowledged) or (window and version >= window):
            found.setdefault(device.id, {}).update({code: until for code in codes if not covers(scopes, code)})
    return {device_id: codes for device_id, codes in found.items() if codes}


def touches(code: str, scope: str) -> bool:
    """Does work in the one scope lie in the other, or in a part of it?"""
    return code.startswith(scope) or scope.startswith(code)
