"""Walks of the log: what changed in a view after a number, in the order of the numbers, joined by the database.

A batch is one row, however many changes it holds: the interpreter touches none of them, and the threads of a server
read side by side. Each arm of a walk follows one index, so that no more is read than is sent. Serves pulls, snapshots.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import orjson
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from sync.bulk import Among
from sync.changes import CHANGE, LENGTH, Joined, forget
from sync.kept import RECORD
from sync.models import Departure, table_of
from sync.scope import REACHING, View

FEW_SCOPES = 8
FIRST_BATCH, GROWTH = 100, 3
LARGE = 16_384
"""Bytes of a record from which on it is sent by itself: what is joined stays small, whatever the records are."""
END = 2**62
DEPARTURE = table_of(Departure)
SINCE: BindParameter[int] = bindparam("since")
ROOM: BindParameter[int] = bindparam("room")
BEFORE: BindParameter[int] = bindparam("before")
MOST: BindParameter[int] = bindparam("most")
ANY_LEFT = select(DEPARTURE.c.seq).where(
    or_(Among(DEPARTURE.c.from_scope, bindparam("full")), Among(DEPARTURE.c.from_scope, bindparam("above"))),
    DEPARTURE.c.seq > SINCE).limit(1)


class Batch(NamedTuple):
    """`changes` many changes, as JSON texts with something between them, and the number of the last; where one was too
    large to be joined, the number of the first such and none of the text."""

    changes: int
    last: int
    text: bytes
    large: int | None = None


class Shape(NamedTuple):
    """On what the SQL of a walk depends: how many arms seek in a scope of the view and how many in one above it, both 0
    where one arm walks through all; whether departures belong to it; whether only live records do."""

    full: int
    above: int
    left: bool
    live: bool


class Walk:
    """What changed in a view, and what left it; if `live`, only what is there and not deleted."""

    def __init__(self, session: Session, view: View, since: int, *, live: bool = False) -> None:
        self.session = session
        few = len(view.full) + len(view.above) <= FEW_SCOPES
        self.known = {"full": orjson.dumps(view.full).decode(), "above": orjson.dumps(view.above).decode()}
        if few:
            self.known |= {f"{kind}_{n}": scope for kind, scopes in (("full", view.full), ("above", view.above))
                           for n, scope in enumerate(scopes)}
        self.shape = Shape(len(view.full) if few else 0, len(view.above) if few else 0,
                           not live and self._first(ANY_LEFT, since) is not None, live)

    def batches(self, since: int, room: int, size: int, between: bytes = b",") -> Iterator[Batch]:
        """The changes after the number `since`: at most `room`, and at most `size` bytes or the one change that has
        more, or that begins below and ends above."""
        asked = FIRST_BATCH
        while room > 0 and size > 0:
            got = self._batch(since, asked := min(asked, room), between)
            ended = got.changes < asked
            if got.large is not None:  # what comes before it; where nothing does, it alone
                before = self._batch(since, asked, between, before=got.large)
                got, asked, ended = before if before.changes else self._batch(since, 1, between, most=END), 1, False
            if got.changes > 1 and len(got.text) > size:
                asked = max(1, min(got.changes // 2, got.changes * size // len(got.text)))
                continue
            if got.changes:
                yield got
            if ended:
                return
            since, room, size = got.last, room - got.changes, size - len(got.text)
            asked = min(asked * GROWTH, got.changes * size // len(got.text) + 1)

    def goes_on(self, since: int) -> bool:
        """Is there anything after the number `since`?"""
        return self._first(_next(self.shape), since) is not None

    def _first(self, query: Select[Any], since: int) -> Any:
        return self.session.connection().execute(
            query, {**self.known, "since": since, "room": 1, "before": END, "most": LARGE}).first()

    def _batch(self, since: int, room: int, between: bytes, *, before: int = END, most: int = LARGE) -> Batch:
        changes, last, text, large = self.session.connection().execute(_joined(self.shape), {
            **self.known, "since": since, "room": room, "before": before, "most": most,
            "between": between.decode()}).one()
        return Batch(changes, last or since, text.encode() if isinstance(text, str) else text or b"", large)


@cache
def _joined(shape: Shape) -> Select[Any]:
    found = _walk(shape).subquery()
    return select(func.count(), func.max(found.c.seq), Joined(found.c.change, found.c.seq, bindparam("between")),
                  func.min(case((found.c.length > MOST, found.c.seq))))


@cache
def _next(shape: Shape) -> Select[Any]:
    return select(_walk(shape).subquery().c.seq)


def _walk(shape: Shape) -> Any:
    """(seq, change, length) of at most `room` changes after `since`, in order. Both engines merge ordered walks of the
    arms, and stop them where the room ends, as long as no arm is a subquery."""
    first, *others = _arms(shape)
    query: Any = union_all(first, *others) if others else first
    return query.order_by(query.selected_columns.seq).limit(ROOM)


def _arms(shape: Shape) -> list[Select[Any]]:
    """A walk for each of few scopes, or one by number, in which the scope must not look seekable to the planner."""
    change = case((LENGTH <= MOST, CHANGE)).label("change")
    changed = select(RECORD.c.seq, change, LENGTH.label("length")).where(RECORD.c.seq > SINCE, RECORD.c.seq < BEFORE)
    if shape.live:
        changed = changed.where(RECORD.c.deleted.is_(False))
    found = [changed.where(RECORD.c.scope == bindparam(f"full_{n}")) for n in range(shape.full)]
    found += [changed.where(RECORD.c.scope == bindparam(f"above_{n}"), RECORD.c.type.in_(REACHING))
              for n in range(shape.above)]
    found = found or [changed.where(_in_view(RECORD.c.type, func.coalesce(RECORD.c.scope, "")))]
    return [*found, _left()] if shape.left else found


def _left() -> Select[Any]:
    """Records that left the view, each once; one that came back is told as a change, not as a departure."""
    later = aliased(Departure)
    again = exists().where(later.record_id == DEPARTURE.c.record_id, later.seq > DEPARTURE.c.seq,
                           _in_view(later.type, later.from_scope))
    return select(DEPARTURE.c.seq, forget(DEPARTURE.c.type, DEPARTURE.c.record_id), literal_column("0")) \
        .join(RECORD, RECORD.c.id == DEPARTURE.c.record_id) \
        .where(DEPARTURE.c.seq > SINCE, DEPARTURE.c.seq < BEFORE, _in_view(DEPARTURE.c.type, DEPARTURE.c.from_scope),
               not_(_in_view(RECORD.c.type, RECORD.c.scope)), not_(again))


def _in_view(record_type: Any, scope: Any) -> ColumnElement[bool]:
    return or_(Among(scope, bindparam("full")), and_(Among(scope, bindparam("above")), record_type.in_(REACHING)))
