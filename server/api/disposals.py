"""Disposal of photos (销毁) over HTTP: proposed by one, decided by another, carried out by the worker."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import RAISE

from schemas.problems import Problem
from schemas.retention import LONGEST_PAGE, Decided, DisposalGiven, ProposalsAsked
from server.api import blueprint
from server.auth import me, needs_role
from server.db import db, reading, writing
from server.keeping import disposals, proposals
from server.keeping.models import Disposal
from server.reference import rights
from server.wire import answer
from sync.records import Door

blp = blueprint("disposals", "销毁 Disposals")
STATES = ("proposed", "approved", "refused", "done")


@blp.get("/disposals")
@needs_role(*rights()["disposal_read"])
@blp.arguments(ProposalsAsked, location="query", unknown=RAISE)
@blp.response(200)
def list_disposals(asked: dict[str, Any]) -> Response:
    """Disposals of records in the caller's scopes, newest first, with what became of each photo: `waiting`, `removing`,
    `removed`, or `kept` because something needs it after all."""
    with reading():
        found = seen([asked["state"]] if "state" in asked else STATES, min(asked["limit"], LONGEST_PAGE))
        items = [disposals.shown(db.session(), made) for made in found]
    return answer({"items": items})


@blp.post("/disposals")
@needs_role(*rights()["disposal_propose"])
@blp.arguments(DisposalGiven)
@blp.response(201)
def propose(given: dict[str, Any]) -> Response:
    """Propose to dispose of the photos of records whose period is over: of these `records`, or of a `class` (`scope?`,
    `due_before?`), 500 at most. 409 `not_due`, `held_by_order`; 422 `frame_empty` where none is due."""
    return answer(proposed(given), 201)


@blp.post("/disposals/<disposal_id>/approval")
@needs_role(*rights()["disposal_approve"])
@blp.arguments(Decided)
@blp.response(200)
def approve(given: dict[str, Any], disposal_id: str) -> Response:
    """Approve it: the bytes of its photos, and of their copies, go. 403 `own_proposal` for the one who proposed it."""
    return answer(decided(disposal_id, True, given["note"]))


@blp.post("/disposals/<disposal_id>/refusal")
@needs_role(*rights()["disposal_approve"])
@blp.arguments(Decided)
@blp.response(200)
def refuse(given: dict[str, Any], disposal_id: str) -> Response:
    """Refuse it: nothing goes. 403 `own_proposal` for the one who proposed it."""
    return answer(decided(disposal_id, False, given["note"]))


def proposed(given: dict[str, Any]) -> dict[str, Any]:
    """The proposal of the one who asks."""
    given = {**given, **({"class": given["class_"]} if "class_" in given else {})}
    given.pop("class_", None)
    with writing() as door:
        return disposals.shown(door.session, disposals.propose(door, me().writer(), given))


def decided(disposal_id: str, approves: bool, note: str) -> dict[str, Any]:
    """The proposal after the decision of the one who asks."""
    with writing() as door:
        made = _mine(door, disposal_id)
        decide = disposals.approve if approves else disposals.refuse
        decide(door, me().writer(), made, note)
        door.flush()
        return disposals.shown(door.session, made)


def seen(states: list[str] | tuple[str, ...], most: int) -> list[Disposal]:
    """The newest proposals all of whose records lie in the caller's scopes."""
    return [made for made in proposals.newest(db.session(), Disposal, states, most) if _covers(made)]


def _mine(door: Door, disposal_id: str) -> Disposal:
    made = proposals.found(door.session, Disposal, disposal_id)
    if not _covers(made):
        raise Problem("not_found", "没有此提议,或无权知晓 no such proposal, or no right to know of it", hidden=True)
    return made


def _covers(made: Disposal) -> bool:
    return all(me().covers(scope) for scope in made.scopes)
