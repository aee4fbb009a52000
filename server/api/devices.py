"""Devices: invited, enrolled once with a key of their own, watched, revoked (protocol section 1)."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import Any

from flask import Response, request
from sqlalchemy import select

from media.incidents import open_undelivered
from schemas.people import Enrolment, Invitation, InvitationAsked, Reason
from schemas.problems import Problem
from schemas.values import stamp
from server import limits
from server.api import blueprint
from server.api.hello import hello_of
from server.api.openapi import page, query
from server.api.pull import number_argument
from server.api.sessions import shown
from server.api.users import objection
from server.auth import hash_token, me, must_be_device, needs_role, new_token, principal_of, public
from server.db import db, writing
from server.device_audit import said_of
from server.handover import first_scopes
from server.house import house
from server.models import Invitation as InvitationRow
from server.models import User
from server.refusals import remember_asker
from server.watch import WEIGHTS, judged, watched
from server.wire import answer
from sync.models import Device
from sync.records import Door
from sync.signing import public_key_of, verify_push_signature

blp = blueprint("devices", "设备 Devices")
LARGEST = 10**9
HANDED_OVER = "本机已清空交出 the handheld was emptied and handed over"
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@blp.post("/devices/invitations")
@needs_role("supervisor", "admin")
@blp.arguments(InvitationAsked)
@blp.response(201, Invitation)
def add_invitation(given: dict[str, Any]) -> Response:
    """A code by which one device of that person may enrol once."""
    code, expires_at = invite_person(given["username"])
    return answer({"code": code, "expires_at": expires_at}, 201)


@blp.post("/devices")
@public
@limits.enrolments
@blp.arguments(Enrolment)
@blp.response(201)
def enrol(given: dict[str, Any]) -> Response:
    """Enrol with an invitation code. 404 `invitation_invalid`, 410 `invitation_expired`, 409 `invitation_used`, or
    `invitation_of_another` where a `user_id` is given and it is not that person's.

    The answer may have been lost: asked again with the same code and key, the body signed by it (`Menqian-Signature`),
    before anything was pushed, it is the same device with a new token.
    """
    key = given.get("public_key")
    if key is not None:
        try:
            public_key_of(key)
        except ValueError:
            raise Problem("invalid_request", "public_key is no point of P-256",
                          errors={"public_key": ["not a P-256 key"]}) from None
    token = new_token()
    with writing() as door:
        user, device = _redeem(door, given)
        said = {"token_hash": hash_token(token), "name": given["name"], "platform": given["platform"],
                "app_version": given["app_version"], "enrolled_at": door.at, "last_seen_at": door.at,
                "scopes_acknowledged": first_scopes(user), "scopes_acknowledged_at": door.at}
        if device is None:
            device = Device(id=str(uuid.UUID(bytes=door.random_bytes(16), version=4)), user_id=user.id, public_key=key,
                            state="active", last_n=0, **said)
            door.session.add(device)
        else:
            for name, value in said.items():
                setattr(device, name, value)
        door.record_entry("device_enrolled", user.id, device.id, {"public_key": key, "platform": given["platform"]},
                          aside=said_of(device), kept=False)
    return answer({"device_id": device.id, "token": token, "user": shown(user), "scopes": user.scopes,
                   "hello": hello_of(principal_of(token))}, 201)


@blp.post("/devices/<device_id>/revoke")
@needs_role("supervisor", "admin")
@blp.arguments(Reason)
@blp.response(200)
def revoke(given: dict[str, Any], device_id: str) -> Response:
    """From now on its token gets 401 `device_revoked`; what it delivered stays."""
    device, owner = revoke_device(device_id, given["reason"])
    return answer(judged(device, owner, {}, house().clock()))


@blp.delete("/devices/current")
@blp.response(204)
def leave() -> Response:
    """A handheld is emptied and handed over: from now on its token gets 401 `device_revoked`."""
    principal = must_be_device(me())
    with writing() as door:
        _end(door, door.session.get_one(Device, principal.device_id), HANDED_OVER)
    return Response(status=204)


@blp.get("/devices")
@needs_role("supervisor", "admin")
@blp.doc(parameters=[
    query("holding", "only those that may still hold work of this scope, withdrawn from their person"),
    query("attention", f"only those marked so: {', '.join(WEIGHTS)}", enum=list(WEIGHTS)), *page(500)])
@blp.response(200)
def list_devices() -> Response:
    """Devices of the people whom the one who asks oversees, with what each last said of its outbox; worst first.

    All of them, unless a `limit` is given; then `next` is the cursor of the following page.
    """
    rows = watched(request.args.get("holding"), request.args.get("attention"))
    start = number_argument("cursor", 0, least=0, most=LARGEST)
    limit = number_argument("limit", LARGEST, least=1, most=500 if "limit" in request.args else LARGEST)
    following = {"next": str(start + limit) if len(rows) > start + limit else None}
    return answer({"items": rows[start:start + limit], **(following if "limit" in request.args else {})})


def invite_person(username: str) -> tuple[str, str]:
    """A fresh invitation: (code, when it expires); raises `not_found`, `role_forbidden`, `out_of_scope`."""
    user = db.session.execute(select(User).where(User.username == username)).scalar_one_or_none()
    if user is None:
        raise Problem("not_found", "您的范围内没有此人 no such person in your scope")
    if problem := objection(user):
        raise problem
    with writing() as door:
        return invite(door, me().user_id, user.id)


def revoke_device(device_id: str, reason: str) -> tuple[Device, User]:
    """Revoke a device: (device, its owner); raises `not_found`, `role_forbidden`, `out_of_scope`."""
    with writing() as door:
        device, owner = _commanded(door, device_id)
        _end(door, device, reason)
    return device, owner


def _end(door: Door, device: Device, reason: str) -> None:
    scopes = door.session.get_one(User, device.user_id).scopes or me().scopes
    if device.state != "revoked" and scopes:
        open_undelivered(door, device, scopes[0], reason)
    device.state = "revoked"
    door.record_entry("device_revoked", me().user_id, device.id, {}, aside={"reason": reason})


def invite(door: Door, actor: str, user_id: str) -> tuple[str, str]:
    """A fresh invitation: (code, when it expires); raises `invalid_request` for an inactive person."""
    if not door.session.get_one(User, user_id).active:
        raise Problem("invalid_request", "账号已停用 the account is inactive", errors={"username": ["inactive"]})
    code = "-".join("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(3))
    expires_at = stamp(door.now + timedelta(hours=house().settings.invitation_hours))
    door.session.add(InvitationRow(code_hash=hash_token(code), user_id=user_id, created_by=actor,
                                   expires_at=expires_at))
    door.record_entry("device_invited", actor, user_id, {})
    return code, expires_at


def _redeem(door: Door, given: dict[str, Any]) -> tuple[User, Device | None]:
    """Whose invitation it is, and the device that it made already, if it is that one which asks again."""
    invitation = door.session.get(InvitationRow, hash_token(given["code"].strip().upper()))
    if invitation is None:
        raise Problem("invitation_invalid")
    if given.get("user_id") and str(given["user_id"]) != invitation.user_id:
        raise Problem("invitation_of_another")
    device = _asking_again(door, invitation, given.get("public_key")) if invitation.used_at is not None else None
    if invitation.used_at is not None and device is None:
        raise Problem("invitation_used")
    if invitation.expires_at < door.at:
        raise Problem("invitation_expired")
    user = door.session.get_one(User, invitation.user_id)
    if not user.active:
        remember_asker(user.id)
        raise Problem("user_inactive")
    invitation.used_at = door.at
    return user, device


def _asking_again(door: Door, invitation: InvitationRow, key: dict[str, Any] | None) -> Device | None:
    """The device that the invitation made and that has pushed nothing, if its key signed this very request."""
    if key is None or not verify_push_signature(key, request.headers.get("Menqian-Signature"), request.get_data()):
        return None
    made = door.session.execute(select(Device).where(
        Device.user_id == invitation.user_id, Device.enrolled_at == invitation.used_at, Device.state == "active",
        Device.last_n == 0)).scalars()
    return next((device for device in made if device.public_key == key), None)


def _commanded(door: Door, device_id: str) -> tuple[Device, User]:
    device = door.session.get(Device, device_id)
    if device is None:
        raise Problem("not_found", "您的范围内没有此设备 no such device in your scope")
    owner = door.session.get_one(User, device.user_id)
    if problem := objection(owner):
        raise problem
    return device, owner
