"""The history of a record as sentences: who did what, when, on which device, and what changed from what to what.

Versions and review decisions stand in one line of time; decisions are found through the journal.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select

from server.db import db
from server.pages.lookups import learn_names
from server.pages.words import words
from sync.history import history_of
from sync.kept import Kept
from sync.models import JournalEntry, Record

CREATION = "create"  # names no fields: they stand on the page
SHOWN, WHOLE = 50, 2**30


def sentences(kept: Kept, before: int) -> tuple[list[dict[str, Any]], int | None]:
    """`{at, actor, device, op, type, changes: [(field, from, to)], decision?}` of the last versions below `before`,
    newest first; and, when there are earlier ones, below which version they lie."""
    until = min(before - 1, kept.version)
    after = max(0, until - SHOWN)
    versions, _ = history_of(db.session(), kept.id, after, until - after, WHOLE)
    decisions = [made for made in _decisions(kept.id) if after < made["version"] <= until]
    learn_names([*(version["actor"] for version in versions), *(version.get("device_id") for version in versions),
                 *(made["actor"] for made in decisions)])
    told = [{"at": version["at"], "actor": version["actor"], "device": version.get("device_id"),
             "op": _op(version), "type": kept.type, "version": version["version"],
             "note": version.get("note"), "changes": _changes(version)} for version in versions]
    told += decisions  # each judges the version that stood
    return sorted(told, key=lambda one: (one["version"], one["op"] == "decision", one["at"]), reverse=True), \
        after + 1 if after else None


def _op(version: dict[str, Any]) -> str:
    """The first version is a creation, whatever made it; else which command it was, or on what occasion the server
    wrote, where there is a word for it."""
    named = ("op", version["name"]) in words()
    return CREATION if version["version"] == 1 else str(version["name" if named else "op"])


def _changes(version: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    if _op(version) == CREATION:
        return []
    return [(name, change["from"], change["to"]) for name, change in version["changed"].items()]


def _decisions(record_id: str) -> list[dict[str, Any]]:
    entries = db.session.execute(select(JournalEntry).where(
        JournalEntry.about == record_id, JournalEntry.kind == "decision").order_by(JournalEntry.index)).scalars().all()
    ids = [entry.body["decision_id"] for entry in entries]
    rows = db.session.execute(select(Record.id, Record.fields).where(Record.id.in_(ids)))
    fields = {row.id: row.fields for row in rows}
    return [{"at": entry.at, "actor": entry.actor, "device": None, "op": "decision",
             "version": entry.body["version"], "changes": [],
             "decision": orjson.loads(fields[entry.body["decision_id"]])}
            for entry in entries if entry.body["decision_id"] in fields]
