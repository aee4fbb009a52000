"""Lists of records by their promoted fields, in stable pages, and the one rule of who may see a record."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ColumnElement, and_, false, or_, select, tuple_
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.records import record_type
from schemas.values import is_uuid, parse_time, stamp
from server.trade.statuses import must_be_scope, must_be_statuses
from sync.kept import Kept, kept_from
from sync.models import Quarantined, Record, table_of
from sync.scope import REACHING, view_of
from sync.writers import covers

SORTS = ("type", "scope", "version", "status", "class_code", "zone_id", "inspector_id", "observed_at", "due_at",
         "created_at", "updated_at", "seq")
NUMBERS = ("version", "seq")
EQUALS = ("type", "status", "class_code", "zone_id", "inspector_id", "about_id")


def visible_record(session: Session, scopes: Sequence[str], record_name: str, record_id: str) -> Kept:
    """The record, for one whose scopes cover it; raises `type_unknown`, `not_found`."""
    record_type(record_name)
    row = session.execute(select(table_of(Record)).where(Record.id == record_id)).mappings().first() \
        if is_uuid(record_id) else None
    if row is None or row["type"] != record_name or not sees(scopes, row["type"], row["scope"]):
        raise Problem("not_found", "没有此记录,或无权知晓 no such record, or no right to know of it",
                      hidden=row is not None and row["type"] == record_name)
    return kept_from(row)


def sees(scopes: Sequence[str], record_name: str, scope: str) -> bool:
    """May somebody with these scopes see a record of that type and scope?"""
    return covers(scopes, scope) or (record_name in REACHING and any(code.startswith(scope) for code in scopes))


def list_page(session: Session, scopes: Sequence[str], asked: Mapping[str, str], limit: int) -> dict[str, Any]:
    """`{items, next}`; raises `type_unknown`, `scope_unknown`, `status_unknown` for what a filter
    names, `invalid_request` for an unknown sort, `cursor_invalid`."""
    query = select(table_of(Record)).where(view_of(session, scopes).condition(), Record.deleted.is_(False))
    if "type" in asked:
        record_type(asked["type"])
    if "status" in asked:
        must_be_statuses([asked["status"]], asked.get("type"))
    for name in EQUALS:
        if name in asked:
            query = query.where(getattr(Record, name) == asked[name])
    if "scope" in asked:
        must_be_scope(asked["scope"])
        query = query.where(Record.scope.startswith(asked["scope"], autoescape=True))
    if "updated_since" in asked:
        query = query.where(Record.updated_at >= _time(asked["updated_since"]))
    sort = asked.get("sort", "-seq")  # the newest change first: the one order that never sorts a million rows
    name, descending = sort.removeprefix("-"), sort.startswith("-")
    if name not in SORTS:
        raise Problem("invalid_request", f"sort is one of {', '.join(SORTS)}", errors={"sort": ["unknown"]})
    column = getattr(Record, name)
    if "cursor" in asked:
        query = query.where(_after(column, descending, asked["cursor"], sort))
    rows = session.execute(query.order_by(*_order(column, descending)).limit(limit + 1)).mappings().all()
    page = rows[:limit]
    following = _cursor(sort, page[-1][name], page[-1]["id"]) if len(rows) > limit else None
    return {"items": [kept_from(row).to_wire() for row in page], "next": following}


def _order(column: Any, descending: bool) -> list[Any]:
    """Nulls last and, among equals, by id; numbers of the log are there and different, which an index need not hear."""
    if column is Record.seq:
        return [column.desc() if descending else column]
    return [column.desc().nulls_last() if descending else column.asc().nulls_last(), Record.id]


def _after(column: Any, descending: bool, cursor: str, sort: str) -> ColumnElement[bool]:
    """SQL for "behind the last row of the page before", nulls last."""
    kind = int if sort.removeprefix("-") in NUMBERS else str
    value, record_id = _opened(sort, cursor, kind | None, str)
    if value is None:
        return and_(column.is_(None), Record.id > record_id)
    beyond: ColumnElement[bool] = column < value if descending else column > value
    if column is Record.seq:
        return beyond
    return or_(beyond, column.is_(None), and_(column == value, Record.id > record_id))


def quarantine_page(session: Session, scopes: Sequence[str], device_id: str | None, limit: int, cursor: str | None,
                    state: str = "open", *, homeless: bool = False) -> tuple[list[Quarantined], str | None]:
    """Entries of a device, or those that the scopes cover, oldest first, and the cursor of the next page; with
    `homeless` also those that lie in no division."""
    query = select(Quarantined).where(Quarantined.state == state)
    if device_id is not None:
        query = query.where(Quarantined.device_id == device_id)
    else:
        query = query.where(or_(Quarantined.scope.is_(None) if homeless else false(),
                                *(Quarantined.scope.startswith(code, autoescape=True) for code in scopes)))
    place = tuple_(Quarantined.received_at, Quarantined.n, Quarantined.id)
    if cursor is not None:
        query = query.where(place > tuple_(*_opened("quarantine", cursor, str, int, str)))
    rows = list(session.execute(query.order_by(*place).limit(limit + 1)).scalars())
    page = rows[:limit]
    following = _cursor("quarantine", page[-1].received_at, page[-1].n, page[-1].id) if len(rows) > limit else None
    return page, following


def _cursor(of: str, *place: Any) -> str:
    """The place of the last row in the list that is sorted so, as an opaque text."""
    return base64.urlsafe_b64encode(orjson.dumps([of, *place])).decode().rstrip("=")


def _opened(of: str, cursor: str, *kinds: Any) -> list[Any]:
    """The place that a cursor of this list names; raises `cursor_invalid`."""
    try:
        its_list, *place = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error):
        raise Problem("cursor_invalid", "the cursor belongs to another list") from None
    sound = its_list == of and len(place) == len(kinds) and all(map(isinstance, place, kinds)) \
        and not any(isinstance(part, bool) for part in place)
    if not sound or any("\0" in part if isinstance(part, str) else (part or 0) >= 2**63 for part in place):
        raise Problem("cursor_invalid", "the cursor belongs to another list")
    return place


def _time(text: str) -> str:
    try:
        return stamp(parse_time(text.replace(" ", "+")))
    except ValueError as error:
        raise Problem("invalid_request", f"updated_since: {error}", errors={"updated_since": [str(error)]}) from None
