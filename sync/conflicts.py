"""Conflict records: one per overlap, with both values, and their resolution (protocol sections 4 and 5)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from schemas.problems import Problem
from schemas.push import Mutation
from schemas.records import CONFLICT
from sync.equality import plain, same
from sync.kept import RECORD
from sync.merge import CREATOR, SCOPE, WHOLE, Overlap
from sync.models import Device, Record, table_of
from sync.rules import Context
from sync.settlement import DELETED, settle
from sync.writers import SERVER, Writer

if TYPE_CHECKING:
    from sync.kept import Kept
    from sync.records import Door

DEVICES = table_of(Device)
COMMAND = "status"
MOST_EDITS = 32
FOLDED = {"theirs", "mine", "edits"}
ENROLLED = select(DEVICES.c.enrolled_at).where(DEVICES.c.id == bindparam("device_id")).scalar_subquery()
# A walk of the numbers, whatever the planner knows of states. Either writer's id as it stands in the document, in the
# one spelling in which it is written.
RESOLVED = select(RECORD.c.id, RECORD.c.fields).where(
    RECORD.c.type == "conflict", func.coalesce(RECORD.c.status, "") == "resolved", RECORD.c.seq > bindparam("since"),
    RECORD.c.seq <= bindparam("until"), RECORD.c.updated_at >= ENROLLED,
    RECORD.c.fields.contains(bindparam("author"))).order_by(RECORD.c.seq)


def open_conflict(door: Door, kept: Kept, overlap: Overlap, writer: Writer, mutation: Mutation) -> str:
    """Open a conflict record for an overlap and give its id; what the same writer repeats folds into an open one."""
    mine_by = {"writer": writer.id, "user_id": writer.user_id, "device_id": writer.device_id, "at": door.at,
               "made_at": mutation.made_at, "mutation_id": mutation.id}
    key = _key(kept, overlap, writer, overlap.theirs if overlap.winner == "mine" else overlap.mine)
    other = _open_with(door, key)
    folded = _folded(other.fields, overlap, writer, _marks(kept, overlap)[0][1]) if other else None
    if other and folded is not None:
        if _is_late_edit(overlap):
            folded["edits"] = [*(other.fields.get("edits") or ()), _edit_of(mutation)]
        if overlap.winner == "mine":
            folded |= _agreement(door, other.fields, overlap, writer)
        door.amend(other.id, {**folded, "mine_by": mine_by}, op="fold")
        _let_find(door, other.id, _key(kept, overlap, writer, overlap.mine))
        return other.id
    conflict_id = door.new_id()
    fields = {"record_type": kept.type, "record_id": kept.id, "field": overlap.unit, "base": overlap.base,
              "theirs": overlap.theirs, "mine": overlap.mine, "winner": overlap.winner, "opened_at": door.at,
              "state": "open", "kind": overlap.kind, "mine_by": mine_by,
              "theirs_by": _last_writer(door, kept, overlap, writer)}
    if _is_late_edit(overlap):
        fields["edits"] = [_edit_of(mutation)]
    door.create(CONFLICT, conflict_id, (door.get(kept.id) or kept).scope, fields, SERVER, op="open")
    _let_find(door, conflict_id, _key(kept, overlap, writer, overlap.mine))
    return conflict_id


def is_own(door: Door, kept: Kept, overlap: Overlap, writer: Writer) -> bool:
    """True where the writer replaces his own value and no conflict over it is open: nobody conflicts with himself."""
    return overlap.winner == "mine" and overlap.kind == "value" and _marks(kept, overlap)[0][1] == writer.id \
        and _open_with(door, _key(kept, overlap, writer, overlap.theirs)) is None


def _agreement(door: Door, fields: Mapping[str, Any], overlap: Overlap, writer: Writer) -> dict[str, Any]:
    """Equal values are no conflict: it is settled while the writer comes round to the other's value by himself, and
    open again when he leaves it."""
    if not same(overlap.mine, fields.get("theirs")):
        return {"state": "open", "resolution": None}
    return {"state": "resolved", "resolution": {"choice": "theirs", "value": overlap.mine, "at": door.at,
                                                "by": writer.user_id}}


def _folded(fields: Mapping[str, Any], overlap: Overlap, writer: Writer, author: str) -> dict[str, Any] | None:
    """What an open conflict becomes by this overlap, None where the overlap is one of its own; `author` is whose value
    stood.

    A writer who replaces his own value that stands, who goes on editing a deleted record, or who repeats what was not
    applied has no second conflict; his earlier values stay in the histories of record and conflict.
    """
    named = (overlap.unit, overlap.winner, overlap.kind, writer.id)
    if (fields["field"], fields["winner"], fields["kind"], fields["mine_by"]["writer"]) != named:
        return None
    if overlap.winner == "mine":
        own = author == writer.id and same(fields.get("mine"), overlap.theirs)
        return {"mine": overlap.mine} if own else None
    if overlap.kind == "deletion":
        if len(fields.get("edits") or ()) >= MOST_EDITS:
            return None
        return {"mine": {**fields["mine"], **overlap.mine}, "base": {**overlap.base, **fields["base"]}}
    return {"theirs": overlap.theirs} if same(fields.get("mine"), overlap.mine) else None


def _key(kept: Kept, overlap: Overlap, writer: Writer, value: Any) -> str:
    """What an open conflict is found by for what its writer repeats, among any number of others of its record: the
    value that he won with, or that was not taken. It stands in the column `cell`, as what likens findings does."""
    value = None if _is_late_edit(overlap) else plain(value)
    text = orjson.dumps([kept.id, overlap.unit, overlap.winner, overlap.kind, writer.id, value],
                        option=orjson.OPT_SORT_KEYS)
    return f"conflict {hashlib.sha256(text).hexdigest()}"


def _let_find(door: Door, conflict_id: str, key: str) -> None:
    door.mark(conflict_id, cell=key)
    door.once("conflicts by key", dict[str, list[str]]).setdefault(key, []).append(conflict_id)


def _open_with(door: Door, key: str) -> Kept | None:
    """The newest open conflict of that key, one of this transaction first."""
    fresh = door.once("conflicts by key", dict[str, list[str]]).get(key, ())
    stored = door.session.execute(select(Record.id).where(Record.cell == key).order_by(Record.seq.desc())
                                  .limit(1)).scalars()
    found = map(door.get, (*reversed(fresh), *stored))
    return next((kept for kept in found if kept and kept.marks.get("cell") == key), None)


def _is_late_edit(overlap: Overlap) -> bool:
    return overlap.kind == "deletion" and overlap.winner == "theirs"


def _edit_of(mutation: Mutation) -> dict[str, Any]:
    """An edit that found its record deleted, whole, so that it can be merged when the record comes back."""
    return {"base": mutation.base, "set": dict(mutation.set), "add": dict(mutation.add),
            "remove": dict(mutation.remove), **({"scope": mutation.scope} if mutation.scope else {})}


def resolve(conflict: Kept, args: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Settle a conflict: write the chosen value into the record and give the conflict's new fields.

    Raises `choice_invalid`, `state_moved` (settled already), `role_forbidden`.
    """
    door, writer, fields = context.door, context.writer, conflict.fields
    if not may_settle(fields, writer):
        raise Problem("role_forbidden",
                      "冲突由双方、审核员或主管处理 a conflict is settled by either writer, a reviewer or a supervisor")
    choice = args.get("choice")
    if choice not in ("theirs", "mine", "value") or (choice == "value" and "value" not in args):
        raise Problem("choice_invalid", "choice is theirs, mine, or value with a value")
    if fields["state"] != "open":
        raise Problem("state_moved", "冲突已处理 the conflict is settled already")
    record = door.get(fields["record_id"])
    if record is None:
        raise Problem("record_missing", f"没有此记录 record {fields['record_id']} is not there")
    settle(record, fields, choice, args.get("value"), context)
    door.mark(conflict.id, cell=None)  # nothing folds into it any more
    return {"state": "resolved", "resolution": {"choice": choice, "value": args["value"] if choice == "value"
                                                else fields.get(choice), "at": door.at, "by": writer.user_id}}


