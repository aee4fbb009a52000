"""What the journal tells to be lawfully erased (`sync/erasure.py`): audits take that as accounted for, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from sync.audit import ERASED, parsed, stream
from sync.models import JournalEntry

BODIES = select(JournalEntry.index.label("number"), type_coerce(JournalEntry.body, Text).label("body")).where(
    JournalEntry.kind == ERASED).order_by(JournalEntry.index)
TOLD = ("record_type", "record_id", "fields", "ground")


@dataclass(frozen=True)
class Erasures:
    """What the journal tells to be erased: versions by record, entries of the quarantine, of the journal that said them
    aside, verdicts by spot check and record; and `told`, the entries in short."""

    versions: frozenset[tuple[str, int]]
    quarantined: frozenset[str]
    asides: frozenset[int]
    verdicts: frozenset[tuple[str, str]]
    told: list[dict[str, Any]]


def erasures(session: Session) -> Erasures:
    """All of it; erasures are few."""
    entries = {row.number: parsed(row.body) or {} for row in stream(session, BODIES)}
    bodies = list(entries.values())
    return Erasures(
        frozenset((record_id, version) for body in bodies for record_id, some in (body.get("versions") or {}).items()
                  for version in some),
        frozenset(one for body in bodies for one in body.get("quarantined") or ()),
        frozenset(one for body in bodies for one in body.get("asides") or ()),
        frozenset((check_id, str(body.get("record_id"))) for body in bodies for check_id in body.get("verdicts") or ()),
        [{"entry": number, **{name: body.get(name) for name in TOLD}} for number, body in entries.items()])
