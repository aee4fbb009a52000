"""Lists of records by their promoted fields, in stable pages, and the one rule of who may see a record."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.records import record_type
from schemas.values import is_uuid, parse_time, stamp
from sync.kept import Kept, kept_from
from sync.models import Record, table_of
from sync.scope import REACHING, view_of
from sync.writers import covers

SORTS = ("updated_at", "created_at", "observed_at", "due_at", "status", "class_code", "zone_id", "inspector_id", "seq")
EQUALS = ("type", "status", "class_code", "zone_id", "inspector_id", "about_id")


def visible_record(session: Session, scopes: Sequence[str], record_name: str, record_id: str) -> Kept:
    """The record, for one whose scopes cover it; raises `type_unknown`, `not_found`."""
    record_type(record_name)
    row = session.execute(select(table_of(Record)).where(Record.id == record_id)).mappings().first() \
        if is_uuid(record_id) else None
    if row is None or row["type"] != record_name or not sees(scopes, row["type"], row["scope"]):
        raise Problem("not_found", "no such record, or no right to know of it")
    return kept_from(row)


def sees(scopes: Sequence[str], record_name: str, scope: str) -> bool:
    """May somebody with these scopes see a record of that type and scope?"""
    return covers(scopes, scope) or (record_name in REACHING and any(code.startswith(scope) for code in scopes))


def list_page(session: Session, scopes: Sequence[str], asked: Mapping[str, str], limit: int) -> dict[str, Any]:
    """`{items, next}`; raises `invalid_request` for an unknown filter, sort or cursor."""
    unknown = sorted(set(asked) - {*EQUALS, "scope", "updated_since", "sort", "limit", "cursor"})
    if unknown:
        raise Problem("unknown_field", f"unknown filter {unknown[0]!r}", errors={name: ["unknown"] for name in unknown})
    query = select(table_of(Record)).where(view_of(session, scopes).condition(), Record.deleted.is_(False))
    if "type" in asked:
        record_type(asked["type"])
    for name in EQUALS:
        if name in asked:
            query = query.where(getattr(Record, name) == asked[name])
    if "scope" in asked:
        query = query.where(Record.scope.startswith(asked["scope"], autoescape=True))
    if "updated_since" in asked:
        query = query.where(Record.updated_at >= _time(asked["updated_since"]))
    sort = asked.get("sort", "-updated_at")
    name, descending = sort.lstrip("-"), sort.startswith("-")
    if name not in SORTS:
        raise Problem("invalid_request", f"sort is one of {', '.join(SORTS)}", errors={"sort": ["unknown"]})
    column = getattr(Record, name)
    if "cursor" in asked:
        query = query.where(_after(column, descending, asked["cursor"], sort))
    order = (column.desc().nulls_last() if descending else column.asc().nulls_last(), Record.id)
    rows = session.execute(query.order_by(*order).limit(limit + 1)).mappings().all()
    page = rows[:limit]
    following = _cursor(sort, page[-1][name], page[-1]["id"]) if len(rows) > limit else None
    return {"items": [kept_from(row).to_wire() for row in page], "next": following}


def _after(column: Any, descending: bool, cursor: str, sort: str) -> ColumnElement[bool]:
    """SQL for "behind the last row of the page before", nulls last."""
    try:
        its_sort, value, record_id = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if its_sort != sort or not isinstance(record_id, str) or not isinstance(value, (str, int, type(None))):
            raise ValueError
    except (ValueError, TypeError, binascii.Error):
        raise Problem("cursor_invalid", "the cursor belongs to another list") from None
    if value is None:
        return and_(column.is_(None), Record.id > record_id)
    beyond = column < value if descending else column > value
    return or_(beyond, column.is_(None), and_(column == value, Record.id > record_id))


def _cursor(sort: str, value: Any, record_id: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([sort, value, record_id])).decode().rstrip("=")


def _time(text: str) -> str:
    try:
        return stamp(parse_time(text.replace(" ", "+")))
    except ValueError as error:
        raise Problem("invalid_request", f"updated_since: {error}", errors={"updated_since": [str(error)]}) from None
