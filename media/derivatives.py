"""Copies of a photo that people make: redacted ones, and display copies 显示件. Serves `server/api/derivatives.py`.

Each is a file of its own beside those before it: nothing is replaced, the newest of a kind counts. `redacted` and
`displayed` do the work and write nothing to the database; `keep` writes and does no work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Text, func, select, type_coerce
from sqlalchemy.orm import Session

from media import redactions, stamps
from media.checks import fetched
from media.disposal import ENTRY as DISPOSED
from media.models import Rendition
from media.renditions import NotRendered
from media.stores import Store, digest_of
from sync.audit import Audit, batches, journalled, opens, parsed, stream
from sync.models import JournalEntry
from sync.records import Door

REDACTED, DISPLAY = "redacted", "display"
ENTRY = "derivative"
RECIPE = type_coerce(Rendition.recipe, Text).label("recipe")  # as text: one that is no JSON any more is a fault, too


@dataclass(frozen=True, slots=True)
class Derived:
    """A copy that stands in the store and in no table yet; `said` in its recipe is what only people may read."""

    family: str
    sha256: str
    bytes: int
    recipe: dict[str, Any]


def redacted(store: Store, original: str, boxes: Sequence[Mapping[str, float]], method: str, note: str,
             directory: Path) -> Derived:
    """Cover the boxes in a copy of the original, made in `directory`. Raises NotRendered, NotStored,
    StoreUnavailable, sandbox.ChildLost."""
    with _copy_of(store, original, directory) as source:
        target = source.with_name(REDACTED)
        redactions.redact_apart(source, target, boxes, method)
        recipe = redactions.recipe_of(boxes, method)
        return _stored(store, REDACTED, target, {**recipe, "said": {"note": note}} if note else recipe)


def displayed(store: Store, screen: str, lines: stamps.Lines, code: str, font: Path, directory: Path) -> Derived:
    """Set the lines and the code below the screen rendition of that digest. Raises as `redacted`."""
    with _copy_of(store, screen, directory) as source:
        target = source.with_name(DISPLAY)
        stamps.stamp_apart(source, target, lines, code, font)
        return _stored(store, DISPLAY, target, stamps.recipe_of(lines, code))


@contextmanager
def _copy_of(store: Store, sha256: str, directory: Path) -> Iterator[Path]:
    with fetched(store, sha256, directory) as (copy, whole):
        if not whole:
            raise NotRendered("stored bytes have changed")
        yield copy


def _stored(store: Store, family: str, target: Path, recipe: dict[str, Any]) -> Derived:
    sha256 = digest_of(target)
    store.put(sha256, target, "image/jpeg", given=True)
    return Derived(family, sha256, target.stat().st_size, recipe)


def keep(door: Door, parent: str, evidence_id: str, maker: str, derived: Derived) -> Rendition:
    """Keep the copy of the photo `parent` under the next number of its family, with its journal entry."""
    # Three digits, so that kinds sort as they were made.
    kind = f"{derived.family}-{_count(door.session, parent, derived.family) + 1:03d}"
    values = {"parent": parent, "kind": kind, "sha256": derived.sha256, "bytes": derived.bytes,
              "recipe": derived.recipe, "made_at": door.at, "made_by": maker, "evidence_id": evidence_id}
    door.add_row(Rendition, values)
    made = Rendition(**values)
    door.record_entry(ENTRY, maker, parent, _told(made, made.recipe), aside=made.recipe.get("said"), kept=False)
    return made


def _count(session: Session, parent: str, family: str) -> int:
    return session.execute(select(func.count()).where(
        Rendition.parent == parent, Rendition.kind.startswith(f"{family}-"))).scalar_one()


def _told(made: Any, recipe: Mapping[str, Any]) -> dict[str, Any]:
    """What the journal says of a copy: all but what a person wrote and what names people and places."""
    return {"parent": made.parent, "kind": made.kind, "sha256": made.sha256, "bytes": made.bytes,
            "evidence_id": made.evidence_id, **{name: part for name, part in recipe.items() if name != "said"}}


def derivatives_of(session: Session, parents: Sequence[str]) -> list[Rendition]:
    """All copies of these photos that stand, those of the check first, then as they were made."""
    rows = session.execute(select(Rendition).where(
        Rendition.parent.in_(parents), Rendition.disposed_at.is_(None)).order_by(
        Rendition.parent, Rendition.made_by.is_not(None), Rendition.made_at, Rendition.kind))
    return list(rows.scalars())


def check_derivatives(audit: Audit, session: Session) -> None:
    """Every copy that a person made is what the journal says of it, and none of which it tells is gone."""
    kept = stream(session, select(
        Rendition.parent, Rendition.kind, Rendition.sha256, Rendition.bytes, Rendition.evidence_id, Rendition.made_by,
        Rendition.made_at, Rendition.disposed_at, RECIPE).where(Rendition.made_by.is_not(None)).order_by(
            Rendition.parent, Rendition.kind))
    for batch in batches(kept):
        entries = _entries(session, parents := {made.parent for made in batch})
        gone = {(row.about, row.at) for row in session.execute(select(JournalEntry.about, JournalEntry.at).where(
            JournalEntry.about.in_(parents), JournalEntry.kind == DISPOSED))}
        for made in batch:
            audit.checked["derivatives"] += 1
            entry = entries.get((made.parent, made.kind))
            if entry is None:
                audit.wrong("derivative_unknown", made.parent, f"the journal tells nothing of its {made.kind}")
            elif (entry.actor, entry.at) != (made.made_by, made.made_at) or not _agree(entry, made) or (
                    made.disposed_at is not None and (made.parent, made.disposed_at) not in gone):
                audit.wrong("derivative_altered", made.parent, f"its {made.kind} is not what the journal says")
    for batch in batches(stream(session, journalled().where(JournalEntry.kind == ENTRY))):
        present = {(made.parent, made.kind) for made in session.execute(select(Rendition.parent, Rendition.kind).where(
            Rendition.parent.in_([row.about for row in batch])))}
        for row in batch:
            if (row.about, (parsed(row.body) or {}).get("kind")) not in present:
                audit.wrong("derivative_missing", row.about, f"the copy of which entry {row.number} tells is gone")


def _entries(session: Session, parents: set[str]) -> dict[Any, Any]:
    rows = session.execute(journalled().where(JournalEntry.kind == ENTRY, JournalEntry.about.in_(parents)))
    return {(row.about, (parsed(row.body) or {}).get("kind")): row for row in rows}


def _agree(entry: Any, made: Any) -> bool:
    """Is the row what the entry says, and what it says aside what the entry is committed to?"""
    told, recipe = parsed(entry.body) or {}, parsed(made.recipe) or {}
    committed = told.pop("aside", None)
    return bool(told == _told(made, recipe)) and (opens(entry.salt, recipe["said"], committed) if "said" in recipe
                                                  else committed is None)
