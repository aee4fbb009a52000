"""The audit of what checks gave: are the rows of photos and of their small copies what the journal tells?

Of photos that an older release checked it tells nothing: those are counted apart, and held against what their evidence
says. Serves `bin/menqian verify`; writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Text, select, type_coerce
from sqlalchemy.orm import Session

from media.checked import CHECKED, UNCHECKED, digest_of, said
from media.derivatives import RECIPE
from media.disposal import ENTRY as DISPOSED
from media.models import Photo, Rendition
from sync.audit import Audit, batches, journalled, opens, parsed, stream
from sync.models import History, JournalEntry, Record

FOUND = type_coerce(Photo.found, Text).label("found")  # as text: one that is no JSON any more is a fault, too
STORED = "stored"


class Made(NamedTuple):
    """A small copy as its row has it, or as the entry of the check does. It is of no evidence's page, and goes with its
    row."""

    sha256: str
    recipe: str
    made_at: str
    evidence_id: str | None = None
    disposed_at: str | None = None


def check_checks(audit: Audit, session: Session) -> None:
    """Every photo and its small copies are what its last check gave, as the journal tells; none of them is gone."""
    photos = stream(session, select(
        Photo.sha256, Photo.state, Photo.media_type, Photo.checked_at, Photo.width, Photo.height, Photo.dhash, FOUND,
        Photo.stored_at)
        .order_by(Photo.sha256))
    for batch in batches(photos):
        digests = [photo.sha256 for photo in batch]
        told, made = _newest(session, digests), _made(session, digests)
        shown = _evidence(session, [sha256 for sha256 in digests if sha256 not in told])
        for photo in batch:
            entry = told.get(photo.sha256)
            if entry is None and photo.checked_at is not None:
                audit.note("checks_uncommitted", photo.sha256, "the journal is not committed to its check and copies")
            else:
                audit.checked["checks"] += entry is not None and entry.kind == CHECKED
                _check_copies(audit, photo.sha256, _expected(entry), made.get(photo.sha256, {}))
            altered = _altered(photo, entry) if entry else _unlike(photo, shown.get(photo.sha256, ()))
            if altered:
                audit.wrong("check_altered", photo.sha256, f"{', '.join(altered)} differs from the "
                                                           f"{'journal' if entry else 'evidence'}")
    _check_gone(audit, session)


def _altered(photo: Any, entry: Any) -> list[str]:
    """What of a photo's row is not as its last check left it, or as it is before a check."""
    body, found, checked = _document(entry.body), _document(photo.found), entry.kind == CHECKED
    told = {"state": body.get("state") if checked else STORED, "checked_at": entry.at if checked else None}
    altered = [name for name, value in told.items() if getattr(photo, name) != value]
    if not checked:
        return altered
    altered += ["stored_at"] if body.get("stored_at", photo.stored_at) != photo.stored_at else []
    altered += ["media_type"] if photo.media_type != body.get("media_type") else []
    altered += [name for name in ("width", "height") if getattr(photo, name) != found.get(name)]
    if not opens(entry.salt, said(parsed(photo.found), photo.dhash), body.get("aside")):
        altered.append("found or dhash")
    return altered


def _unlike(photo: Any, evidence: Iterable[Mapping[str, Any]]) -> list[str]:
    """What of the row of a photo, of whose check the journal does not tell, its evidence says otherwise."""
    shown = {"state": photo.state, **(_document(photo.found) if photo.checked_at else {})}
    names = {name for media in evidence for name in {*shown, *media} if shown.get(name) != media.get(name)}
    return [*(["state"] if "state" in names else []), *(["found"] if names - {"state"} else [])]


def _check_copies(audit: Audit, sha256: str, told: Mapping[str, Made], made: Mapping[str, Made]) -> None:
    """The small copies of a photo are those of its last check, and no others."""
    for kind in sorted({*told, *made}):
        if kind not in made:
            audit.wrong("rendition_missing", sha256, f"its {kind}, of which the journal tells, is in no table")
        elif kind not in told:
            audit.wrong("rendition_altered", sha256, f"its {kind} was made by no check of which the journal tells")
        elif differ := [name for name in Made._fields if getattr(told[kind], name) != getattr(made[kind], name)]:
            audit.wrong("rendition_altered", sha256, f"its {kind}: {', '.join(differ)} differs from the journal")


def _expected(entry: Any) -> dict[str, Made]:
    body = _document(entry.body) if entry is not None and entry.kind == CHECKED else {}
    return {kind: Made(digest, body["recipe"], entry.at) for kind, digest in body.get("renditions", {}).items()}


def _made(session: Session, digests: Sequence[str]) -> dict[str, dict[str, Made]]:
    made: dict[str, dict[str, Made]] = {}
    for row in session.execute(select(Rendition.parent, Rendition.kind, Rendition.sha256, Rendition.made_at, RECIPE,
                                      Rendition.evidence_id, Rendition.disposed_at)
                               .where(Rendition.parent.in_(digests), Rendition.made_by.is_(None))):
        made.setdefault(row.parent, {})[row.kind] = Made(
            row.sha256, digest_of(parsed(row.recipe)), row.made_at, row.evidence_id, row.disposed_at)
    return made


def _newest(session: Session, digests: Sequence[str]) -> dict[str | None, Any]:
    """The last that the journal tells of each of these photos: checked, checked no more, or disposed of."""
    return {entry.about: entry for entry in session.execute(journalled().where(
        JournalEntry.about.in_(digests), JournalEntry.kind.in_((CHECKED, UNCHECKED, DISPOSED))))}


def _evidence(session: Session, digests: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """What live evidence says of these photos. What was deleted for a while was not told meanwhile."""
    shown: dict[str, list[Mapping[str, Any]]] = {}
    came_back = select(History.record_id).where(History.record_id == Record.id, History.op == "restore").exists()
    for sha256, text in session.execute(select(Record.sha256, Record.fields).where(
            Record.type == "evidence", Record.sha256.in_(digests), Record.deleted.is_(False), ~came_back)):
        shown.setdefault(str(sha256), []).append(_document(text).get("media") or {})
    return shown


def _check_gone(audit: Audit, session: Session) -> None:
    """No photo of whose check the journal tells last has no row."""
    gone = stream(session, select(JournalEntry.about).distinct().outerjoin(
        Photo, Photo.sha256 == JournalEntry.about).where(JournalEntry.kind == CHECKED, Photo.sha256.is_(None)))
    for batch in batches(gone):
        for sha256, entry in _newest(session, [row.about for row in batch]).items():
            if entry.kind == CHECKED:
                audit.wrong("check_missing", sha256, f"the photo of whose check entry {entry.number} tells is in no "
                                                     "table")


def _document(text: str | None) -> dict[str, Any]:
    """The JSON object that a column holds; an empty one for anything else."""
    found = parsed(text)
    return found if isinstance(found, dict) else {}
