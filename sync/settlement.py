"""What settling a conflict does to its record. Serves `sync/conflicts.py`.

Whatever comes back or is put in place goes through the checks of any edit: declared values, what the record needs, what
it refers to, the rules of the trade. Fields that only the server sets are not changed by settling.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from schemas.problems import Problem
from schemas.records import Merge, RecordType
from sync.commands import carry_out, must_may
from sync.equality import same
from sync.late import must_write_in
from sync.merge import SCOPE, WHOLE, Edit, Merged, merge, touched
from sync.rules import Context
from sync.values import put_value, unit_of, value_of
from sync.writers import Writer

if TYPE_CHECKING:
    from sync.kept import Kept
    from sync.records import Door

Changed = dict[str, tuple[Any, Any]]
DELETED = "deleted"
STAYS_DELETED = "冲突裁决:删除 settled: deleted"


def settle(record: Kept, fields: Mapping[str, Any], choice: str, value: Any, context: Context) -> None:
    """Write the choice into the record; `fields` are the conflict's, `value` is the third value of choice `value`.

    Raises `choice_invalid`, `record_deleted`, and what an edit or a command raises.
    """
    door, writer = context.door, context.writer
    chosen = value if choice == "value" else fields.get(choice)
    if fields["kind"] == "deletion":
        _settle_deletion(door, record, fields, choice, writer)
    elif fields["kind"] == "command":
        _settle_command(door, record, fields, choice, context)
    elif fields["kind"] == "scope":
        _settle_scope(door, record, chosen, writer)
    else:
        _settle_value(door, record, fields["field"], chosen, writer)


def _settle_value(door: Door, record: Kept, unit: str, value: Any, writer: Writer) -> None:
    before = value_of(record.declared, record.fields, unit)
    if same(before, value):
        return
    _must_be_open(door, record)
    value = _checked(record, unit, value)
    after = dict(record.fields)
    put_value(record.declared, after, unit, value)
    record.declared.check_complete(after)
    door.change(record, after, writer, op="settle", changed={unit_of(record.declared, unit): (before, value)},
                stamps=_touch(record, unit, writer, before))


def _must_be_open(door: Door, record: Kept) -> None:
    """Raise `sealed` for a document that was issued or signed meanwhile: what stands in it stands."""
    if door.rules.of(record.declared).seals(record):
        raise Problem("sealed", f"文书已封存 this {record.type} is sealed")


def _checked(record: Kept, unit: str, value: Any) -> Any:
    """The value as an edit would bring it: without what only the server adds. Raises `choice_invalid` or
    `field_invalid` for what cannot be the unit's."""
    declared, (name, dot, key) = record.declared, unit.partition(".")
    members = declared.members(unit)
    if members not in ((), (unit,)):
        if not isinstance(value, dict):
            raise Problem("choice_invalid", f"{unit} is a value of {', '.join(members)}")
        return declared.load({name: value.get(name) for name in members})
    if dot and declared.rule(name) is Merge.APPEND:
        if not isinstance(value, dict) or value.get("id") != key:
            raise Problem("choice_invalid", f"{unit} is an entry of {name} with the id {key}")
        return declared.load({name: [value]})[name][0]
    if dot and declared.rule(name) is Merge.MAP:
        return declared.load({name: {key: value}})[name][key]
    return declared.load({unit: value})[unit]


def _settle_deletion(door: Door, record: Kept, fields: Mapping[str, Any], choice: str, writer: Writer) -> None:
    """The record stays deleted, or comes back with the edit against which the deletion stood.

    An edit that came before the deletion stands in the tombstone already; one that came after it is merged now, as if
    it had found the record alive. Where settling another conflict brought the record back, it is deleted again.
    """
    if choice == "value":
        raise Problem("choice_invalid", "请选择保留删除或修改 choose mine or theirs: the deletion or the edit")
    if fields[choice] is True:
        if not record.deleted:
            _must_be_open(door, record)
            door.change(record, record.fields, writer, op="delete", changed={DELETED: (False, True)}, deleted=True,
                        note={"reason": STAYS_DELETED})
        return
    merged = _with_late_edits(door, record, fields)
    if record.deleted:
        door.change(record, merged.fields, writer, op="restore", deleted=False, changed=merged.changed,
                    stamps=merged.stamps)
    elif merged.changed:
        _must_be_open(door, record)
        door.change(record, merged.fields, writer, op="settle", changed=merged.changed, stamps=merged.stamps)


def _with_late_edits(door: Door, record: Kept, fields: Mapping[str, Any]) -> Merged:
    """The record with the edits that the conflict keeps, each merged on its own base as its author's."""
    declared, author = record.declared, fields["mine_by"]["writer"]
    found = Merged(dict(record.fields), dict(record.stamps))
    for one in fields.get("edits") or ():
        edit = Edit(declared.load(one["set"]), declared.load(one["add"]), declared.load(one["remove"]))
        merged = merge(declared, found.fields, found.stamps, author, one["base"], record.version + 1, edit,
                       partial(door.history_after, record.id, one["base"]))
        found = Merged(merged.fields, merged.stamps, _both(declared, found.changed, merged.changed))
    touched(found.stamps, WHOLE, record.version + 1, author, present=True)
    declared.check_complete(found.fields)
    for name, record_id in declared.references(found.fields):
        kept = door.get(record_id)
        if kept is None or kept.type != name:
            raise Problem("record_missing", f"没有此记录 {name} {record_id} is not there")
    return found


def _both(declared: RecordType, first: Changed, second: Changed) -> Changed:
    """What two edits change together; entries that were appended are told alone, with nothing before them."""
    both = dict(first)
    for unit, (before, after) in second.items():
        if unit in first:
            appended = declared.rule(unit) is Merge.APPEND
            both[unit] = (first[unit][0], [*first[unit][1], *after] if appended else after)
        else:
            both[unit] = (before, after)
    return both


def _settle_scope(door: Door, record: Kept, scope: Any, writer: Writer) -> None:
    if not isinstance(scope, str):
        raise Problem("scope_unknown", f"没有此区划 no division has the code {scope!r}")
    must_write_in(door, writer, scope)
    if scope != record.scope:
        door.change(record, record.fields, writer, op="settle", changed={SCOPE: (record.scope, scope)}, scope=scope)


def _settle_command(door: Door, record: Kept, fields: Mapping[str, Any], choice: str, context: Context) -> None:
    """`theirs` keeps the state; `mine` carries the command out now, with the rights of the one who settles."""
    if choice == "value":
        raise Problem("choice_invalid", "操作只能执行或不执行 a command is carried out (mine) or not (theirs)")
    if choice == "mine":
        if record.deleted:
            raise Problem("record_deleted", f"记录已删除 record {record.id} is deleted")
        command = fields["mine"]
        asked = context._replace(op=command["command"], type=record.type, record_id=record.id, scope=record.scope)
        must_may(record, asked)
        carry_out(record, command.get("args") or {}, asked)


def _touch(record: Kept, unit: str, writer: Writer, before: Any) -> dict[str, Any]:
    stamps = dict(record.stamps)
    touched(stamps, unit, record.version + 1, writer.id, present=before is not None)
    touched(stamps, WHOLE, record.version + 1, writer.id, present=True)
    return stamps
