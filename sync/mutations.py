"""What one mutation does, whoever sends it: create, edit, delete, command. Devices come by `push`, people by `office`.

A refusal is raised as a Problem; `Waits` says that a record it refers to has not arrived. Nothing is written then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.problems import Problem
from schemas.push import Mutation
from schemas.records import Merge, RecordType, record_type
from sync.awaited import awaited
from sync.conflicts import is_own, open_conflict
from sync.equality import same
from sync.expectations import command
from sync.kept import Kept
from sync.late import must_reach, must_write_in, scope_of_new
from sync.merge import SCOPE, WHOLE, Edit, Merged, Overlap, changed_by_others, merge, touched
from sync.outcomes import Outcome, Waits
from sync.overtaken import units_overtaken, what_is_left
from sync.records import Door
from sync.settlement import DELETED
from sync.writers import Writer

MOST_VALUES = 1_000
MOST_UNITS = 10_000
MOST_WRITTEN = 10_000
"""How many versions of records one transaction writes, before what would write more waits or is quarantined."""
RECORD_SIZE = 2 * 2**20
GROW = (Merge.SET, Merge.APPEND)


def apply(door: Door, writer: Writer, mutation: Mutation, *, waited: bool = False) -> Outcome:
    """Carry out one mutation; one that `waited` comes after others that its device made later. Raises Problem or
    Waits; the caller undoes what was begun."""
    door.n = mutation.n
    if door.written >= MOST_WRITTEN:
        raise Problem("mutation_too_large", f"{door.written} versions of records were written with it already")
    declared = record_type(mutation.type)
    kept = door.get(mutation.record_id)
    if kept is None:
        new = mutation.op == "put" and mutation.base == 0
        if new and (mutation.scope if waited else not awaited(door, writer, mutation)):
            return _create(door, writer, declared, mutation)
        raise Waits(mutation.record_id)
    must_reach(door, writer, kept, mutation.base)
    if kept.type != declared.name:
        raise Problem("type_mismatch", f"记录类型不符 record {kept.id} is a {kept.type}")
    if mutation.base > kept.version:
        raise Problem("base_ahead", f"base {mutation.base} is above version {kept.version}")
    if mutation.op == "command":
        return command(door, writer, kept, mutation)
    if mutation.op == "delete":
        return _delete(door, writer, kept, mutation)
    units = units_overtaken(door, kept, writer, mutation) if waited else frozenset()
    return _edit(door, writer, kept, mutation, units)


def _create(door: Door, writer: Writer, declared: RecordType, mutation: Mutation) -> Outcome:
    scope = mutation.scope
    door.rules.must_have_right(writer, declared.name, "create")
    if not scope:
        raise Problem("scope_required", "a new record needs a scope")
    must_write_in(door, writer, scope)
    given, ignored = _without_server_fields(declared, mutation.set)
    _loaded_members(declared, mutation.remove, Merge.SET)  # there is nothing yet to take from
    fields = declared.load(given)
    if None in fields.values():
        fields = {name: value for name, value in fields.items() if value is not None}
    for name, members in _loaded_members(declared, mutation.add, *GROW).items():
        fields[name] = [*fields.get(name, ()), *members]
    for name in declared.set_fields:
        if name in fields:
            fields[name] = list(dict.fromkeys(fields[name]))
    for name in declared.list_fields:
        if name in fields:
            fields[name] = _by_id(name, fields[name])
    declared.check_complete(fields)
    _must_have_arrived(door, declared, fields)
    kept = door.create(declared, mutation.record_id, scope_of_new(door, writer, scope, fields), fields, writer,
                       note={"ignored": ignored} if ignored else None)
    return Outcome("applied", kept, ignored=ignored)


def _edit(door: Door, writer: Writer, kept: Kept, mutation: Mutation, overtaken: frozenset[str]) -> Outcome:
    """`overtaken` are the units that the edit's own device changed since, by what it made later."""
    declared = kept.declared
    door.rules.must_have_right(writer, declared.name, "edit")
    _must_be_bounded(kept, mutation)
    edit = Edit(declared.load(mutation.set), _loaded_members(declared, mutation.add, *GROW),
                _loaded_members(declared, mutation.remove, Merge.SET))
    whole, left = edit, what_is_left(kept, edit, overtaken) if overtaken else None
    if kept.deleted:
        return _overtaken(door, writer, kept, whole) if DELETED in overtaken else \
            _edit_deleted(door, writer, kept, mutation, edit)
    edit = left or edit
    mutation = mutation._replace(scope=None) if SCOPE in overtaken else mutation
    scope, moved_apart = _scope_after(door, writer, kept, mutation)
    if door.rules.of(declared).seals(kept):
        return _amend_sealed(door, writer, kept, mutation, edit, scope, moved_apart)
    merged = merge(declared, kept.fields, kept.stamps, writer.id, mutation.base, kept.version + 1, edit,
                   lambda: door.history_after(kept.id, mutation.base))
    declared.check_complete(merged.fields)
    _must_have_arrived(door, declared, {name: merged.fields.get(name) for name in edit.set})
    note = _note(writer, mutation, merged)
    if left:
        note = {**(note or {}), "overtaken": _said(whole)}
    after = kept
    if scope != kept.scope:
        merged.changed[SCOPE] = (kept.scope, scope)
        for unit in (SCOPE, WHOLE):
            touched(merged.stamps, unit, kept.version + 1, writer.id, present=unit == WHOLE)
    if merged.changed:
        after = door.change(kept, merged.fields, writer, changed=merged.changed, stamps=merged.stamps, scope=scope,
                            note=note)
    elif left:
        return _overtaken(door, writer, kept, whole)
    conflicts = [open_conflict(door, kept, overlap, writer, mutation)
                 for overlap in [*merged.overlaps, *moved_apart] if not is_own(door, kept, overlap, writer)]
    outcome = "conflicted" if conflicts else "merged" if merged.others_changed else "applied"
    return Outcome(outcome, door.get(kept.id) or after, list(dict.fromkeys(conflicts)), merged.ignored)


