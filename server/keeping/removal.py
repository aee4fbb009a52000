"""The work of approved disposals: the bytes of photos leave the store, one after the other. Serves the tick.

A row says `removing` from before the store is told until after it has done so, and for how long nobody else takes it
up; a killed round is made again after that. What may not go yet waits, and tells why.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from media.disposal import REMOVED, REMOVING, files_of, note_removed
from media.models import Photo, PhotoDisposal, PhotoHold
from media.stores import Retained, Store, StoreUnavailable
from schemas.values import stamp
from server.db import db, reading, writing
from server.keeping.disposals import DONE, KEPT, WAITING, needed
from server.keeping.models import Disposal
from sync.records import Door
from sync.writers import SERVER

log = structlog.get_logger()
LEASE, AGAIN = timedelta(minutes=10), timedelta(hours=1)
AT_ONCE = 20


def remove_due(store: Store, at: datetime, *, within_s: float = 2.0) -> Counter[str]:
    """Remove what may go now, until the time is over; gives how many photos became what."""
    became: Counter[str] = Counter()
    ends_at = time.monotonic() + within_s
    with reading():
        due = _due(db.session(), stamp(at))
    for disposal_id, sha256 in due:
        became[_remove(store, disposal_id, sha256)] += 1
        if time.monotonic() > ends_at:
            break
    if due:
        with writing() as door:
            _end(door)
    return became


def _due(session: Session, at: str) -> list[tuple[str, str]]:
    rows = session.execute(select(PhotoDisposal.disposal_id, PhotoDisposal.sha256).where(
        PhotoDisposal.state.in_((WAITING, REMOVING)),
        or_(PhotoDisposal.retry_at.is_(None), PhotoDisposal.retry_at <= at))
        .order_by(PhotoDisposal.disposal_id, PhotoDisposal.sha256).limit(AT_ONCE))
    return [(row.disposal_id, row.sha256) for row in rows]


def _remove(store: Store, disposal_id: str, sha256: str) -> str:
    """What became of the photo: a state, or `passed` where another process has it."""
    with writing() as door:
        files = _claim(door, store, disposal_id, sha256)
        state = door.session.get_one(PhotoDisposal, (disposal_id, sha256)).state
    if files is None:
        return state if state != REMOVING else "passed"
    trouble: StoreUnavailable | None = None
    try:
        for digest in files:
            store.remove(digest)
    except StoreUnavailable as error:
        trouble = error
        log.warning("disposal_waits", sha256=sha256, error=str(error))
    with writing() as door:
        row = _row(door, disposal_id, sha256)
        if trouble is not None:
            until = trouble.until if isinstance(trouble, Retained) else None
            row.state, row.trouble = WAITING, type(trouble).__name__
            row.retry_at = stamp(max(until, door.now) if until else door.now + AGAIN)
        elif row.state == REMOVING:
            approved = door.session.get_one(Disposal, disposal_id)
            note_removed(door, row, approved.decided_by or SERVER.id, files)
        return row.state


def _claim(door: Door, store: Store, disposal_id: str, sha256: str) -> list[str] | None:
    """Take the photo up, and give the digests of its files; None where it is kept, waits, or is somebody else's."""
    row = _row(door, disposal_id, sha256)
    if row.state not in (WAITING, REMOVING) or (row.retry_at or "") > door.at:
        return None
    gone = row.state == WAITING and door.session.get(Photo, sha256, populate_existing=True) is None
    if gone or (row.state == WAITING and needed(door, sha256)):
        row.state, row.trouble, row.retry_at = KEPT, "gone" if gone else "needed", None
        return None
    if door.session.get(PhotoHold, (sha256, store.place), populate_existing=True) is not None:
        row.trouble, row.retry_at = "on_hold", stamp(door.now + timedelta(minutes=1))
        return None
    row.state, row.retry_at = REMOVING, stamp(door.now + LEASE)
    return files_of(door.session, sha256)


def _row(door: Door, disposal_id: str, sha256: str) -> PhotoDisposal:
    return door.session.get_one(PhotoDisposal, (disposal_id, sha256), populate_existing=True)


def _end(door: Door) -> None:
    """Approved disposals of which no photo waits are done."""
    waits = select(PhotoDisposal.sha256).where(PhotoDisposal.disposal_id == Disposal.id,
                                               PhotoDisposal.state.in_((WAITING, REMOVING)))
    for made in door.session.execute(select(Disposal).where(Disposal.state == "approved", ~waits.exists())).scalars():
        states = door.session.execute(select(PhotoDisposal.state).where(PhotoDisposal.disposal_id == made.id)).scalars()
        counted = Counter(states)
        made.state, made.ended_at = "done", door.at
        door.record_entry(DONE, SERVER.id, made.id, {"removed": counted[REMOVED], "kept": counted[KEPT]})
