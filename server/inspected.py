"""What an inspection says of a finding that was made in it: the item that failed, and the item's photos.

An answer names the finding that it opened (`finding_id`) and its photos (`photos`, ids of evidence). Photos that were
taken before the finding was opened are about the inspection, and show the finding all the same. Serves reviews and the
pages; knows no request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from schemas.values import parse_time, stamp
from sync.bulk import Among
from sync.kept import RECORD, Kept, kept_from
from sync.models import Record

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Inspected:
    """Where a finding was made: the inspection, the `items` that opened it, their photos that are about the inspection,
    oldest first, and how many photos they name that have not come."""

    inspection: Kept
    items: list[str]
    photos: list[Kept]
    awaited: int


def inspected(session: Session, findings: Iterable[Kept]) -> dict[str, Inspected]:
    """By finding where it was made, of those that name an inspection which is here."""
    named = {kept.id: kept.fields["inspection_id"] for kept in findings
             if kept.type == "finding" and kept.fields.get("inspection_id")}
    inspections = _read(session, set(named.values()), Record.type == "inspection")
    opened = {finding: [(item, answer) for item, answer in answers_of(inspections[inspection]).items()
                        if answer.get("finding_id") == finding]
              for finding, inspection in named.items() if inspection in inspections}
    photos = {finding: {photo for _, answer in answers for photo in photos_in(answer)}
              for finding, answers in opened.items()}
    evidence = _read(session, set().union(*photos.values()), Record.type == "evidence")
    return {finding: Inspected(
        inspections[named[finding]], [item for item, _ in answers],
        sorted((evidence[photo] for photo in photos[finding] if photo in evidence and not evidence[photo].deleted
                and evidence[photo].marks["about_id"] == named[finding]), key=lambda kept: kept.created_seq),
        len(photos[finding] - evidence.keys())) for finding, answers in opened.items()}


def findings_of(session: Session, inspection: Kept) -> list[Kept]:
    """The live findings that name the inspection, oldest first; of those observed within a week since it began, so that
    not all of a city are looked through."""
    began = parse_time(inspection.marks["observed_at"] or inspection.created_at)
    rows = session.execute(select(RECORD).where(
        Record.type == "finding", Record.deleted.is_(False), Record.observed_at >= stamp(began)[:10],
        Record.observed_at < (stamp(began + WEEK) if began.year < 9999 else "A"),  # behind all digits
        Record.fields.contains(f'"inspection_id":"{inspection.id}"')).order_by(Record.created_seq)).mappings()
    return [kept_from(row) for row in rows]


def answers_of(inspection: Kept) -> dict[str, Mapping[str, Any]]:
    """The answers by item, those alone that are shaped as answers are."""
    return {item: answer for item, answer in (inspection.fields.get("answers") or {}).items()
            if isinstance(answer, Mapping)}


def photos_in(answer: Mapping[str, Any]) -> list[str]:
    """The ids of the photos that an answer names."""
    photos = answer.get("photos")
    return [photo for photo in photos if isinstance(photo, str)] if isinstance(photos, list) else []


def _read(session: Session, ids: set[str], condition: ColumnElement[bool]) -> dict[str, Kept]:
    rows = session.execute(select(RECORD).where(Among(Record.id, sorted(ids)), condition)).mappings() if ids else ()
    return {row["id"]: kept_from(row) for row in rows}
