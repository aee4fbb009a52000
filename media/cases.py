"""Which records belong to one case, so that a photo which appears in both is no re-use (evidence.md, threat 5).

A case is a finding or an inspection with the enforcement records and tasks about it. Before and after of one place are
of one case; so are a finding and the inspection in which it was made. Two findings of one inspection are two cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.records import RecordType
from sync.records import Door

LONGEST_WAY = 4  # a task about a task about an enforcement record of a finding
TIES = ("about", "record_id", "finding_id")


def same_case(door: Door, one: str, other: str) -> bool:
    """Are the records with these ids of one case, or is one's the inspection in which the other's was found?"""
    mine, yours = case_of(door, one), case_of(door, other)
    return mine == yours or mine == _inspection(door, yours) or yours == _inspection(door, mine)


def same_thing(door: Door, one: str, other: str) -> bool:
    """Are the findings of their cases listed as duplicates? Two inspectors then photographed one thing."""
    mine, yours = case_of(door, one), case_of(door, other)
    return yours in _duplicates(door, mine) or mine in _duplicates(door, yours)


def case_of(door: Door, record_id: str) -> str:
    """The id of the record at the root: what `above` leads to."""
    for _ in range(LONGEST_WAY):
        kept = door.get(record_id)
        over = above(kept.declared, kept.fields) if kept else None
        if over is None:
            break
        record_id = over
    return record_id


def above(declared: RecordType, fields: Mapping[str, Any]) -> str | None:
    """The id of the record to whose case one belongs: what it is about, or the finding of an enforcement record. What
    the type does not know ties nothing."""
    tied = next((fields[name] for name in TIES if name in declared.fields and fields.get(name)), None)
    return tied["id"] if isinstance(tied, Mapping) else tied


def inspection_of(declared: RecordType, fields: Mapping[str, Any]) -> str | None:
    """The id of the inspection in which a finding was made."""
    return fields.get("inspection_id") if "inspection_id" in declared.fields else None


def _inspection(door: Door, record_id: str) -> str | None:
    kept = door.get(record_id)
    return inspection_of(kept.declared, kept.fields) if kept else None


def _duplicates(door: Door, record_id: str) -> list[str]:
    kept = door.get(record_id)
    return (kept.fields.get("duplicates") or []) if kept else []
