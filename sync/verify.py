"""Digests by which a client can tell that it holds exactly what the server holds (protocol section 3)."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.cursors import Cursor
from sync.models import Clock, Record
from sync.pull import Reader
from sync.scope import view_of


def digests(session: Session, reader: Reader, secret: bytes) -> dict[str, Any]:
    """`{cursor, scopes: [{scope, type, count, digest}]}` of the reader's live records, from one snapshot."""
    clock = session.execute(select(Clock.seq, Clock.epoch).where(Clock.id == 1)).one()
    view = view_of(session, reader.scopes)
    sums: dict[tuple[str, str], tuple[int, Any]] = {}
    rows = session.execute(select(Record.scope, Record.type, Record.id, Record.version)
                           .where(view.condition(), Record.deleted.is_(False)).order_by(Record.id))
    for row in rows.yield_per(1000):
        count, digest = sums.get((row.scope, row.type)) or (0, hashlib.sha256())
        digest.update(f"{row.id} {row.version}\n".encode())
        sums[row.scope, row.type] = (count + 1, digest)
    cursor = Cursor(clock.epoch, reader.id, clock.seq, tuple(sorted(set(reader.scopes))))
    return {"cursor": cursor.text(secret), "scopes": [
        {"scope": scope, "type": record_type, "count": count, "digest": digest.hexdigest()}
        for (scope, record_type), (count, digest) in sorted(sums.items())]}
