"""Merging one edit into a record, purely: record type, stamps, base history, current and incoming -> merged, overlaps.

Conflicts are found by causality, never by clocks (decision 2). A *unit* is what merges as one value: a field, a bound
value (`classification`), one key of a map (`answers.item-3`), one member of a set (`tags.夜间`). `stamps` knows for
each unit the last version in which each of its two last writers changed it, newest first, which is enough to answer for
anybody "did another writer change it after my base?". A unit without a stamp stands as the record's creator set it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.problems import Problem
from schemas.records import Merge, RecordType
from sync.equality import same
from sync.values import by_id, listed, members_of, put_value, unit_of, value_of

Stamps = dict[str, Any]
CREATOR = ""
WHOLE = "*"
SCOPE = "@scope"


@dataclass(frozen=True, slots=True)
class Edit:
    """What a writer changed: values set, members added and removed."""

    set: Mapping[str, Any]
    add: Mapping[str, Any] = field(default_factory=dict)
    remove: Mapping[str, Any] = field(default_factory=dict)


class Past(NamedTuple):
    """One version of a record: who wrote it, what he changed, `{unit: {from, to}}`, its number, and the `n` of the
    device's mutation that made it."""

    writer: str
    changed: Mapping[str, Any]
    version: int = 0
    n: int | None = None


