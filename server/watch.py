"""Which devices need a person's attention: unsent work, unacknowledged scopes, clocks that are off; worst first.

Serves `GET /devices` and the devices page. Nothing here is decided for the person; a mark says what to look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from schemas.values import parse_time
from server.api.sessions import shown
from server.api.users import oversees
from server.auth import me
from server.db import db
from server.handover import holdings, touches
from server.house import house
from server.models import User
from sync.health import TOLD, has_unsent
from sync.models import Device

WEIGHTS = {"unsent_old": 4, "revoked_unsent": 4, "holds_withdrawn": 2, "scopes_unacknowledged": 2, "clock_off": 1}
"""What a device may be marked for, and how much it counts in the order."""


def watched(holding: str | None = None, mark: str | None = None) -> list[dict[str, Any]]:
    """The devices of the people whom the one who asks oversees, and those that hold work of his scopes, worst first.

    `holding` keeps those that may still hold work of that scope, `mark` those that are marked so.
    """
    held, now = holdings(db.session()), house().clock()
    rows = []
    for device, user in db.session.execute(select(Device, User).join(User, User.id == Device.user_id)):
        codes = held.get(device.id, {})
        if oversees(user) or any(touches(code, scope) for code in codes for scope in me().scopes):
            rows.append(judged(device, user, codes, now))
    if holding is not None:
        rows = [row for row in rows if any(touches(one["scope"], holding) for one in row["holding"])]
    if mark is not None:
        rows = [row for row in rows if mark in row["attention"]]
    return sorted(rows, key=_order)


def judged(device: Device, user: User, codes: Mapping[str, str], now: datetime) -> dict[str, Any]:
    """A device as the wire shows it, with `attention`: what it is marked for."""
    reported = device.reported or {}
    row = {"id": device.id, "name": device.name, "platform": device.platform, "app_version": device.app_version,
           "user": shown(user), "last_seen_at": device.last_seen_at, "last_n": device.last_n,
           "reported": {name: reported.get(name) for name in (*TOLD, "at")},
           "clock_offset_ms": device.clock_offset_ms, "state": device.state, "signs": device.public_key is not None,
           "scopes": {"version": user.scopes_version},
           "scopes_acknowledged": {"version": device.scopes_acknowledged, "at": device.scopes_acknowledged_at},
           "holding": [{"scope": code, "withdrawn_at": at} for code, at in codes.items()]}
    return {**row, "waits_h": waits_h(row, now), "attention": _marks(row, waits_h(row, now))}


def waits_h(row: Mapping[str, Any], now: datetime) -> float:
    """Hours for which the oldest thing that the device has not delivered waits, 0 when nothing does."""
    oldest = row["reported"]["oldest_unsent_at"]
    if not oldest:
        return 0.0
    there = now + timedelta(milliseconds=row["clock_offset_ms"] or 0)  # by the device's clock, as what it told
    return max(0.0, (there - parse_time(oldest)) / timedelta(hours=1))


def _marks(row: Mapping[str, Any], waits: float) -> list[str]:
    settings, offset = house().settings, row["clock_offset_ms"]
    if row["state"] != "active":
        return ["revoked_unsent"] if has_unsent(row["reported"]) else []
    holds = {"unsent_old": waits > settings.unsent_hours, "holds_withdrawn": bool(row["holding"]),
             "scopes_unacknowledged": (row["scopes_acknowledged"]["version"] or 0) < row["scopes"]["version"],
             "clock_off": offset is not None and abs(offset) > settings.clock_off_seconds * 1000}
    return [name for name, so in holds.items() if so]


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    severity = sum(WEIGHTS[mark] for mark in row["attention"])
    return -severity, row["state"] != "active", -row["waits_h"], row["last_seen_at"] or "", row["id"]
