"""Which cases are open, and whose photos those are, as the tables tell; the rule is server/rules/holds.py.

Serves the holds that a store puts on photos, and their audit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

import orjson
from sqlalchemy import ColumnElement, column, select, table
from sqlalchemy.orm import Session

from server.rules.holds import is_open, kinds
from sync.bulk import Among
from sync.models import Record

CHECKED = ("verified", "damaged")
"""What a check has looked at; before it, nothing is known to be a photo, and junk must not be locked in."""
EVIDENCE = (Record.type == "evidence", Record.deleted.is_(False))


class Named(NamedTuple):
    """A photo that evidence, the record `id`, names about a record."""

    id: str
    sha256: str
    about_id: str
    checked: bool


def open_cases(session: Session, ids: Collection[str], through: set[str] | None = None) -> set[str]:
    """Those of these records that are open cases, or to which an open case belongs; `through` are all of the latter
    (`belongings`), where somebody asks often."""
    rows = session.execute(select(Record.id, Record.type, Record.status, Record.deleted)
                           .where(Among(Record.id, list(ids)))).all()
    found = {row.id for row in rows if is_open(row.type, row.status, row.deleted)}
    over = {row.id for row in rows if row.type in kinds()} - found
    if over:
        found |= over & (belongings(session, over) if through is None else through)
    return found


def belongings(session: Session, ids: Collection[str] | None = None) -> set[str]:
    """Those of these records, or of all, to which an open case belongs. Reads every record of the types that belong to
    another, about four microseconds each on SQLite and eight on PostgreSQL."""
    found = set()
    for name, kind in kinds().items():
        if kind.through:
            view = table(name, column("status"), column(kind.through))
            which: ColumnElement[str] = view.c[kind.through]
            rows = session.execute(select(which, view.c.status).where(
                Among(which, list(ids)) if ids is not None else which.is_not(None)))
            found |= {row[0] for row in rows if is_open(name, row.status)}
    return found


def cases_of(session: Session, changed: Iterable[tuple[str, str, str | None]]) -> set[str]:
    """The cases whose photos a change of these records may concern; each is (id, type, what it is about)."""
    found: set[str] = set()
    for record_id, record_type, about_id in changed:
        if record_type == "evidence" and about_id:
            found.add(about_id)
        elif record_type in kinds():
            found.add(record_id)
    belonging = [name for name, kind in kinds().items() if kind.through]
    for row in session.execute(select(Record.type, Record.fields).where(
            Among(Record.id, list(found)), Record.type.in_(belonging))).all():
        case_id = orjson.loads(row.fields).get(kinds()[row.type].through)
        found |= {case_id} if isinstance(case_id, str) else set()
    return found


def photos_of(session: Session, cases: Collection[str]) -> set[str]:
    """The photos that evidence names about these records."""
    return {sha256 for sha256 in session.execute(select(Record.sha256).where(
        *EVIDENCE, Among(Record.about_id, list(cases)))).scalars() if sha256}


def photos_named_by(session: Session, ids: Collection[str]) -> set[str]:
    """The photos of those of these records that are evidence."""
    return {sha256 for sha256 in session.execute(select(Record.sha256).where(
        *EVIDENCE, Among(Record.id, list(ids)))).scalars() if sha256}


def named(session: Session, photos: Collection[str]) -> list[Named]:
    """All evidence that names these photos."""
    return [Named(row.id, row.sha256, row.about_id, row.media_state in CHECKED) for row in session.execute(
        select(Record.id, Record.sha256, Record.about_id, Record.media_state).where(
            *EVIDENCE, Among(Record.sha256, list(photos))))]
