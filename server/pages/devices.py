"""Devices: who has unsent work since when, whose clock is off, who was not seen; invite and revoke."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from schemas.people import InvitationAsked, Reason
from schemas.values import parse_time
from server.api.devices import device_row, invite_person, overseen_devices, revoke_device
from server.api.sessions import shown
from server.api.users import objection
from server.auth import needs_role
from server.db import db, reading
from server.house import house
from server.models import User
from server.pages.entrance import bp, done, loaded

STALE = timedelta(hours=24)
CLOCK_OFF_MS = 120_000


@bp.get("/devices")
@needs_role("supervisor", "admin")
def devices() -> str:
    """Devices of the people whom the person oversees: unsent work first, then those longest unseen."""
    with reading():
        rows = [device_row(device, shown(user)) for device, user in overseen_devices()]
        return render_template("devices.html", devices=sorted(map(_judged, rows), key=_order), people=_people())


@bp.post("/devices/invitations")
@needs_role("supervisor", "admin")
def invite() -> str:
    """A code, shown this once, by which one device of that person may enrol."""
    username = loaded(InvitationAsked(), {"username": request.form.get("username", "")})["username"]
    code, expires_at = invite_person(username)
    return render_template("invitation.html", code=code, expires_at=expires_at, username=username)


@bp.post("/devices/<device_id>/revoke")
@needs_role("supervisor", "admin")
def revoke(device_id: str) -> Response:
    """Revoke a device; what it delivered stays."""
    revoke_device(device_id, loaded(Reason(), {"reason": request.form.get("reason", "")})["reason"])
    return done(url_for("pages.devices"), "设备已停用", "Device revoked")


def _people() -> list[User]:
    people = db.session.execute(select(User).where(User.active.is_(True)).order_by(User.username)).scalars()
    return [user for user in people if objection(user) is None]


def _judged(row: dict[str, Any]) -> dict[str, Any]:
    """The row with what a supervisor should look at first."""
    since = row["reported"]["oldest_unsent_at"]
    waits = house().clock() - parse_time(since) if since and row["reported"]["unsent"] else timedelta()
    offset = row["clock_offset_ms"]
    return {**row, "waits_h": waits.total_seconds() / 3600, "stale": waits > STALE,
            "clock_off": offset is not None and abs(offset) > CLOCK_OFF_MS}


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["state"] != "active", -row["waits_h"], row["last_seen_at"] or ""