def resolved_between(session: Session, device_id: str, user_id: str, since: int, until: int) -> list[dict[str, Any]]:
    """What became of conflicts over values that this person brought, for all changes in (since, until].

    He is told whichever of the two was his, and wherever the record lies by now. What was settled before this device
    was enrolled is history.
    """
    if not user_id or since >= until:
        return []
    rows = session.connection().execute(RESOLVED, {
        "device_id": device_id, "author": f'"user_id":{orjson.dumps(user_id).decode()}', "since": since,
        "until": until})
    told = ("record_type", "record_id", "field", "theirs", "mine")
    found = [(conflict_id, orjson.loads(text)) for conflict_id, text in rows]
    return [{"conflict_id": conflict_id, **{name: fields.get(name) for name in told}, **fields["resolution"]}
            for conflict_id, fields in found]


def changed_since(record: Kept | None, fields: Mapping[str, Any], seen: int) -> bool:
    """Was the value that this conflict is about written after that version of the record?"""
    if record is None:
        return False
    units = {"scope": (SCOPE,), "deletion": (DELETED, WHOLE), "command": ()}.get(fields["kind"], (fields["field"],))
    return any(record.stamps[unit][0][0] > seen for unit in units if unit in record.stamps)


def may_settle(fields: Mapping[str, Any], writer: Writer) -> bool:
    """Either writer, a reviewer or a supervisor in scope."""
    writers = {by.get(key) for by in (fields["mine_by"], fields.get("theirs_by") or {}) for key in
               ("writer", "user_id")}
    return writer.has_role("reviewer", "supervisor") or bool({writer.id, writer.user_id} & writers)


def _last_writer(door: Door, kept: Kept, overlap: Overlap, writer: Writer) -> dict[str, Any]:
    """Who set the value that stood, on which device, and when it arrived: the unit's last writer but this one."""
    marks = _marks(kept, overlap)
    version, other = next((mark for mark in marks if mark[1] != writer.id), marks[0])
    entry = door.version_of(kept.id, version)
    return {"writer": other, "user_id": entry["actor"], "device_id": entry["device_id"], "at": entry["at"]}


def _marks(kept: Kept, overlap: Overlap) -> list[list[Any]]:
    """[version, writer] of the unit's last two writers, newest first; its creator where nobody changed it."""
    unit = {"scope": SCOPE, "deletion": DELETED if overlap.theirs is True else WHOLE}.get(overlap.kind, overlap.unit)
    return kept.stamps.get(unit) or [[1, kept.stamps.get(CREATOR, kept.created_by)]]
