"""A snapshot: all live records of a view in one compressed file, which every reader of that view may share.

Serves a first synchronisation: the file is written once, from one database snapshot, and each reader gets a cursor of
its own that continues where the file ends, so that the tail comes by ordinary pulls. The file is gzip; inflated it is
one JSON text a line: a head, each record as a change of a pull, and the number of changes.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import orjson
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from sync.conflicts import resolved_between
from sync.cursors import Cursor
from sync.models import Clock, Device, Record, table_of
from sync.pull import PAGE_SIZE, Reader, settled_between
from sync.scope import View, view_of
from sync.walks import Batch, Walk

CLOCK, DEVICES = table_of(Clock), table_of(Device)
NOW = select(CLOCK.c.epoch, CLOCK.c.floor_seq, CLOCK.c.seq).where(CLOCK.c.id == 1)
LAST_N = select(DEVICES.c.last_n).where(DEVICES.c.id == bindparam("device_id"))
FORMAT = 1
PAGE = 1_000
LEVEL = 6


@dataclass(frozen=True, slots=True)
class Written:
    """What a file holds: `changes` records in view of `codes`, as of the number `seq` in this epoch."""

    epoch: str
    seq: int
    codes: tuple[str, ...]
    changes: int


@dataclass(frozen=True, slots=True)
class Log:
    """The server's log now: a file of another epoch, or from where the log has no changes, is of no use."""

    epoch: str
    floor: int
    seq: int

    def goes_on_from(self, written: Written) -> bool:
        """Can a pull continue where the file ends?"""
        return written.epoch == self.epoch and self.floor <= written.seq <= self.seq


def log_of(session: Session) -> Log:
    """The log as this session sees it."""
    return Log(*session.connection().execute(NOW).one())


def write_snapshot(session: Session, codes: Sequence[str], out: BinaryIO) -> Written:
    """Write the live records of this view, a page at a time, so that memory does not grow with their number.

    The session must read from one snapshot (`gate.open_snapshot`). The same records give the same bytes.
    """
    log = log_of(session)
    codes = tuple(sorted(set(codes)))
    changes = 0
    with gzip.GzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=out, mtime=0) as lines:
        lines.write(_line({"snapshot": FORMAT, "epoch": log.epoch, "codes": codes}))
        for page in _pages(session, view_of(session, codes)):
            lines.write(page.text + b"\n")
            changes += page.changes
        lines.write(_line({"changes": changes}))
    return Written(log.epoch, log.seq, codes, changes)


def is_worth_it(session: Session, codes: Sequence[str], least: int) -> bool:
    """Does this view hold at least so many live records?"""
    view = view_of(session, codes)
    return session.execute(select(Record.id).where(view.condition(), Record.deleted.is_(False))
                           .offset(max(0, least - 1)).limit(1)).scalar() is not None


def is_behind(session: Session, written: Written, most: int) -> bool:
    """Have more than `most` records of the view changed since? Looks at no more than that."""
    view = view_of(session, written.codes, written.seq)
    changed = select(Record.id).where(Record.seq > written.seq, view.condition()).limit(most + 1).subquery()
    return session.execute(select(func.count()).select_from(changed)).scalar_one() > most


def continuation(session: Session, reader: Reader, written: Written, secret: bytes) -> dict[str, Any]:
    """What this reader needs beside the file: the cursor of the tail, and what was settled and resolved before it."""
    cursor = Cursor(written.epoch, reader.id, written.seq, written.codes)
    last_n = session.connection().execute(LAST_N, {"device_id": reader.id}).scalar_one()
    return {"changes": written.changes, "cursor": cursor.text(secret), "epoch": written.epoch, "last_n": last_n,
            "settled": settled_between(session, reader.id, 0, written.seq),
            "resolved": resolved_between(session, reader.id, reader.user_id, 0, written.seq)}


def _pages(session: Session, view: View) -> Iterator[Batch]:
    """The live records by scope and, within it, in commit order: walks of an index, nothing is sorted."""
    for one in view.parts():
        walk, since, count = Walk(session, one, -1, live=True), -1, 1
        while count:
            count = 0
            for batch in walk.batches(since, PAGE, PAGE_SIZE, b"\n"):
                yield batch
                since, count = batch.last, batch.changes


def _line(document: object) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
