"""The journal: checkpoint and key for anyone, entries for admins and auditors, proofs (protocol section 9)."""

from __future__ import annotations

from flask import Response
from sqlalchemy import select

from schemas.problems import Problem
from server.api import blueprint
from server.api.openapi import query
from server.api.pull import number_argument
from server.auth import needs_role, public
from server.db import db, fresh_checkpoint, reading
from server.house import house
from server.wire import answer
from sync import journal, notes
from sync.models import JournalTimestamp

blp = blueprint("journal", "日志 Journal")
MOST = 2**53


@blp.get("/journal/checkpoint")
@public
@blp.response(200, content_type="text/plain")
def checkpoint() -> Response:
    """The newest signed checkpoint, a C2SP note."""
    note = fresh_checkpoint()
    if note is None:
        raise Problem("not_found", "the journal is empty")
    return Response(note, content_type="text/plain; charset=utf-8")


@blp.get("/journal/key")
@public
@blp.response(200, content_type="text/plain")
def key() -> Response:
    """The C2SP verifier key line."""
    signer = house().signer
    return Response(notes.key_line(signer.origin, signer.key.public_key()) + "\n",
                    content_type="text/plain; charset=utf-8")


@blp.get("/journal/entries")
@blp.doc(parameters=[query("from", "index of the first", "integer", minimum=0, default=0),
                     query("limit", "how many, at most 1000", "integer", minimum=1, default=100)])
@needs_role("admin", "auditor")
@blp.response(200)
def entries() -> Response:
    """Entries from `from` on, at most `limit`."""
    start, limit = number_argument("from", 0, least=0, most=MOST), number_argument("limit", 100, least=1, most=1000)
    return answer({"entries": journal.entries(db.session(), start, limit)})


@blp.get("/journal/inclusion")
@blp.doc(parameters=[query("index", "of the entry", "integer", required=True, minimum=0),
                     query("size", "of the tree; the newest", "integer", minimum=0)])
@blp.response(200)
def inclusion() -> Response:
    """The audit path of an entry in the tree of that size."""
    with reading():
        size = number_argument("size", journal.journal_size(db.session()), least=0, most=MOST)
        hashes = journal.inclusion(db.session(), number_argument("index", -1, least=0, most=MOST), size)
    return answer({"hashes": hashes})


@blp.get("/journal/consistency")
@blp.doc(parameters=[query("from", "size of the older tree", "integer", minimum=0, default=0),
                     query("to", "size of the newer tree; the newest", "integer", minimum=0)])
@blp.response(200)
def consistency() -> Response:
    """The proof that the tree of size `from` is a beginning of the tree of size `to`."""
    with reading():
        new = number_argument("to", journal.journal_size(db.session()), least=0, most=MOST)
        hashes = journal.consistency(db.session(), number_argument("from", 0, least=0, most=MOST), new)
    return answer({"hashes": hashes})


@blp.get("/journal/timestamps")
@blp.doc(parameters=[query("from", "size of the first", "integer", minimum=0, default=0),
                     query("limit", "how many, at most 1000", "integer", minimum=1, default=100)])
@blp.response(200)
def timestamps() -> Response:
    """Checkpoints that a time-stamping authority stamped (RFC 3161), by size; `response` is base64 of its DER."""
    start, limit = number_argument("from", 0, least=0, most=MOST), number_argument("limit", 100, least=1, most=1000)
    found = db.session.execute(select(JournalTimestamp).where(JournalTimestamp.size >= start)
                               .order_by(JournalTimestamp.size).limit(limit)).scalars()
    return answer({"timestamps": [{"size": row.size, "at": row.at, "note": row.note, "response": row.response}
                                  for row in found]})
