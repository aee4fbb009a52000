"""Which records belong to one case, so that a photo which appears in both is no re-use (evidence.md, threat 5).

A case is a finding or an inspection with the enforcement records and tasks about it. Before and after of one place are
of one case; so are a finding and the inspection in which it was made. Two findings of one inspection are two cases.
"""

from __future__ import annotations

from sync.records import Door

LONGEST_WAY = 4  # a task about a task about an enforcement record of a finding


def same_case(door: Door, one: str, other: str) -> bool:
    """Are the records with these ids of one case, or is one's the inspection in which the other's was found?"""
    mine, yours = case_of(door, one), case_of(door, other)
    return mine == yours or mine == _inspection(door, yours) or yours == _inspection(door, mine)


def same_thing(door: Door, one: str, other: str) -> bool:
    """Are the findings of their cases listed as duplicates? Two inspectors then photographed one thing."""
    mine, yours = case_of(door, one), case_of(door, other)
    return yours in _duplicates(door, mine) or mine in _duplicates(door, yours)


def case_of(door: Door, record_id: str) -> str:
    """The id of the record at the root: what an enforcement record's `finding_id`, or `about`, leads to."""
    for _ in range(LONGEST_WAY):
        kept = door.get(record_id)
        about = (kept.fields.get("about") or {}).get("id") if kept else None
        above = about or (kept.fields.get("finding_id") if kept else None)
        if above is None:
            break
        record_id = above
    return record_id


def _inspection(door: Door, record_id: str) -> str | None:
    kept = door.get(record_id)
    return kept.fields.get("inspection_id") if kept else None


def _duplicates(door: Door, record_id: str) -> list[str]:
    kept = door.get(record_id)
    return (kept.fields.get("duplicates") or []) if kept else []