History = Callable[[], Iterable[Past]]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two writers changed one unit apart. `winner` is `mine` or `theirs`; `kind` says what settling it means:
    `value`, `deletion`, `command` or `scope`."""

    unit: str
    base: Any
    theirs: Any
    mine: Any
    winner: str
    kind: str = "value"


@dataclass(slots=True)
class Merged:
    """The outcome of a merge; `changed` maps unit to (before, after), `ignored` names what only the server sets."""

    fields: dict[str, Any]
    stamps: Stamps
    changed: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    overlaps: list[Overlap] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    others_changed: bool = False


def touched(stamps: Stamps, unit: str, version: int, writer: str, present: bool) -> None:
    """Note that the writer changed the unit in this version; `present` tells whether it had a value before."""
    marks = _marks(stamps, unit, present)
    others = [mark for mark in marks if mark[1] != writer]
    stamps[unit] = [[version, writer], *others[:1]]


def changed_by_others(stamps: Stamps, unit: str, writer: str, base: int, present: bool) -> bool:
    """Did anybody else change the unit after `base`?"""
    return any(version > base for version, who in _marks(stamps, unit, present) if who != writer)


def merge(record_type: RecordType, current: Mapping[str, Any], stamps: Stamps, writer: str, base: int, version: int,
          edit: Edit, history: History) -> Merged:
    """Merge an edit that a writer made on top of version `base`; `version` is the number the result will get.

    `history()` gives the versions after `base`, oldest first; it is read only when something overlaps, and only so far
    as is needed. Raises `immutable_field` for a value that may be given only once.
    """
    merged = Merged(dict(current), dict(stamps),
                    others_changed=changed_by_others(stamps, WHOLE, writer, base, present=True))
    units = _units(record_type, merged, edit, writer, base)
    seen = _seen(record_type, merged, units, writer, base, history)
    for unit, value in units.items():
        _merge_value(record_type, merged, unit, value, writer, version, seen.get(unit))
    for name in {**edit.add, **edit.remove, **_sets(record_type, edit)}:
        if record_type.rule(name) is Merge.SET:
            _merge_members(merged, name, edit, writer, base, version)
        elif record_type.rule(name) is Merge.APPEND:
            if name in edit.set and edit.set[name] is None:
                raise Problem("field_invalid", f"{name} 只增不减 only grows", errors={name: ["cannot be cleared"]})
            _append(merged, name, [*(edit.set.get(name) or ()), *(edit.add.get(name) or ())], writer, version)
        else:
            raise Problem("field_invalid", f"{name} takes no add or remove", errors={name: ["no add or remove"]})
    if merged.changed:
        touched(merged.stamps, WHOLE, version, writer, present=True)
    return merged


def _units(record_type: RecordType, merged: Merged, edit: Edit, writer: str, base: int) -> dict[str, Any]:
    """The units that `set` names, with their new values; bound values come as {member: value} of what was named."""
    units: dict[str, Any] = {}
    for name, value in edit.set.items():
        rule = record_type.rule(name)
        bound = unit_of(record_type, name)
        if rule in (Merge.SERVER, Merge.GUARDED):
            merged.ignored.append(name)
        elif bound != name:
            units.setdefault(bound, {})[name] = value
        elif rule is Merge.MAP and isinstance(merged.fields.get(name), dict | None) and isinstance(value, dict | None):
            units.update({f"{name}.{key}": part for key, part in _entries(merged, name, value, writer, base).items()})
        elif rule not in (Merge.SET, Merge.APPEND):
            units[name] = value
    return units


def _entries(merged: Merged, name: str, value: dict[str, Any] | None, writer: str, base: int) -> dict[str, Any]:
    """The keys that an edit of a map names; null clears those that its maker can have seen."""
    if value is not None:
        return value
    return {key: None for key in merged.fields.get(name) or ()
            if not changed_by_others(merged.stamps, f"{name}.{key}", writer, base, present=True)}


def _seen(record_type: RecordType, merged: Merged, units: Mapping[str, Any], writer: str, base: int,
          history: History) -> dict[str, tuple[Any, Any]]:
    """Of the units that others changed after `base` to another value: the value at base, and the one that the writer
    looked at, which is his own newest since or that. The second counts where he names a part of a bound value."""
    apart: dict[str, tuple[Any, Any]] = {}
    parts: set[str] = set()
    for unit, value in units.items():
        stands, members = value_of(record_type, merged.fields, unit), members_of(record_type, unit)
        if _changed_apart(record_type, merged, unit, writer, base, _present(stands)) \
                and (members or not same(stands, value)):
            apart[unit] = (stands, stands)
            parts |= {unit} if members and len(value) < len(members) else set()
    unread = {unit for unit in apart if record_type.rule(unit) is not Merge.MAP}
    for unit in apart.keys() - unread:  # a map that became, or becomes, one value as a whole
        apart[unit] = (before := _map_before(unit, apart[unit][0], history()), before)
    for past in history() if unread else ():
        found = {unit: change for unit in unread if (change := _change_of(past, unit))}
        apart |= {unit: (change["from"], change["from"]) for unit, change in found.items()}
        unread -= found.keys()
        for unit in parts & past.changed.keys() if past.writer == writer else ():
            apart[unit] = (apart[unit][0], past.changed[unit]["to"])
        if not unread and not parts:
            break
    return apart


def _change_of(past: Past, unit: str) -> Mapping[str, Any] | None:
    """What a version changed of a unit; a creation writes the keys of a map with it."""
    name, _, key = unit.partition(".")
    if unit in past.changed or name not in past.changed:
        return past.changed.get(unit)
    before, after = (side.get(key) if isinstance(side := past.changed[name][which], dict) else None
                     for which in ("from", "to"))
    return None if same(before, after) else {"from": before, "to": after}


def _changed_apart(record_type: RecordType, merged: Merged, unit: str, writer: str, base: int, present: bool) -> bool:
    """Did anybody else change the unit after `base`, or one of its keys where it is a map that is set as a whole?"""
    return changed_by_others(merged.stamps, unit, writer, base, present) or (
        record_type.rule(unit) is Merge.MAP and any(
            changed_by_others(merged.stamps, key, writer, base, present=False)
            for key in merged.stamps if key.startswith(f"{unit}.")))


def _map_before(name: str, stands: Any, history: Iterable[Past]) -> Any:
    """The whole value of a map before these versions, oldest first, changed its keys or all of it."""
    whole, firsts = stands, dict[str, Any]()
    for past in history:
        for unit, change in past.changed.items():
            if unit.startswith(f"{name}."):
                firsts.setdefault(unit.removeprefix(f"{name}."), change["from"])
        if name in past.changed:
            whole = past.changed[name]["from"]
            break
    if not firsts:
        return whole
    return {key: part for key, part in {**(whole or {}), **firsts}.items() if part is not None}


def _merge_value(record_type: RecordType, merged: Merged, unit: str, value: Any, writer: str, version: int,
                 seen: tuple[Any, Any] | None) -> None:
    theirs = value_of(record_type, merged.fields, unit)
    at_base, looked_at = seen or (theirs, theirs)
    mine = {**(looked_at or {}), **value} if members_of(record_type, unit) else value
    if same(theirs, mine):
        return
    if record_type.rule(unit) is Merge.ONCE and theirs is not None:
        raise Problem("immutable_field", f"不可更改 {unit} stands and cannot be changed",
                      errors={unit: ["cannot be changed"]})
    if seen:
        merged.overlaps.append(Overlap(unit, at_base, theirs, mine, "mine"))
    put_value(record_type, merged.fields, unit, mine)
    merged.changed[unit] = (theirs, mine)
    touched(merged.stamps, unit, version, writer, present=_present(theirs))


def _merge_members(merged: Merged, name: str, edit: Edit, writer: str, base: int, version: int) -> None:
    """Add and remove members; an add and a concurrent remove of the same member: the add wins.

    Only an add can win, so a member that goes takes its stamps along: stamps never outgrow the record.
    """
    members = list(listed(stands := merged.fields.get(name)))
    added, removed = list(edit.add.get(name) or ()), list(edit.remove.get(name) or ())
    if name in edit.set:
        wanted = list(edit.set[name] or ())
        seen = [member for member in members
                if not changed_by_others(merged.stamps, f"{name}.{member}", writer, base, present=True)]
        added += wanted
        removed += [member for member in seen if member not in wanted]
    before = list(members)
    for member in removed:
        unit = f"{name}.{member}"
        if member in members and member not in added \
                and not changed_by_others(merged.stamps, unit, writer, base, present=True):
            members.remove(member)
            merged.stamps.pop(unit, None)
    again = False
    for member in added:
        unit, stood = f"{name}.{member}", member in before
        if stood and member not in (edit.add.get(name) or ()) \
                and not changed_by_others(merged.stamps, unit, writer, -1, present=True):
            continue  # naming one's own among the whole set is no add; in `add` it is a word of its own
        again = again or stood
        touched(merged.stamps, unit, version, writer, present=stood)
        if member not in members:
            members.append(member)
    if members != before or again:
        merged.fields[name] = members
        merged.changed[name] = (before if isinstance(stands, list | None) else stands, members)


def _append(merged: Merged, name: str, points: Sequence[Any], writer: str, version: int) -> None:
    """Union by id. A second point with the id of another is kept as an overlap; the first stands."""
    before = merged.fields.get(name)
    kept = by_id(before)
    new = []
    for point in points:
        if not isinstance(point, dict) or not isinstance(point.get("id"), str):
            raise Problem("field_invalid", f"{name}: each entry needs an id", errors={name: ["entry without id"]})
        stands = kept.setdefault(point["id"], point)
        if stands is point:
            new.append(point)
        elif not same(stands, point):
            merged.overlaps.append(Overlap(f"{name}.{point['id']}", None, stands, point, "theirs"))
    if new:
        merged.fields[name] = [*listed(before), *new]
        merged.changed[name] = ([] if isinstance(before, list | None) else before, new)


def _sets(record_type: RecordType, edit: Edit) -> dict[str, Any]:
    return {name: value for name, value in edit.set.items() if record_type.rule(name) in (Merge.SET, Merge.APPEND)}


def _marks(stamps: Stamps, unit: str, present: bool) -> list[list[Any]]:
    marks: list[list[Any]] | None = stamps.get(unit)
    if marks is not None:
        return marks
    return [[1, stamps[CREATOR]]] if present and CREATOR in stamps else []


def _present(value: Any) -> bool:
    return any(part is not None for part in value.values()) if isinstance(value, dict) else value is not None
