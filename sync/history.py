"""The history of a record as people read it."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.merge import SCOPE
from sync.models import History, table_of

PAGE, PAGE_SIZE, BUFFERED = 500, 4 * 2**20, 50
HISTORY = table_of(History)
PUTS = frozenset({"create", "edit", "amend", "late_edit", "overtaken", "restore", "import", "server", "media", "flags",
                  "duplicate", "open", "fold", "settle", "retake", "erase", "dispose"})


def history_of(session: Session, record_id: str, after: int = 0, most: int = PAGE,
               size: int = PAGE_SIZE) -> tuple[list[dict[str, Any]], int | None]:
    """`{version, at, actor, device_id?, op, name, changed: {field: {from, to}}}` of the versions after `after`, oldest
    first: at most `most` and about `size` bytes; and the last of them, when there are more. `op` is that of a mutation
    (put, delete, command); `name` says which command, or on what occasion the server wrote. `erased`: values of this
    version were lawfully erased."""
    query = select(HISTORY).where(HISTORY.c.record_id == record_id, HISTORY.c.version > after) \
        .order_by(HISTORY.c.version).limit(most + 1).execution_options(yield_per=BUFFERED)
    told: list[dict[str, Any]] = []
    with session.connection().execute(query) as rows:
        for row in rows:
            if size <= 0 or len(told) == most:
                return told, told[-1]["version"]
            size -= len(row.changed)
            told.append({"version": row.version, "at": row.at, "actor": row.actor, "op": op_of(row.op),
                         "name": row.op, "changed": _shown(orjson.loads(row.changed)),
                         **({"device_id": row.device_id} if row.device_id else {}),
                         **({"note": row.note} if row.note else {}), **({} if row.salt else {"erased": True})})
    return told, None


def op_of(name: str) -> str:
    """The kind of mutation that a history entry's name stands for."""
    return "put" if name in PUTS else "delete" if name == "delete" else "command"


def _shown(changed: dict[str, Any]) -> dict[str, Any]:
    return {"scope" if unit == SCOPE else unit: pair for unit, pair in changed.items()}