def _by_id(name: str, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of a list that only grows, each once; raises `field_invalid` for two of one id."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if not same(found.setdefault(entry["id"], entry), entry):
            raise Problem("field_invalid", f"{name}: 两项同号 two entries with the id {entry['id']}",
                          errors={name: ["two entries with one id"]})
    return list(found.values())


def _must_be_bounded(kept: Kept, mutation: Mutation) -> None:
    """Raise `mutation_too_large` for an edit of too many values, each of which may open a conflict, and
    `record_too_large` for one of a record that is full: so neither the gate's time nor a row is without bound."""
    values = sum(len(value) if isinstance(value, dict) else 1 for value in mutation.set.values())
    if values > MOST_VALUES:
        raise Problem("mutation_too_large", f"an edit changes at most {MOST_VALUES} values")
    if kept.size > RECORD_SIZE or len(kept.stamps) > MOST_UNITS:
        raise Problem("record_too_large", f"记录已满,请另建 {kept.type} {kept.id} takes no more; begin another")


def _scope_after(door: Door, writer: Writer, kept: Kept, mutation: Mutation) -> tuple[str, list[Overlap]]:
    """The scope that a put leaves the record in. Naming the scope that stood at base, before somebody else moved the
    record, is no move; a move against somebody else's is an overlap, and the later arrival wins."""
    if mutation.scope is None or mutation.scope == kept.scope:
        return kept.scope, []
    moves = [past.changed[SCOPE] for past in door.history_after(kept.id, mutation.base) if SCOPE in past.changed]
    at_base = moves[0]["from"] if moves else kept.scope
    apart = changed_by_others(kept.stamps, SCOPE, writer.id, mutation.base, present=False)
    if mutation.scope == at_base and apart:
        return kept.scope, []
    must_write_in(door, writer, mutation.scope)
    overlap = Overlap("scope", at_base, kept.scope, mutation.scope, "mine", "scope")
    return mutation.scope, [overlap] if apart else []


def _overtaken(door: Door, writer: Writer, kept: Kept, edit: Edit) -> Outcome:
    """Nothing of the edit is left to do; what it said stands in the record's history."""
    return Outcome("applied", door.change(kept, kept.fields, writer, op="overtaken", changed={}, checked=False,
                                          note={"overtaken": _said(edit)}))


def _said(edit: Edit) -> dict[str, Any]:
    return {name: dict(part) for name, part in (("set", edit.set), ("add", edit.add), ("remove", edit.remove)) if part}


def _edit_deleted(door: Door, writer: Writer, kept: Kept, mutation: Mutation, edit: Edit) -> Outcome:
    """The record stays deleted; the edit is kept on the tombstone and a conflict opens."""
    mine = {**edit.set, **edit.add}
    door.change(kept, kept.fields, writer, op="late_edit", changed={}, note={"edit": mine, "remove": edit.remove},
                checked=False)
    overlap = Overlap(DELETED, {name: kept.fields.get(name) for name in mine}, True, mine, "theirs",
                      "deletion")
    return Outcome("conflicted", door.get(kept.id) or kept, [open_conflict(door, kept, overlap, writer,
                                                                           mutation)])


def _amend_sealed(door: Door, writer: Writer, kept: Kept, mutation: Mutation, edit: Edit, scope: str,
                  apart: list[Overlap]) -> Outcome:
    """A sealed document is never changed: a later edit stands beside it as an amendment. It may be moved."""
    conflicts = [open_conflict(door, kept, overlap, writer, mutation) for overlap in apart
                 if not is_own(door, kept, overlap, writer)]
    taken = "conflicted" if conflicts else "applied"
    if scope != kept.scope:
        kept = door.change(kept, kept.fields, writer, op="move", changed={SCOPE: (kept.scope, scope)}, scope=scope)
    given, ignored = _without_server_fields(kept.declared, edit.set)
    changes = {name: value for name, value in given.items() if not same(kept.fields.get(name), value)}
    if not changes and not edit.add and not edit.remove:
        return Outcome(taken, kept, conflicts, ignored)
    if "amendments" not in kept.declared.fields:
        raise Problem("sealed", f"文书已封存 this {kept.type} is sealed")
    amendment = {"at": door.at, "made_at": mutation.made_at, "by": writer.user_id, "set": changes,
                 "add": dict(edit.add), "remove": dict(edit.remove), "base": mutation.base}
    after = door.change(kept, {**kept.fields, "amendments": [*(kept.fields.get("amendments") or ()), amendment]},
                        writer, op="amend")
    return Outcome(taken, after, conflicts, ignored)


def _delete(door: Door, writer: Writer, kept: Kept, mutation: Mutation) -> Outcome:
    reason = mutation.set.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        raise Problem("field_missing", "删除须填写理由 a deletion needs set.reason", errors={"reason": ["required"]})
    door.rules.must_have_right(writer, kept.type, "edit")
    if kept.deleted:  # nothing changes but that somebody else had a reason, too
        return Outcome("applied", door.change(kept, kept.fields, writer, op="delete", changed={},
                                              note={"reason": reason}, checked=False))
    if kept.declared.immutable or door.rules.of(kept.declared).seals(kept):
        raise Problem("sealed", f"此类文书不得删除 a {kept.type} like this is never deleted")
    late = {unit: change["to"] for past in door.history_after(kept.id, mutation.base)
            for unit, change in past.changed.items()
            if not _is_deletion(unit, change) and not _own_last(kept, unit, past.writer, writer)}
    after = door.change(kept, kept.fields, writer, op="delete", changed={DELETED: (False, True)}, deleted=True,
                        note={"reason": reason})
    if not late:
        return Outcome("applied", after)
    overlap = Overlap(DELETED, None, late, True, "mine", "deletion")
    return Outcome("conflicted", after, [open_conflict(door, kept, overlap, writer, mutation)])


def _is_deletion(unit: str, change: Mapping[str, Any]) -> bool:
    """True for the deletion or return of a record, not for a field that somebody calls so."""
    return unit == DELETED and isinstance(change["to"], bool)


def _own_last(kept: Kept, unit: str, by: str, writer: Writer) -> bool:
    """True when the unit's newest value is this writer's own, or the server derived it. Of sets and lists, whose
    members are units of their own, true for what this writer changed in the version that is `by` somebody."""
    marks = kept.stamps.get(unit)
    if marks is None:
        return by == writer.id or kept.declared.rule(unit) in (Merge.SERVER, Merge.GUARDED)
    return bool(marks[0][1] == writer.id)


def _must_have_arrived(door: Door, declared: RecordType, fields: Mapping[str, Any]) -> None:
    """Raise Waits for the first referred record that is not there; `type_mismatch` for one of another type."""
    for name, record_id in declared.references(fields):
        record_type(name)
        kept = door.get(record_id)
        if kept is None:
            raise Waits(record_id)
        if kept.type != name:
            raise Problem("type_mismatch", f"所指记录类型不符 record {record_id} is no {name}")


def _without_server_fields(declared: RecordType, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    if declared.server_fields.isdisjoint(values):
        return dict(values), []
    ignored = [name for name in values if name in declared.server_fields]
    return {name: value for name, value in values.items() if name not in ignored}, ignored


def _loaded_members(declared: RecordType, members: Mapping[str, Any], *rules: Merge) -> dict[str, Any]:
    """Checked members of `add` and `remove`; raises `field_invalid` for a field that takes none: sets take both,
    lists that only grow take `add`."""
    for name, value in members.items():
        if declared.rule(name) not in rules or not isinstance(value, list):
            raise Problem("field_invalid", f"{name} takes no add or remove", errors={name: ["no add or remove"]})
    return declared.load(members) if members else {}


def _note(writer: Writer, mutation: Mutation, merged: Merged) -> dict[str, Any] | None:
    note: dict[str, Any] = {"ignored": merged.ignored} if merged.ignored else {}
    if not writer.signed:
        note["unsigned"] = True
    if mutation.remove:
        note["remove"] = dict(mutation.remove)
    return note or None
