"""The journal's proof that a record's newest change stands in the log, to take away and check elsewhere."""

from __future__ import annotations

from flask import Response
from sqlalchemy import func, select

from schemas.problems import Problem
from server.auth import me
from server.db import db, reading, writing
from server.listing import visible_record
from server.pages.entrance import bp
from server.wire import answer
from sync import journal
from sync.models import JournalEntry


@bp.get("/records/<record_type>/<record_id>/proof.json")
def record_proof(record_type: str, record_id: str) -> Response:
    """Entry, audit path and signed checkpoint (RFC 6962, 2.1.1); docs/verify-the-journal.md says how to check it."""
    visible_record(db.session(), me().scopes, record_type, record_id)
    with writing(checkpoint=True):
        pass
    with reading():
        signed = journal.newest_checkpoint(db.session())
        index = db.session.execute(select(func.max(JournalEntry.index)).where(
            JournalEntry.about == record_id, JournalEntry.kind == "change")).scalar_one()
        if signed is None or index is None:
            raise Problem("not_found")
        found = {"entry": journal.entries(db.session(), index, 1)[0], "size": signed.size,
                 "hashes": journal.inclusion(db.session(), index, signed.size), "checkpoint": signed.note}
    response = answer(found)
    response.headers["Content-Disposition"] = f"attachment; filename=proof-{record_id}.json"
    return response
