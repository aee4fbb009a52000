"""The work of approved disposals: the bytes of photos leave the store, one after the other. Serves the tick.

A row says `removing` from before the store is told until after it has done so, and for how long nobody else takes it
up; a killed round is made again after that. What may not go yet waits, and tells why. Before bytes go, approval (the
journal's), need and holds are asked, whatever the row says.
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
from server.keeping.disposals import DONE, KEPT, WAITING, approvals, needed
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
    stands, removed, trouble = None, 0, None
    try:
        stands = store.has(sha256)
        with writing() as door:
            files = _claim(door, store, disposal_id, sha256, stands)
            state = _row(door, disposal_id, sha256).state
        if files is None:
            return state if state != REMOVING else "passed"
        for digest in files:
            store.remove(digest)
            removed += 1
    except StoreUnavailable as error:
        trouble = error
        log.warning("disposal_waits", sha256=sha256, error=str(error))
    with writing() as door:
        row = _row(door, disposal_id, sha256)
        if trouble is not None:
            until = trouble.until if isinstance(trouble, Retained) else None
            row.state = WAITING if stands and not removed else row.state
            row.trouble = type(trouble).__name__
            row.retry_at = stamp(max(until, door.now) if until else door.now + AGAIN)
        elif row.state == REMOVING:
            note_removed(door, row, approvals(door.session, [disposal_id])[disposal_id].by, files)
        return row.state


def _claim(door: Door, store: Store, disposal_id: str, sha256: str, stands: bool) -> list[str] | None:
    """Take the photo up, and give the digests of its files; None where it is kept, waits, or is somebody else's."""
    row = _row(door, disposal_id, sha256)
    if row.state not in (WAITING, REMOVING) or (row.retry_at or "") > door.at:
        return None
    went = row.state == REMOVING and not stands  # in a round that was interrupted: it can only be told
    if why := _why_kept(door, row, went):
        log.warning("disposal_kept", sha256=sha256, disposal_id=disposal_id, why=why)
        row.state, row.trouble, row.retry_at = KEPT, why, None
        return None
    if not went and door.session.get(PhotoHold, (sha256, store.place), populate_existing=True) is not None:
        row.trouble, row.retry_at = "on_hold", stamp(door.now + timedelta(minutes=1))
        return None
    row.state, row.retry_at = REMOVING, stamp(door.now + LEASE)
    return files_of(door.session, sha256)


def _why_kept(door: Door, row: PhotoDisposal, went: bool) -> str | None:
    """Why the photo must not go, whatever its row says; None for one that may. Of one that went already nobody asks
    whether it is needed."""
    session = door.session
    made = session.get(Disposal, row.disposal_id, populate_existing=True)
    approval = approvals(session, [row.disposal_id]).get(row.disposal_id)
    if made is None or made.state != "approved" or approval is None or row.sha256 not in approval.photos:
        return "unapproved"
    if session.get(Photo, row.sha256, populate_existing=True) is None:
        return "gone"
    return "needed" if not went and needed(door, row.sha256) else None


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
