"""A pull: the newest state of what changed after the cursor in the reader's scopes (protocol section 3).

A page ends at its limit, or before, when its changes have PAGE_SIZE bytes: then `more` is true. All is read from
one snapshot, and no more of it than the page holds. The cursor moves to the last number that was sent or, when nothing
is left, to the snapshot's own number; since numbers become visible in order, nothing at or before it can appear later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import Session

from sync.changes import CHANGE, forget
from sync.conflicts import resolved_between
from sync.cursors import Cursor, read_cursor
from sync.kept import RECORD
from sync.models import Clock, Departure, Device, Receipt, Record, table_of
from sync.scope import View, view_of
from sync.walks import DEPARTURE, Walk

PAGE_SIZE = 4 * 2**20
BUFFERED = 250
TOLD = (RECORD.c.seq, RECORD.c.id, RECORD.c.type, RECORD.c.scope)
CLOCK = table_of(Clock)
LAST_N = select(table_of(Device).c.last_n).where(table_of(Device).c.id == bindparam("device_id")).scalar_subquery()
NOW = select(CLOCK.c.seq, CLOCK.c.epoch, CLOCK.c.floor_seq, LAST_N.label("last_n")).where(CLOCK.c.id == 1)
WANTED = select(RECORD.c.sha256).where(
    RECORD.c.device_id == bindparam("device_id"),
    RECORD.c.media_state.in_(("expected", "partial"))).order_by(RECORD.c.seq)
RECEIPTS = table_of(Receipt)
SETTLED = select(RECEIPTS.c.n, RECEIPTS.c.id, RECEIPTS.c.outcome, RECEIPTS.c.settled).where(
    RECEIPTS.c.device_id == bindparam("device_id"), RECEIPTS.c.settled_seq > bindparam("since"),
    RECEIPTS.c.settled_seq <= bindparam("until")).order_by(RECEIPTS.c.settled_seq)


@dataclass(frozen=True, slots=True)
class Reader:
    """The device that pulls, with its person and his scopes."""

    id: str
    scopes: tuple[str, ...]
    user_id: str = ""


def pull(session: Session, reader: Reader, cursor_text: str | None, limit: int, secret: bytes) -> dict[str, Any]:
    """One page; `changes` is an `orjson.Fragment`. Raises `cursor_invalid`, `log_forked`, `cursor_expired`.

    The session must read from one snapshot (`gate.open_snapshot`).
    """
    clock = session.connection().execute(NOW, {"device_id": reader.id}).one()
    cursor = Cursor(clock.epoch, reader.id, began=clock.seq) if cursor_text is None else \
        read_cursor(cursor_text, secret, reader.id, clock.epoch, clock.seq, clock.floor_seq)
    since = cursor.seq
    cursor.turn_to(reader.scopes)
    changes: list[bytes] = []
    full = False
    while cursor.pending and len(changes) < limit and not full:
        part, full = _segment(session, cursor, view_of(session, reader.scopes), limit - len(changes))
        changes += part
    more, size = True, PAGE_SIZE - sum(map(len, changes))
    if not cursor.pending and len(changes) < limit and not full and size > 0:
        tail, more = _tail(session, cursor, clock.seq, limit - len(changes), size)
        changes += tail
    return {"changes": orjson.Fragment(b"[%b]" % b",".join(changes)), "cursor": cursor.text(secret), "more": more,
            "epoch": clock.epoch, "last_n": clock.last_n,
            "settled": settled_between(session, reader.id, since, cursor.seq) if cursor.seq > since else [],
            "resolved": resolved_between(session, reader.id, reader.user_id, since, cursor.seq),
            "media_wanted": _media_wanted(session, reader.id)}


def _tail(session: Session, cursor: Cursor, now: int, room: int, size: int) -> tuple[list[bytes], bool]:
    """Changes and departures after the cursor in order of their numbers, at most `room` and about `size` bytes; moves
    the cursor."""
    if cursor.seq == now:
        return [], False
    view = view_of(session, cursor.codes, cursor.seq)
    if not view.full and not view.above:  # what leaves a scope counts as its change: there is nothing to tell
        cursor.seq = now
        return [], False
    walk = Walk(session, view, cursor.seq)
    found = list(walk.batches(cursor.seq, room, size))
    more = bool(found) and walk.goes_on(found[-1].last)
    cursor.seq = found[-1].last if more else now
    return [batch.text for batch in found], more


def _read(session: Session, query: Select[*tuple[Any, ...]]) -> tuple[list[Row[*tuple[Any, ...]]], bool]:
    """The rows of a query whose last column is the change, so many as fill a page; was it filled, so that there may
    be more?"""
    rows: list[Row[*tuple[Any, ...]]] = []
    size = 0
    with session.connection().execute(query.execution_options(yield_per=BUFFERED)) as result:
        for part in result.partitions():
            for row in part:
                rows.append(row)
                size += len(row[-1])
                if size >= PAGE_SIZE:
                    return rows, True
    return rows, False


def _segment(session: Session, cursor: Cursor, view: View, room: int) -> tuple[list[bytes], bool]:
    """The next part of a change of scopes, and whether it fills a page; moves or removes the cursor's first pending
    segment."""
    kind, codes, position = cursor.pending[0]
    part = view_of(session, codes)
    if kind == "left":
        return _left(session, cursor, part, view, room), False
    if kind == "forget":
        query = select(*TOLD, forget(RECORD.c.type, RECORD.c.id)) \
            .where(Record.created_seq <= cursor.seq, Record.id > position).order_by(Record.id)
    else:
        query = select(*TOLD, RECORD.c.deleted, CHANGE.label("change")) \
            .where(Record.seq <= cursor.seq, Record.seq > position).order_by(Record.seq)
    rows, full = _read(session, query.where(part.condition()).limit(room))
    if len(rows) < room and not full:
        cursor.pending.pop(0)
    else:
        cursor.pending[0][2] = rows[-1].id if kind == "forget" else rows[-1].seq
    visible = [row for row in rows if view.shows(row.type, row.scope) != (kind == "forget")]
    return [row.change.encode() for row in visible if kind == "forget" or not row.deleted], full


def _left(session: Session, cursor: Cursor, part: View, view: View, room: int) -> list[bytes]:
    """What had left the withdrawn scopes since the cursor, so that it no longer stands in them to be forgotten."""
    rows = session.execute(
        select(Departure.seq, Departure.type, Record.scope, forget(DEPARTURE.c.type, DEPARTURE.c.record_id))
        .join(Record, Record.id == Departure.record_id)
        .where(part.saw(Departure.type, Departure.from_scope), Departure.seq > cursor.pending[0][2])
        .order_by(Departure.seq).limit(room)).all()
    if len(rows) < room:
        cursor.pending.pop(0)
    else:
        cursor.pending[0][2] = rows[-1].seq
    return [row.change.encode() for row in rows if not view.shows(row.type, row.scope)]


def settled_between(session: Session, device_id: str, since: int, until: int) -> list[dict[str, Any]]:
    """What became of a device's held and quarantined mutations after `since`, up to `until`."""
    rows = session.connection().execute(SETTLED, {"device_id": device_id, "since": since, "until": until})
    return [{"n": row.n, "id": row.id, "record_id": row.outcome.get("record_id"), **row.settled} for row in rows]


def _media_wanted(session: Session, device_id: str) -> list[str]:
    rows = session.connection().execute(WANTED, {"device_id": device_id}).scalars()
    return [digest for digest in dict.fromkeys(rows) if digest]
