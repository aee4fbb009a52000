"""Housekeeping of the log: what no promise needs any more goes, behind the gate and a little at a time.

Serves `server/compaction.py`. Departures before a time go and raise `clock.floor_seq`: an older cursor gets
`cursor_expired`, its device pulls from the beginning and keeps its outbox. Checkpoints are thinned to the last of each
day and those that something names. Nothing else of the log ever goes: tombstones keep their documents so that deletions
do not resurrect, receipts keep their outcomes so that a replay is answered the same for ever, history and journal are
the proof. No number is given out again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice, pairwise
from typing import Any

from sqlalchemy import Select, Text, delete, func, select, tuple_, type_coerce, update
from sqlalchemy.orm import Session

from schemas.values import parse_time, stamp
from sync.audit import stream
from sync.journal import first_checkpoint_after
from sync.models import Checkpoint, Clock, Departure, Device, Held, History, Quarantined, Record
from sync.records import Door

CHUNK = 1000
MOST_AT_ONCE = 200_000
DAY = len("2026-11-22")
# A capture's beacon in a document of any spelling, also in one that stands as text inside another.
BEACON = re.compile(r'"?beacon\W{1,16}?([0-9a-f]{64})')


def droppable_floor(session: Session, before: datetime) -> int:
    """The number of the newest departure that is older than `before`, 0 for none: the floor may rise so far."""
    last = session.execute(select(func.max(History.seq)).where(History.at < stamp(before))).scalar() or 0
    return session.execute(select(func.max(Departure.seq)).where(Departure.seq <= last)).scalar() or 0


def raise_floor(door: Door, floor: int) -> None:
    """Let cursors before the floor expire; to be committed before anything below it goes."""
    door.session.execute(update(Clock).where(Clock.id == 1, Clock.floor_seq < floor).values(floor_seq=floor))


def drop_departures(door: Door) -> int:
    """Remove some departures at or below the floor; gives how many, 0 when none is left."""
    floor = select(Clock.floor_seq).where(Clock.id == 1).scalar_subquery()
    key = (Departure.record_id, Departure.from_scope)
    gone = door.session.execute(select(*key).where(Departure.seq <= floor).limit(CHUNK)).all()
    if gone:
        door.session.execute(delete(Departure).where(tuple_(*key).in_([tuple(row) for row in gone])))
    return len(gone)


def droppable_checkpoints(session: Session, before: datetime, frozen: list[int], named: set[str]) -> list[int]:
    """The sizes of the checkpoints that nothing needs, oldest first, at most 200,000 of them.

    Kept are the newest, the last of each day, those from `before` on, those whose root is `named` or that a capture
    names as its beacon, and the first after each `frozen` index. Also kept is what an undelivered capture may name: all
    since the earliest time that some device was last heard of, or heard of before it made what is unsent; and the
    newest before, which it was told then.
    """
    limit = min(stamp(before), _earliest_unheard(session))
    if session.execute(select(Checkpoint.size).where(Checkpoint.at < limit).limit(1)).first() is None:
        return []
    kept = named | set(_beacons(session))
    kept |= {checkpoint.root for index in frozen if (checkpoint := first_checkpoint_after(session, index))}
    found = stream(session, select(Checkpoint.size, Checkpoint.root, Checkpoint.at).order_by(Checkpoint.size))
    needless = (one.size for one, following in pairwise(found)
                if following.at < limit and one.at[:DAY] == following.at[:DAY] and one.root not in kept)
    return list(islice(needless, MOST_AT_ONCE))


def drop_checkpoints(door: Door, sizes: list[int]) -> None:
    """Remove the checkpoints of these sizes."""
    door.session.execute(delete(Checkpoint).where(Checkpoint.size.in_(sizes)))


def _earliest_unheard(session: Session) -> str:
    """The time since which some device may hold captures that have not come; who has unsent work on a revoked one
    enrols anew with it."""
    times: list[str] = []
    for device in session.execute(select(Device.enrolled_at, Device.last_seen_at, Device.reported, Device.state)):
        reported = device.reported or {}
        if device.state == "active":
            times.append(device.last_seen_at or device.enrolled_at)
        if oldest := reported.get("oldest_unsent_at"):
            times.append(stamp(parse_time(oldest)))
        if "heard_at" in reported:
            times.append(reported["heard_at"] or device.enrolled_at)
    return min(times, default="9")


def _beacons(session: Session) -> Iterator[str]:
    """Every root that a capture names: in evidence, in what waits, in what was quarantined."""
    documents: list[Select[Any]] = [
        select(Record.fields).where(Record.type == "evidence"), select(type_coerce(Held.mutations, Text)),
        select(type_coerce(Quarantined.mutation, Text))]
    for query in documents:
        for (text,) in stream(session, query):
            yield from BEACON.findall(text)
