"""Devices: who has unsent work since when, who holds work of a withdrawn scope, whose clock is off; invite, revoke."""

from __future__ import annotations

from collections import Counter
from typing import Any

import segno
from flask import render_template, request, url_for
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.wrappers import Response

from schemas.people import InvitationAsked, Reason
from server.api.devices import invite_person, revoke_device
from server.api.pull import number_argument
from server.api.users import objection
from server.auth import me, needs_role
from server.db import db, reading
from server.house import house
from server.models import User
from server.pages.entrance import bp, done, loaded
from server.watch import WEIGHTS, watched

PAGE = 50


@bp.get("/devices")
@needs_role("supervisor", "admin")
def devices() -> str:
    """Devices of the people whom the person oversees, worst first, in pages."""
    mark, holding = request.args.get("attention") or None, request.args.get("holding", "").strip() or None
    start = number_argument("cursor", 0, least=0, most=10**6)
    with reading():
        every = watched()
        rows = watched(holding, mark) if mark or holding else every
        people = [user for user in _people() if objection(user) is None]
        return render_template(
            "devices.html", devices=rows[start:start + PAGE], number=len(rows), first=start + 1, people=people,
            marks=_marks(every), total=len(every), asked={"attention": mark, "holding": holding},
            commanded={user.id for user in people}, settings=house().settings,
            page={"next": start + PAGE if len(rows) > start + PAGE else None}, withdrawn=_withdrawn(every))


@bp.post("/devices/invitations")
@needs_role("supervisor", "admin")
def invite() -> str:
    """A code, shown this once, by which one device of that person may enrol."""
    username = loaded(InvitationAsked(), {"username": request.form.get("username", "")})["username"]
    code, expires_at = invite_person(username)
    address = f"{house().settings.public_url or request.host_url.rstrip('/')}{url_for('handheld.shell')}#/enrol/{code}"
    return render_template("invitation.html", code=code, expires_at=expires_at, username=username, address=address,
                           picture=_picture(address))


@bp.post("/devices/<device_id>/revoke")
@needs_role("supervisor", "admin")
def revoke(device_id: str) -> Response:
    """Revoke a device; what it delivered stays."""
    revoke_device(device_id, loaded(Reason(), {"reason": request.form.get("reason", "")})["reason"])
    return done(url_for("pages.devices"), "设备已停用", "Device revoked")


def _picture(address: str) -> Markup:
    """The address as a QR code, drawn as SVG without a style of its own."""
    code = segno.make_qr(address, error="m").svg_inline(scale=5, border=4, light="#fff", omitsize=True)
    return Markup(code)  # made of modules alone: nothing of the address stands in it


def _people() -> list[User]:
    return list(db.session.execute(select(User).where(User.active.is_(True)).order_by(User.username)).scalars())


def _marks(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """(mark, how many devices have it), the heaviest first."""
    counted = Counter(mark for row in rows for mark in row["attention"])
    return [(mark, counted[mark]) for mark in WEIGHTS if counted[mark]]


def _withdrawn(rows: list[dict[str, Any]]) -> list[str]:
    """The scopes within the person's own of which some device may still hold work."""
    codes = {one["scope"] for row in rows for one in row["holding"]}
    return sorted(code for code in codes if me().has_role("admin") or me().covers(code))
