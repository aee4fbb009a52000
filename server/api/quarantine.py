"""The quarantine: seen by devices (their own) and supervisors (their scope), released or dismissed by the latter."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from schemas.people import Reason, Release
from schemas.problems import Problem
from server.api import blueprint
from server.api.openapi import page, query
from server.api.pull import number_argument
from server.auth import me, must_have_role, needs_role
from server.db import db, writing
from server.listing import quarantine_page
from server.models import User
from server.wire import answer
from sync import held, quarantine
from sync.models import Device, Quarantined
from sync.records import Door
from sync.writers import Writer

blp = blueprint("quarantine", "隔离区 Quarantine")
STATES = ("open", "released", "dismissed")
READERS = ("supervisor", "auditor", "admin")


@blp.get("/quarantine")
@blp.doc(parameters=[query("state", "`open` (also where it is not said), `released` or `dismissed`",
                           enum=STATES), *page(500)])
@blp.response(200)
def list_quarantine() -> Response:
    """Entries, oldest first: a device's own, or those in the scopes of a supervisor, auditor or admin."""
    principal = me()
    if principal.device_id is None:
        must_have_role(*READERS)
    limit, state = number_argument("limit", 100, least=1, most=500), request.args.get("state", STATES[0])
    if state not in STATES:
        raise Problem("status_unknown", f"无此状态 no entry is {state[:40]!r}", errors={"state": ["unknown"]})
    rows, following = quarantine_page(db.session(), principal.scopes, principal.device_id, limit,
                                      request.args.get("cursor"), state, homeless=principal.has_role("admin"))
    return answer({"items": [shown(row) for row in rows], "next": following})


@blp.get("/quarantine/<quarantine_id>")
@blp.response(200)
def get_quarantined(quarantine_id: str) -> Response:
    """One entry, settled or not: the raw mutation stays readable."""
    row = db.session.get(Quarantined, quarantine_id)
    principal = me()
    mine = row is not None and principal.device_id == row.device_id
    if row is None or not (mine or (principal.device_id is None and principal.has_role(*READERS)
                                    and _reaches(row))):
        raise Problem("not_found", hidden=row is not None)
    return answer({**shown(row), "state": row.state, "settlement": row.settlement})


@blp.post("/quarantine/<quarantine_id>/release")
@needs_role("supervisor", "admin")
@blp.arguments(Release)
@blp.response(200)
def release(given: dict[str, Any], quarantine_id: str) -> Response:
    """Apply it after correction; a problem of the corrected mutation leaves it where it is."""
    return answer(release_entry(quarantine_id, given))


@blp.post("/quarantine/<quarantine_id>/dismiss")
@needs_role("supervisor", "admin")
@blp.arguments(Reason)
@blp.response(200)
def dismiss(given: dict[str, Any], quarantine_id: str) -> Response:
    """Close it without applying it."""
    return answer(dismiss_entry(quarantine_id, given["reason"]))


def release_entry(quarantine_id: str, correction: dict[str, Any]) -> dict[str, Any]:
    """Apply an entry after correction (`{set?, scope?}`), and what waited for it; gives what was settled."""
    with writing() as door:
        row = _entry(door, quarantine_id)
        before = door.gate.seq
        settled = quarantine.release(door, row, _author(door, row), me().writer(), correction)
        door.flush()
        held.settle_arrived(door, before)
    return settled


def dismiss_entry(quarantine_id: str, reason: str) -> dict[str, Any]:
    """Close an entry without applying it; gives what was settled."""
    with writing() as door:
        return quarantine.dismiss(door, _entry(door, quarantine_id), me().writer(), reason)


def shown(row: Quarantined) -> dict[str, Any]:
    return {"id": row.id, "device_id": row.device_id, "user_id": row.user_id, "n": row.n,
            "received_at": row.received_at, "scope": row.scope, "reason": row.reason, "problem": row.problem,
            "mutation": row.mutation}


def _entry(door: Door, quarantine_id: str) -> Quarantined:
    row = door.session.get(Quarantined, quarantine_id)
    if row is None or not _reaches(row):
        raise Problem("not_found", hidden=row is not None)
    must_have_role("supervisor" if row.scope else "admin")
    return row


def _reaches(row: Quarantined) -> bool:
    """What lies in no division is the admins'; the rest is theirs whose scopes cover it."""
    return me().has_role("admin") if row.scope is None else me().covers(row.scope)


def _author(door: Door, row: Quarantined) -> Writer:
    """The one who made the mutation, as he is today."""
    user, device = door.session.get(User, row.user_id), door.session.get(Device, row.device_id)
    if user is None or device is None:
        raise Problem("not_found")
    return Writer(device.id, user.id, tuple(user.roles), tuple(user.scopes), device.id, user.unit,
                  signed=device.public_key is not None)
