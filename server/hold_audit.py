"""The audit of holds: does the store hold the photos of the cases that are open?

Serves `bin/menqian verify`; writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from media.models import HoldWalk
from media.stores import Store, StoreUnavailable
from server.cases import CHECKED, EVIDENCE, belongings, open_cases
from server.keeping.orders import held
from sync.audit import Audit, batches, stream
from sync.models import Record


def check_holds(audit: Audit, session: Session, store: Store) -> None:
    """Every checked photo of an open case that the walk has passed is on hold, in a store that is asked to hold.

    Goes no further when the store cannot tell.
    """
    if not store.holding:
        return
    walk = session.get(HoldWalk, store.place)
    if walk is None:
        audit.wrong("holds_behind", store.place, "the store was told of no photo yet: is the server running?")
        return
    if walk.trouble:
        audit.wrong("holds_behind", store.place, f"{walk.trouble} keeps photos from being held")
    try:
        for sha256 in _wanted(session, walk.seq):
            audit.checked["holds"] += 1
            if not store.on_hold(sha256):
                audit.wrong("hold_missing", sha256, "a case that is open, or held by order, names it, the store does "
                                                    "not hold it")
    except StoreUnavailable as error:
        audit.wrong("store_unavailable", store.place, str(error))


def _wanted(session: Session, seq: int) -> Iterator[str]:
    """The photos that the store was to hold when the walk stood here."""
    about = aliased(Record)
    rows = stream(session, select(Record.id, Record.sha256, Record.about_id).join(
        about, about.id == Record.about_id).where(
        *EVIDENCE, Record.media_state.in_(CHECKED), Record.seq <= seq, about.seq <= seq).order_by(Record.sha256))
    before, through = None, belongings(session)
    for batch in batches(rows):
        found = open_cases(session, {row.about_id for row in batch}, through)
        found |= held(session, {one for row in batch for one in (row.id, row.about_id)}, seq)
        for row in batch:
            if not found.isdisjoint((row.id, row.about_id)) and row.sha256 != before:
                before = row.sha256
                yield row.sha256
