"""Conflicts: listed with both values and the one that stands; those of one record settled together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from schemas.conflicts import Resolutions
from schemas.problems import Problem
from schemas.values import is_uuid
from server.api import blueprint
from server.api.openapi import page, query
from server.api.pull import number_argument
from server.auth import for_people, me
from server.conflicts import conflict_page, settle_together
from server.db import db, reading, writing
from server.house import house
from server.wire import answer

blp = blueprint("conflicts", "冲突 Conflicts")
FILTERS = {"scope": "only in scopes that start so", "record_type": "only about records of this type",
           "record_id": "only about this record", "person": "only where this user id brought one of the values"}
LARGEST = 2**53


@blp.get("/conflicts")
@for_people
@blp.doc(parameters=[*(query(name, what) for name, what in FILTERS.items()),
                     query("older_than_h", "only those open for so many hours", "integer", minimum=0), *page(200)])
@blp.response(200)
def list_conflicts() -> Response:
    """Records with open conflicts in the caller's scopes, longest open first, each with all of its open conflicts."""
    limit = number_argument("limit", 50, least=1, most=200)
    asked = {name: request.args[name] for name in FILTERS if name in request.args}
    for name, most in (("older_than_h", 24 * 366 * 10), ("cursor", LARGEST)):
        if name in request.args:
            asked[name] = str(number_argument(name, 0, least=0, most=most))
    with reading():
        return answer(conflict_page(db.session(), me().writer(), asked, limit, house().clock()))


@blp.post("/conflicts/<record_id>/resolutions")
@for_people
@blp.arguments(Resolutions)
@blp.response(200)
def add_resolutions(given: dict[str, Any], record_id: str) -> Response:
    """Settle conflicts of one record, all or none. 409 `state_moved` names in `stale` those that have changed, with
    `record_version` also those whose value has; 422 `choice_invalid` for two that would leave different values."""
    return answer({"outcomes": settle(record_id, given)})


def settle(record_id: str, given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Settle conflicts of one record as the one who asks, `{resolutions, record_version?}`; one transaction."""
    if not is_uuid(record_id):
        raise Problem("not_found")
    with writing() as door:
        return settle_together(door, me().writer(), record_id, given["resolutions"], given.get("record_version"))
