"""Housekeeping of an installation: `menqian compact`, and once a day where the settings say so.

Each step is a short transaction of its own, so that devices go on being served; a killed run is simply run again.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select

from schemas.values import stamp
from server.db import db, reading, writing
from server.models import Claim, Login, SpotCheck
from sync import compaction
from sync.audit import batches


def compact(before: datetime) -> dict[str, int]:
    """Remove what is older than `before` and no promise needs; gives counts, and where the log begins now."""
    with reading():
        session = db.session()
        floor = compaction.droppable_floor(session, before)
        frozen = session.execute(select(SpotCheck.frozen_index).where(SpotCheck.beacon.is_(None))).scalars()
        named = session.execute(select(SpotCheck.beacon).where(SpotCheck.beacon.is_not(None))).scalars()
        checkpoints = compaction.droppable_checkpoints(session, before, list(frozen), {root for root in named if root})
    gone = {"departures": _drop_departures(floor) if floor else 0, "checkpoints": len(checkpoints)}
    for sizes in batches(checkpoints, compaction.CHUNK):
        with writing() as door:
            compaction.drop_checkpoints(door, sizes)
    gone |= _drop_expired(before)
    if any(gone.values()):
        with writing() as door:
            door.record_entry("compacted", "console", None, {"before": stamp(before), "floor_seq": floor, **gone})
    return {**gone, "floor_seq": floor}


def _drop_departures(floor: int) -> int:
    with writing() as door:
        compaction.raise_floor(door, floor)
    count = 0
    while True:
        with writing() as door:
            dropped = compaction.drop_departures(door)
        if not dropped:
            return count
        count += dropped


def _drop_expired(before: datetime) -> dict[str, int]:
    """Log-ins and leases that ended before then. Invitations stay: their codes are told apart from unknown ones."""
    gone = {}
    with writing() as door:
        for name, ended in (("logins", Login.expires_at), ("claims", Claim.until)):
            found = door.session.connection().execute(delete(ended.class_).where(ended < stamp(before)))
            gone[name] = found.rowcount
    return gone
