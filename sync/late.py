"""Late work: what was made while the record, or the scope, was still its writer's, and arrives after that has changed.

It is applied where it was in scope when it was made. What tells is never a clock of the device but what the server
knows: the `base` names the version that the person was looking at, so a record that was moved since is judged by where
it lay then; and a device works under the scopes that it is known to have until a pull shows that it has the new ones
(`server/handover.py` gives the writer those). Both end a number of days after the withdrawal (`Writer.late_since`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from schemas.problems import Problem
from sync.merge import SCOPE
from sync.models import History, Record
from sync.writers import Writer, covers

if TYPE_CHECKING:
    from sync.kept import Kept
    from sync.records import Door


def must_reach(door: Door, writer: Writer, kept: Kept, base: int) -> None:
    """Raise `out_of_scope` unless the writer works where the record lies, or lay at his base not long ago."""
    if not writer.covers(kept.scope) and not any(writer.covers(scope) for scope in _left(door, writer, kept.id, base)):
        raise Problem("out_of_scope", "记录不在责任范围内 the record does not lie where this person works")


def must_write_in(door: Door, writer: Writer, scope: str) -> None:
    """Raise `scope_unknown` for a division that there is not, `out_of_scope` for one where the writer does not work."""
    if not door.rules.known_scope(scope):
        raise Problem("scope_unknown", f"没有此区划 no division has the code {scope}")
    writer.must_cover(scope)


def scope_of_new(door: Door, writer: Writer, scope: str, fields: Mapping[str, Any]) -> str:
    """The scope of a new record: that of the record it is about, where this one has left the scope that was named."""
    about = fields.get("about")
    kept = door.get(about["id"]) if isinstance(about, dict) else None
    if kept is None or kept.scope == scope or scope not in _left(door, writer, kept.id, 0):
        return scope
    return kept.scope


def take_along(door: Door, before: Kept, after: Kept, writer: Writer) -> None:
    """What is about a record goes with it to another scope: evidence, tasks, conflicts, decisions."""
    stored = door.session.execute(select(Record.id).where(Record.about_id == after.id).order_by(Record.id)).scalars()
    fresh = [kept.id for kept in door.fresh() if kept.marks.get("about_id") == after.id]
    door.load(ids := list(dict.fromkeys([*stored, *fresh])))
    for kept in map(door.get, ids):
        if kept is not None and not kept.deleted and kept.scope == before.scope:
            door.change(kept, kept.fields, writer, op="move", changed={SCOPE: (kept.scope, after.scope)},
                        scope=after.scope, note={"with": after.id}, checked=False)


def is_late(writer: Writer, *scopes: str) -> bool:
    """True for work in a scope that is no longer the device's: its history entry says `late_scope`."""
    if writer.late_since is not None:
        for scope in scopes:
            if not covers(writer.scopes, scope):
                return True
    return False


def _left(door: Door, writer: Writer, record_id: str, base: int) -> list[str]:
    """The scopes that a record left after `base`, not longer ago than late work of this writer is taken."""
    if writer.late_since is None:
        return []
    rows = door.session.execute(select(History.changed).where(
        History.record_id == record_id, History.version > base, History.at >= writer.late_since)).scalars()
    return [changed[SCOPE]["from"] for changed in map(orjson.loads, rows) if SCOPE in changed]
