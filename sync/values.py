"""The values of units within a record: of a field, a bound value, a map's key, a set's member, a list's entry. Serves
merging and settling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.records import Merge, RecordType


def unit_of(record_type: RecordType, name: str) -> str:
    """The unit that a field belongs to: its bound value, or itself."""
    declared = record_type.fields.get(name)
    return declared.bound or name if declared else name


def value_of(record_type: RecordType, fields: Mapping[str, Any], unit: str) -> Any:
    """The value of a unit in a record: of a field, of a bound value's fields together, of a map's key, of a
    member, of an appended entry."""
    name, dot, key = unit.partition(".")
    if dot and record_type.rule(name) is Merge.MAP:
        entries = fields.get(name)
        return entries.get(key) if isinstance(entries, dict) else None
    if dot and record_type.rule(name) is Merge.SET:
        return key in listed(fields.get(name))
    if dot and record_type.rule(name) is Merge.APPEND:
        return by_id(fields.get(name)).get(key)
    if members := members_of(record_type, unit):
        return {member: fields.get(member) for member in members}
    return fields.get(unit)


def put_value(record_type: RecordType, fields: dict[str, Any], unit: str, value: Any) -> None:
    """Set a unit in a record's fields; None removes it."""
    name, dot, key = unit.partition(".")
    if dot and record_type.rule(name) is Merge.MAP:
        entries = dict(fields.get(name) or {})
        _put(entries, key, value)
        fields[name] = entries
    elif dot and record_type.rule(name) is Merge.SET:
        kept = [member for member in listed(fields.get(name)) if member != key]
        fields[name] = [*kept, key] if value else kept
    elif dot and record_type.rule(name) is Merge.APPEND:
        stands = by_id(fields.get(name)).get(key)
        fields[name] = [value if entry is stands else entry for entry in listed(fields.get(name))]
    elif members := members_of(record_type, unit):
        for member in members:
            _put(fields, member, (value or {}).get(member))
    else:
        _put(fields, unit, value)


def members_of(record_type: RecordType, unit: str) -> tuple[str, ...]:
    """The fields that make up a bound value; none for a unit that is one field or a part of one."""
    members = record_type.members(unit)
    return () if members in ((), (unit,)) else members


def listed(value: Any) -> list[Any]:
    """The members of a set or list; what an older release kept under the name has none."""
    return value if isinstance(value, list) else []


def by_id(value: Any) -> dict[str, Any]:
    """The entries of a list by their ids."""
    return {entry["id"]: entry for entry in listed(value)
            if isinstance(entry, dict) and isinstance(entry.get("id"), str)}


def _put(fields: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        fields.pop(name, None)
    else:
        fields[name] = value
