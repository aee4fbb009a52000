"""A photo whose last byte came: into the store, onto its records. Serves the uploads API and the tick.

The store is written outside the gate, which only the rows and records need.
"""

from __future__ import annotations

from media import uploads
from media.models import Upload
from schemas.problems import Problem
from server.db import writing
from server.house import house


def complete(upload: Upload) -> None:
    """Bring a whole upload to its end; the caller holds it, and asks for the photo's check afterwards.

    Raises what `uploads.keep` raises: a Problem when the bytes are refused, and then they are no longer here;
    StoreUnavailable when the store is down, and then they wait in the spool.
    """
    state = house()
    spool = state.settings.spool
    try:
        kept = uploads.keep(state.store, spool, upload, heif=state.settings.heif)
    except Problem as problem:
        with writing() as door:
            uploads.refuse(door, upload, problem.code)
        (spool / upload.id).unlink()
        raise
    with writing() as door:
        uploads.finish(door, upload, kept)
    (spool / upload.id).unlink()


def complete_waiting(upload: Upload) -> bool:
    """Complete an upload whose bytes have waited in the spool; False when there is nothing to check for it."""
    try:
        with uploads.held(house().settings.spool, upload) as file:
            if uploads.offset_of(file) != upload.length:
                return False
            complete(upload)
    except Problem:  # written by a request just now, or refused: its evidence says so
        return False
    return True
