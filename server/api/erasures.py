"""Erasure of personal values over HTTP (个人信息保护法 art. 47): proposed by one, decided by another."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import RAISE
from sqlalchemy import select

from schemas.problems import Problem
from schemas.retention import LONGEST_PAGE, Decided, ErasureGiven, ProposalsAsked
from server import snapshots
from server.api import blueprint
from server.auth import me, needs_role
from server.db import db, reading, writing
from server.keeping import erasures, proposals
from server.keeping.models import Erasure
from server.listing import visible_record
from server.reference import rights
from server.wire import answer
from sync.bulk import Among
from sync.models import Record
from sync.records import Door

blp = blueprint("erasures", "个人信息删除 Erasures")
STATES = ("proposed", "refused", "done")


@blp.get("/erasures")
@needs_role(*rights()["erasure_read"])
@blp.arguments(ProposalsAsked, location="query", unknown=RAISE)
@blp.response(200)
def list_erasures(asked: dict[str, Any]) -> Response:
    """Erasures of records in the caller's scopes, newest first: `{id, state, record_type, record_id, fields, ground,
    reason, proposed_by, proposed_at, decided_by, decided_at, note}`; never a value."""
    with reading():
        found = seen([asked["state"]] if "state" in asked else STATES, min(asked["limit"], LONGEST_PAGE))
    return answer({"items": [erasures.shown(made) for made in found]})


@blp.post("/erasures")
@needs_role(*rights()["erasure_propose"])
@blp.arguments(ErasureGiven)
@blp.response(201)
def propose(given: dict[str, Any]) -> Response:
    """Propose to erase. 409 `held_by_order`, `not_due` where the ground wants the period over; 422 `not_erasable`."""
    return answer(erasures.shown(proposed({**given, "fields": given["fields_"]})), 201)


@blp.post("/erasures/<erasure_id>/approval")
@needs_role(*rights()["erasure_approve"])
@blp.arguments(Decided)
@blp.response(200)
def approve(given: dict[str, Any], erasure_id: str) -> Response:
    """Approve it: the values vanish from record, history, conflicts, quarantine, receipts and the journal's asides. 403
    `own_proposal` for the one who proposed it."""
    return answer(erasures.shown(decided(erasure_id, True, given["note"])))


@blp.post("/erasures/<erasure_id>/refusal")
@needs_role(*rights()["erasure_approve"])
@blp.arguments(Decided)
@blp.response(200)
def refuse(given: dict[str, Any], erasure_id: str) -> Response:
    """Refuse it. 403 `own_proposal` for the one who proposed it."""
    return answer(erasures.shown(decided(erasure_id, False, given["note"])))


def proposed(given: dict[str, Any]) -> Erasure:
    """The proposal of the one who asks."""
    visible_record(db.session(), me().scopes, given["record_type"], given["record_id"])
    with writing() as door:
        kept = door.get(given["record_id"])
        assert kept is not None, "records are never removed"
        me().writer().must_cover(kept.scope)
        return erasures.propose(door, me().writer(), kept, given)


def decided(erasure_id: str, approves: bool, note: str) -> Erasure:
    """The proposal after the decision of the one who asks; prepared snapshots go with the values."""
    with writing() as door:
        made = _mine(door, erasure_id)
        decide = erasures.approve if approves else erasures.refuse
        decide(door, me().writer(), made, note)
    if approves:
        snapshots.sweep()
    return made


def seen(states: list[str] | tuple[str, ...], most: int) -> list[Erasure]:
    """The newest proposals whose records lie in the caller's scopes."""
    found = proposals.newest(db.session(), Erasure, states, most)
    scopes = {row.id: row.scope for row in db.session.execute(
        select(Record.id, Record.scope).where(Among(Record.id, [made.record_id for made in found])))}
    return [made for made in found if me().covers(scopes[made.record_id])]


def _mine(door: Door, erasure_id: str) -> Erasure:
    made = proposals.found(door.session, Erasure, erasure_id)
    kept = door.get(made.record_id)
    if kept is None or not me().covers(kept.scope):
        raise Problem("not_found", "没有此提议,或无权知晓 no such proposal, or no right to know of it", hidden=True)
    return made
