"""Legal holds by order (保全令): placed on a record, listed, released."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import RAISE

from schemas.problems import Problem
from schemas.retention import HoldGiven, HoldsAsked, WhySaid
from server.api import blueprint
from server.auth import me, needs_role
from server.db import db, reading, writing
from server.keeping import orders
from server.keeping.models import LegalHold
from server.listing import visible_record
from server.reference import rights
from server.trade.statuses import must_be_scope
from server.wire import answer
from sync.models import Record
from sync.records import Door
from sync.scope import view_of

blp = blueprint("legal_holds", "保全 Legal holds")


@blp.get("/legal-holds")
@needs_role(*rights()["legal_hold_read"])
@blp.arguments(HoldsAsked, location="query", unknown=RAISE)
@blp.response(200)
def list_holds(asked: dict[str, Any]) -> Response:
    """Holds on records in the caller's scopes, oldest first: those that stand, or all."""
    with reading():
        condition = view_of(db.session(), me().scopes).condition()
        if asked.get("scope"):
            must_be_scope(asked["scope"])
            condition &= Record.scope.startswith(asked["scope"], autoescape=True)
        found = orders.holds_on(db.session(), condition, standing=asked["state"] == "standing")
    return answer({"items": [orders.shown(hold) for hold in found]})


@blp.post("/records/<record_name>/<record_id>/legal-holds")
@needs_role(*rights()["legal_hold_place"])
@blp.arguments(HoldGiven)
@blp.response(201)
def place(given: dict[str, Any], record_name: str, record_id: str) -> Response:
    """Hold the record and the file that it belongs to: its photos stay in the store, and nothing of it is disposed of
    or erased."""
    return answer(orders.shown(placed(record_name, record_id, given)), 201)


@blp.post("/legal-holds/<hold_id>/release")
@needs_role(*rights()["legal_hold_release"])
@blp.arguments(WhySaid)
@blp.response(200)
def release(given: dict[str, Any], hold_id: str) -> Response:
    """Let it go; 409 `state_moved` when it was released already."""
    return answer(orders.shown(released(hold_id, given["reason"])))


def placed(record_name: str, record_id: str, given: dict[str, Any]) -> LegalHold:
    """The hold that the one who asks places."""
    visible_record(db.session(), me().scopes, record_name, record_id)
    with writing() as door:
        kept = door.get(record_id)
        assert kept is not None, "records are never removed"
        me().writer().must_cover(kept.scope)
        return orders.place(door, me().writer(), kept, given)


def released(hold_id: str, reason: str) -> LegalHold:
    """The hold that the one who asks lets go."""
    with writing() as door:
        return orders.release(door, me().writer(), _own(door, hold_id), reason)


def _own(door: Door, hold_id: str) -> LegalHold:
    hold, scope = orders.found_hold(door.session, hold_id)
    if not me().covers(scope):
        raise Problem("not_found", "没有此保全,或无权知晓 no such hold, or no right to know of it", hidden=True)
    return hold
