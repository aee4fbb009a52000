"""The history of a record as people read it."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.merge import SCOPE
from sync.models import History

PUTS = frozenset({"create", "edit", "amend", "late_edit", "restore", "import", "server", "media", "flags", "duplicate",
                  "open", "fold", "settle", "retake"})


def history_of(session: Session, record_id: str) -> list[dict[str, Any]]:
    """`{version, at, actor, device_id?, op, name, changed: {field: {from, to}}}`, oldest first. `op` is that of a
    mutation (put, delete, command); `name` says which command, or on what occasion the server wrote."""
    rows = session.execute(select(History).where(History.record_id == record_id).order_by(History.version)).scalars()
    return [{"version": row.version, "at": row.at, "actor": row.actor, "op": op_of(row.op),
             "name": row.op, "changed": _shown(orjson.loads(row.changed)),
             **({"device_id": row.device_id} if row.device_id else {}), **({"note": row.note} if row.note else {})}
            for row in rows]


def op_of(name: str) -> str:
    """The kind of mutation that a history entry's name stands for."""
    return "put" if name in PUTS else "delete" if name == "delete" else "command"


def _shown(changed: dict[str, Any]) -> dict[str, Any]:
    return {"scope" if unit == SCOPE else unit: pair for unit, pair in changed.items()}
