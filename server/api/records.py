"""The office's way to the same door: lists, single records, history, edits, commands (protocol section 4a)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from schemas.office import CommandGiven, EditGiven, NewRecord
from schemas.problems import Problem
from schemas.push import Mutation
from schemas.records import record_type
from schemas.values import is_uuid
from server.api import blueprint
from server.api.openapi import page, query
from server.api.pull import number_argument
from server.auth import for_people, me
from server.db import db, writing
from server.listing import EQUALS, SORTS, list_page, visible_record
from server.wire import answer
from sync import office
from sync.history import PAGE as HISTORY_PAGE
from sync.history import history_of
from sync.outcomes import Outcome

blp = blueprint("records", "记录 Records")
MOST_VERSIONS = 2**62


@blp.get("/records")
@blp.doc(parameters=[
    *(query(name, f"only with this {name}") for name in EQUALS), query("scope", "only in scopes that start so"),
    query("updated_since", "only changed at or after this time", format="date-time"),
    query("sort", f"one of {', '.join(SORTS)}; `-` before it for descending", default="-updated_at"), *page(500)])
@blp.response(200)
def list_records() -> Response:
    """Records in the caller's scopes, filtered and sorted by promoted fields."""
    limit = number_argument("limit", 100, least=1, most=500)
    return answer(list_page(db.session(), me().scopes, request.args, limit))


@blp.get("/records/<record_name>/<record_id>")
@blp.response(200)
def get_record(record_name: str, record_id: str) -> Response:
    """One record; 404 also where the reader has no right to know that it exists, and for a deleted one."""
    kept = visible_record(db.session(), me().scopes, record_name, record_id)
    if kept.deleted:
        raise Problem("not_found", "记录已删除,见历史 The record is deleted; its history tells by whom and why")
    return answer(kept.to_wire())


@blp.get("/records/<record_name>/<record_id>/history")
@blp.doc(parameters=page(HISTORY_PAGE))
@blp.response(200)
def get_history(record_name: str, record_id: str) -> Response:
    """Each version, oldest first: who changed what, from what to what. The cursor is the last version that came."""
    visible_record(db.session(), me().scopes, record_name, record_id)
    limit = number_argument("limit", HISTORY_PAGE, least=1, most=HISTORY_PAGE)
    items, following = history_of(db.session(), record_id, number_argument("cursor", 0, least=0, most=MOST_VERSIONS),
                                  limit)
    return answer({"items": items, "next": None if following is None else str(following)})


@blp.post("/records/<record_name>")
@for_people
@blp.arguments(NewRecord)
@blp.response(201)
def add_record(given: dict[str, Any], record_name: str) -> Response:
    """Make a record. 409 `record_exists`, 422 for what is invalid."""
    record_type(record_name)
    with writing() as door:
        record_id = given.get("id") or door.new_id()
        if door.get(record_id) is not None:
            raise Problem("record_exists", f"record {record_id} exists already")
        outcome = office.write(door, me().writer(), Mutation(
            door.new_id(), record_name, record_id, "put", scope=given["scope"], set=given["fields"]))
        record = (door.get(record_id) or outcome.record).to_wire()
    return answer(record, 201)


@blp.post("/records/<record_name>/<record_id>/edits")
@for_people
@blp.arguments(EditGiven)
@blp.response(200)
def edit_record(given: dict[str, Any], record_name: str, record_id: str) -> Response:
    """Edit on top of version `base`; merges as a device's edit does."""
    return answer(write(record_name, record_id, op="put", base=given["base"], scope=given.get("scope"),
                  set=given.get("set") or {}, add=given.get("add") or {}, remove=given.get("remove") or {}))


@blp.post("/records/<record_name>/<record_id>/commands")
@for_people
@blp.arguments(CommandGiven)
@blp.response(200)
def command_record(given: dict[str, Any], record_name: str, record_id: str) -> Response:
    """Carry out a command; 409 `state_moved` when `expect` or the table of states forbids it."""
    return answer(write(record_name, record_id, op="command", command={
        "name": given["name"], "args": given.get("args") or {}, "expect": given.get("expect") or {}}))


def write(record_name: str, record_id: str, **parts: Any) -> Mapping[str, Any]:
    """Carry out an edit or a command of the one who asks: `{outcome, record, conflicts}`; raises what refuses it."""
    record_type(record_name)
    if not is_uuid(record_id):
        raise Problem("not_found")
    visible_record(db.session(), me().scopes, record_name, record_id)
    with writing() as door:
        mutation = Mutation(door.new_id(), record_name, record_id, **parts)
        if mutation.op == "put" and mutation.base == 0:
            raise Problem("invalid_request", "base must be the version that was looked at",
                          errors={"base": ["from 1"]})
        outcome = office.write(door, me().writer(), mutation)
        outcome = Outcome(outcome.outcome, door.get(record_id) or outcome.record, outcome.conflicts, outcome.ignored)
    if problem := office.refused(outcome, mutation):
        raise problem
    return office.shown(outcome)
