"""A pull: the newest state of what changed after the cursor in the reader's scopes (protocol section 3).

A page ends at its limit, or before, when its documents have PAGE_SIZE characters: then `more` is true. All is read from
one snapshot, and no more of it than the page holds. The cursor moves to the last number that was sent or, when nothing
is left, to the snapshot's own number; since numbers become visible in order, nothing at or before it can appear later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Row, Select, bindparam, not_, select
from sqlalchemy.orm import Session

from sync.bulk import Among
from sync.changes import CHANGE, FORGET
from sync.conflicts import resolved_between
from sync.cursors import Cursor, read_cursor
from sync.kept import RECORD
from sync.models import Clock, Departure, Device, Receipt, Record, table_of
from sync.scope import REACHING, View, view_of

FEW_SCOPES = 8
PAGE_SIZE = 4 * 2**20
BUFFERED = 250
SENT = (RECORD.c.seq, CHANGE)
TOLD = (RECORD.c.seq, RECORD.c.id, RECORD.c.type, RECORD.c.scope)
CLOCK = table_of(Clock)
CLOCK_NOW = select(CLOCK.c.seq, CLOCK.c.epoch, CLOCK.c.floor_seq).where(CLOCK.c.id == 1)
LAST_N = select(table_of(Device).c.last_n).where(table_of(Device).c.id == bindparam("device_id"))
IN_SCOPE = select(*SENT).where(RECORD.c.seq > bindparam("since"), RECORD.c.scope == bindparam("scope")) \
    .order_by(RECORD.c.seq).limit(bindparam("room"))
ABOVE = IN_SCOPE.where(RECORD.c.type.in_(REACHING))
WANTED = select(RECORD.c.sha256).where(
    RECORD.c.device_id == bindparam("device_id"),
    RECORD.c.media_state.in_(("expected", "partial"))).order_by(RECORD.c.seq)
RECEIPTS, DEPARTURES = table_of(Receipt), table_of(Departure)
SETTLED = select(RECEIPTS.c.n, RECEIPTS.c.id, RECEIPTS.c.outcome, RECEIPTS.c.settled).where(
    RECEIPTS.c.device_id == bindparam("device_id"), RECEIPTS.c.settled_seq > bindparam("since"),
    RECEIPTS.c.settled_seq <= bindparam("until")).order_by(RECEIPTS.c.settled_seq)
ANY_LEFT = select(DEPARTURES.c.seq).where(
    Among(DEPARTURES.c.from_scope, bindparam("scopes")), DEPARTURES.c.seq > bindparam("since")).limit(1)
Sent = Row[*tuple[Any, ...]]
Change = dict[str, Any] | orjson.Fragment


@dataclass(frozen=True, slots=True)
class Reader:
    """The device that pulls, with its person and his scopes."""

    id: str
    scopes: tuple[str, ...]
    user_id: str = ""


def pull(session: Session, reader: Reader, cursor_text: str | None, limit: int, secret: bytes) -> dict[str, Any]:
    """One page of changes; values may be `orjson.Fragment`. Raises `cursor_invalid`, `log_forked`, `cursor_expired`.

    The session must read from one snapshot (`gate.open_snapshot`).
    """
    clock = session.connection().execute(CLOCK_NOW).one()
    cursor = Cursor(clock.epoch, reader.id, began=clock.seq) if cursor_text is None else \
        read_cursor(cursor_text, secret, reader.id, clock.epoch, clock.seq, clock.floor_seq)
    since = cursor.seq
    cursor.turn_to(reader.scopes)
    changes: list[Change] = []
    full = False
    while cursor.pending and len(changes) < limit and not full:
        part, full = _segment(session, cursor, view_of(session, reader.scopes), limit - len(changes))
        changes += part
    more = True
    if not cursor.pending and len(changes) < limit and not full:
        tail, more = _tail(session, cursor, clock.seq, limit - len(changes))
        changes += tail
    last_n = session.connection().execute(LAST_N, {"device_id": reader.id}).scalar_one()
    return {"changes": changes, "cursor": cursor.text(secret), "more": more, "epoch": clock.epoch, "last_n": last_n,
            "settled": settled_between(session, reader.id, since, cursor.seq) if cursor.seq > since else [],
            "resolved": resolved_between(session, reader.user_id, since, cursor.seq) if cursor.seq > since else [],
            "media_wanted": _media_wanted(session, reader.id)}


def _tail(session: Session, cursor: Cursor, now: int, room: int) -> tuple[list[Change], bool]:
    """Changes and departures after the cursor in order of their numbers, at most `room`; moves the cursor."""
    view = view_of(session, cursor.codes, cursor.seq)
    if not view.full and not view.above:  # what leaves a scope counts as its change: there is nothing to tell
        cursor.seq = now
        return [], False
    found: list[tuple[int, int, Change]] = []
    read_until = now
    for query in _walks(view, cursor.seq, room + 1):
        rows, full = read_rows(session, *query)
        read_until = min(read_until, rows[-1][0]) if full else read_until
        found += [(seq, len(change), orjson.Fragment(change)) for seq, change in rows]
    found += _departed(session, view, cursor.seq, room)
    found = sorted((one for one in found if one[0] <= read_until), key=itemgetter(0))
    length = min(room, _fitting(size for _, size, _ in found))
    more = len(found) > length or read_until < now
    cursor.seq = found[length - 1][0] if more else now
    return [change for _, _, change in found[:length]], more


def _walks(view: View, since: int, room: int) -> Iterator[tuple[Select[*tuple[Any, ...]], dict[str, Any]]]:
    """Queries with their parameters for what changed in the view, each a walk of one index: few scopes one by one."""
    if len(view.full) + len(view.above) <= FEW_SCOPES:
        for query, scopes in ((IN_SCOPE, view.full), (ABOVE, view.above)):
            yield from ((query, {"since": since, "scope": scope, "room": room}) for scope in scopes)
    else:
        yield select(*SENT).where(Record.seq > since, view.condition(seek_by_scope=False)) \
            .order_by(Record.seq).limit(room), {}


def _fitting(sizes: Iterable[int]) -> int:
    """How many of the documents make a full page: one at least, if there is one."""
    count = total = 0
    for size in sizes:
        count, total = count + 1, total + size
        if total >= PAGE_SIZE:
            break
    return count


def read_rows(session: Session, query: Select[*tuple[Any, ...]],
              parameters: Mapping[str, Any] = MappingProxyType({})) -> tuple[list[Sent], bool]:
    """The rows of a query whose last column is the change, so many as fill a page; was it filled, so that there may
    be more?"""
    rows: list[Sent] = []
    size = 0
    with session.connection().execute(query.execution_options(yield_per=BUFFERED), parameters) as result:
        for part in result.partitions():
            for row in part:
                rows.append(row)
                size += len(row[-1])
                if size >= PAGE_SIZE:
                    return rows, True
    return rows, False


def _departed(session: Session, view: View, since: int, room: int) -> list[tuple[int, int, dict[str, Any]]]:
    """Records that left the view; one that came back is told as a change, not as a departure."""
    scopes = orjson.dumps([*view.full, *view.above]).decode()
    if session.connection().execute(ANY_LEFT, {"scopes": scopes, "since": since}).first() is None:
        return []
    rows = session.execute(
        select(Departure.seq, Departure.record_id, Departure.type)
        .join(Record, Record.id == Departure.record_id)
        .where(view.saw(Departure.type, Departure.from_scope), Departure.seq > since, not_(view.condition()))
        .order_by(Departure.seq).limit(room + 1)).all()
    return [(row.seq, 0, {"type": row.type, "id": row.record_id, "op": "forget"}) for row in rows]


def _segment(session: Session, cursor: Cursor, view: View, room: int) -> tuple[list[Change], bool]:
    """The next part of a change of scopes, and whether it fills a page; moves or removes the cursor's first pending
    segment."""
    kind, codes, position = cursor.pending[0]
    part = view_of(session, codes)
    if kind == "left":
        return _left(session, cursor, part, view, room), False
    if kind == "forget":
        query = select(*TOLD, FORGET).where(Record.created_seq <= cursor.seq, Record.id > position).order_by(Record.id)
    else:
        query = select(*TOLD, RECORD.c.deleted, CHANGE).where(Record.seq <= cursor.seq, Record.seq > position) \
            .order_by(Record.seq)
    rows, full = read_rows(session, query.where(part.condition()).limit(room))
    if len(rows) < room and not full:
        cursor.pending.pop(0)
    else:
        cursor.pending[0][2] = rows[-1].id if kind == "forget" else rows[-1].seq
    visible = [row for row in rows if view.shows(row.type, row.scope) != (kind == "forget")]
    return [orjson.Fragment(row.change) for row in visible if kind == "forget" or not row.deleted], full


def _left(session: Session, cursor: Cursor, part: View, view: View, room: int) -> list[Change]:
    """What had left the withdrawn scopes since the cursor, so that it no longer stands in them to be forgotten."""
    rows = session.execute(
        select(Departure.seq, Departure.record_id, Departure.type, Record.scope)
        .join(Record, Record.id == Departure.record_id)
        .where(part.saw(Departure.type, Departure.from_scope), Departure.seq > cursor.pending[0][2])
        .order_by(Departure.seq).limit(room)).all()
    if len(rows) < room:
        cursor.pending.pop(0)
    else:
        cursor.pending[0][2] = rows[-1].seq
    return [{"type": row.type, "id": row.record_id, "op": "forget"} for row in rows
            if not view.shows(row.type, row.scope)]


def settled_between(session: Session, device_id: str, since: int, until: int) -> list[dict[str, Any]]:
    """What became of a device's held and quarantined mutations after `since`, up to `until`."""
    rows = session.connection().execute(SETTLED, {"device_id": device_id, "since": since, "until": until})
    return [{"n": row.n, "id": row.id, "record_id": row.outcome.get("record_id"), **row.settled} for row in rows]


def _media_wanted(session: Session, device_id: str) -> list[str]:
    rows = session.connection().execute(WANTED, {"device_id": device_id}).scalars()
    return [digest for digest in dict.fromkeys(rows) if digest]
