"""The history of a record as people read it."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.models import History


def history_of(session: Session, record_id: str) -> list[dict[str, Any]]:
    """`{version, at, actor, device_id?, op, changed: {field: {from, to}}}`, oldest first."""
    rows = session.execute(select(History).where(History.record_id == record_id).order_by(History.version)).scalars()
    return [{"version": row.version, "at": row.at, "actor": row.actor, "op": row.op,
             "changed": orjson.loads(row.changed),
             **({"device_id": row.device_id} if row.device_id else {}), **({"note": row.note} if row.note else {})}
            for row in rows]
